/* Responses that the server makes itself. */
#include "core/response.h"

#include <stdlib.h>

#include "base/alloc.h"

static void free_response(struct hc_response *response) {
    hc_pool_finish(&response->pool);
    free(response);
}

struct hc_response *hc_response_error(enum hc_code code, struct hc_text message) {
    struct hc_response *response = hc_new(struct hc_response);
    response->code = code;
    response->message = (struct hc_text){hc_pool_copy(&response->pool, message), message.size};
    response->on_release = free_response;
    return response;
}
