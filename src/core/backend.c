/* Backends: finding one by the name that configs use. */
#include "core/backend.h"

#include <assert.h>
#include <string.h>

enum { MAX_BACKENDS = 16 };

static const struct hc_backend *backends[MAX_BACKENDS]; /* const once models are loaded */
static size_t n_backends;

void hc_backend_register(const struct hc_backend *backend) {
    assert(n_backends < MAX_BACKENDS);
    backends[n_backends++] = backend;
}

const struct hc_backend *hc_backend_find(const char *name) {
    for (size_t i = 0; i < n_backends; i++) {
        if (strcmp(backends[i]->name, name) == 0) {
            return backends[i];
        }
    }
    return NULL;
}
