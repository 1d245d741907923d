/* Forwarding headers. */
#include "core/forward.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum hc_code hc_forward_create(const char *pattern, regex_t **forward, struct hc_error *error) {
    if (pattern == NULL || pattern[0] == '\0') {
        *forward = NULL;
        return HC_OK;
    }
    regex_t *created = hc_new(regex_t);
    int result = regcomp(created, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB);
    if (result != 0) {
        char reason[128];
        regerror(result, created, reason, sizeof reason);
        free(created);
        return hc_error_set(error, HC_INVALID_ARGUMENT, "bad header forward pattern '%s': %s",
                            pattern, reason);
    }
    *forward = created;
    return HC_OK;
}

void hc_forward_destroy(regex_t *forward) {
    if (forward != NULL) {
        regfree(forward);
        free(forward);
    }
}

static bool matches(const regex_t *forward, struct hc_text name) {
    regmatch_t part = {.rm_so = 0, .rm_eo = (regoff_t)name.size};
    return regexec(forward, name.data, 1, &part, REG_STARTEND) == 0;
}

static struct hc_text copy(struct hc_pool *pool, struct hc_text text) {
    return (struct hc_text){hc_pool_copy(pool, text), text.size};
}

void hc_forward_headers(const regex_t *forward, const struct hc_http_header *headers,
                        size_t n_headers, struct hc_request *request) {
    size_t n = request->n_parameters;
    if (forward == NULL) {
        return;
    }
    struct hc_wire_parameter *parameters =
        hc_pool_alloc(&request->pool, (n + n_headers) * sizeof *parameters);
    if (n > 0) {
        memcpy(parameters, request->parameters, n * sizeof *parameters);
    }
    for (size_t i = 0; i < n_headers; i++) {
        if (matches(forward, headers[i].name)) {
            parameters[n++] = (struct hc_wire_parameter){
                .name = copy(&request->pool, headers[i].name),
                .kind = HC_WIRE_STRING,
                .string = copy(&request->pool, headers[i].value),
            };
        }
    }
    request->parameters = parameters;
    request->n_parameters = n;
}
