/* Health: whether the server lives, and whether it and its models are ready. */
#include "http_internal.h"

static bool exiting(const struct http_call *call) {
    if (!atomic_load(&call->api->server->stopping)) {
        return false;
    }
    http_answer_error(call->exchange, HC_UNAVAILABLE, HC_TEXT("Server exiting"));
    return true;
}

void http_live(const struct http_call *call) {
    if (!exiting(call)) {
        http_answer_empty(call->exchange, 200);
    }
}

void http_ready(const struct http_call *call) {
    if (!exiting(call)) {
        bool ready = !call->api->server->options.strict_readiness ||
                     hc_catalog_is_ready(call->context->catalog);
        http_answer_empty(call->exchange, ready ? 200 : 400);
    }
}

void http_model_ready(const struct http_call *call) {
    struct hc_model *model;
    if (http_find_model(call, &model, NULL) != HC_OK || !hc_model_is_up(model)) {
        http_answer_status(call->exchange, 400, HC_TEXT("Model version not ready"));
    } else {
        http_answer_empty(call->exchange, 200);
    }
}
