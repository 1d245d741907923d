/* Health: whether the server lives, and whether it and its models are ready. */
#include "core/readiness.h"
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

static void answer_server(void *exchange, bool ready) {
    http_answer_empty(exchange, ready ? 200 : 400);
}

void http_ready(const struct http_call *call) {
    if (exiting(call)) {
        return;
    }
    if (call->api->server->options.strict_readiness) {
        hc_readiness_check(call->context, NULL, answer_server, call->exchange);
    } else {
        answer_server(call->exchange, true);
    }
}

static void answer_model(void *exchange, bool ready) {
    if (ready) {
        http_answer_empty(exchange, 200);
    } else {
        http_answer_status(exchange, 400, HC_TEXT("Model version not ready"));
    }
}

void http_model_ready(const struct http_call *call) {
    struct hc_model *model;
    if (http_find_model(call, &model, NULL) != HC_OK) {
        answer_model(call->exchange, false);
    } else {
        hc_readiness_check(call->context, model, answer_model, call->exchange);
    }
}
