/* Finding the model that a request names. */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "call.h"
#include "core/server.h"

/* Versions are numbers as strtol() reads them: Triton's server does it with stol(). */
enum hc_code grpc_read_version(struct hc_text text, int64_t *version, struct hc_error *error) {
    if (text.size == 0) {
        *version = -1;
        return HC_OK;
    }
    hc_auto(text) digits = hc_strndup(text.data, text.size);
    char *end;
    errno = 0;
    long long number = strtoll(digits, &end, 10);
    if (end == digits || errno != 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "failed to get model version from specified version string '%s' "
                            "(details: stol), version should be an integral value > 0",
                            digits);
    }
    if (number < 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "invalid model version specified '%s' , version should be an integral "
                            "value > 0",
                            digits);
    }
    *version = number;
    return HC_OK;
}

enum hc_code grpc_find_model(const struct hc_context *context, struct hc_text name,
                             struct hc_text version, struct hc_model **model,
                             struct hc_error *error) {
    int64_t number;
    HC_TRY(grpc_read_version(version, &number, error));
    return hc_catalog_model(hc_server_catalog(context->server), name, number, model, error);
}
