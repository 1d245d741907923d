/* Forwarding headers. */
#include "http_forward.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum hc_code http_forward_create(const char *pattern, regex_t **forward, struct hc_error *error) {
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

void http_forward_destroy(regex_t *forward) {
    if (forward != NULL) {
        regfree(forward);
        free(forward);
    }
}

static bool matches(const regex_t *forward, struct hc_text name) {
    regmatch_t part = {.rm_so = 0, .rm_eo = (regoff_t)name.size};
    return regexec(forward, name.data, 1, &part, REG_STARTEND) == 0;
}

void http_forward_headers(const struct hc_http_api *api, struct hc_http_exchange *exchange,
                          struct hc_request *request) {
    const struct hc_http_request *http = hc_http_request(exchange);
    size_t n = request->n_parameters;
    if (api->forward == NULL) {
        return;
    }
    struct hc_wire_parameter *parameters =
        hc_pool_alloc(&request->pool, (n + http->n_headers) * sizeof *parameters);
    if (n > 0) {
        memcpy(parameters, request->parameters, n * sizeof *parameters);
    }
    for (size_t i = 0; i < http->n_headers; i++) {
        const struct hc_http_header *header = &http->headers[i];
        if (matches(api->forward, header->name)) {
            parameters[n++] = (struct hc_wire_parameter){
                .name = header->name,
                .kind = HC_WIRE_STRING,
                .string = header->value,
            };
        }
    }
    request->parameters = parameters;
    request->n_parameters = n;
}
