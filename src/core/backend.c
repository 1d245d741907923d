/* Backends: finding one by the name that configs use, also where it is a Python file. */
#include "core/backend.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

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

static const char python_runtime[] = "model.py";

static enum hc_code refuse(const Inference__ModelConfig *config, const char *file,
                           struct hc_error *error) {
    if (strcmp(config->runtime, python_runtime) == 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "unable to find Python backend based backend library 'model.py' for "
                            "model '%s', searched: '%s'",
                            config->name, file);
    }
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "unable to find backend library for backend '%s', try specifying runtime "
                        "on the model configuration.",
                        config->backend);
}

static void set_runtime(Inference__ModelConfig *config) {
    if (config->runtime[0] == '\0') {
        config->runtime = hc_strdup(python_runtime);
    }
}

enum hc_code hc_backend_resolve(Inference__ModelConfig *config, const char *backend_directory,
                                const struct hc_backend **backend, char **folder_out,
                                struct hc_error *error) {
    const struct hc_backend *found =
        hc_backend_find(hc_config_is_ensemble(config) ? config->platform : config->backend);
    if (found != NULL) {
        *backend = found;
        *folder_out = NULL;
        return HC_OK;
    }
    /* A name that is a path would lead out of the directory. */
    bool is_name = config->backend[0] != '\0' && strchr(config->backend, '/') == NULL;
    bool is_python = config->runtime[0] == '\0' || strcmp(config->runtime, python_runtime) == 0;
    hc_auto(text) folder = hc_format("%s/%s", backend_directory, config->backend);
    hc_auto(text) file = hc_format("%s/%s", folder, python_runtime);
    if (!is_name || !is_python || access(file, R_OK) != 0) {
        return refuse(config, file, error);
    }
    set_runtime(config);
    *backend = hc_backend_find("python");
    *folder_out = hc_take(folder);
    return *backend != NULL ? HC_OK : refuse(config, file, error);
}
