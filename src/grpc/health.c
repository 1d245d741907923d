/* Health: whether the server lives, and whether it and its models are ready. */
#include <stdlib.h>

#include "base/alloc.h"
#include "core/server.h"
#include "grpc_service.pb-c.h"
#include "health.pb-c.h"
#include "unary.h"

static bool is_ready(const struct grpc_call *call) {
    const struct hc_server *server = call->api->server;
    return !server->options.strict_readiness || hc_server_catalog(call->context->server)->ready;
}

enum hc_code grpc_server_live(struct grpc_call *call, struct hc_text message,
                              struct hc_error *error) {
    HC_TRY(grpc_check(&inference__server_live_request__descriptor, message, error));
    Inference__ServerLiveResponse answer = INFERENCE__SERVER_LIVE_RESPONSE__INIT;
    answer.live = true;
    grpc_answer(call, &answer.base);
    return HC_OK;
}

enum hc_code grpc_server_ready(struct grpc_call *call, struct hc_text message,
                               struct hc_error *error) {
    HC_TRY(grpc_check(&inference__server_ready_request__descriptor, message, error));
    Inference__ServerReadyResponse answer = INFERENCE__SERVER_READY_RESPONSE__INIT;
    answer.ready = is_ready(call);
    grpc_answer(call, &answer.base);
    return HC_OK;
}

enum hc_code grpc_model_ready(struct grpc_call *call, struct hc_text message,
                              struct hc_error *error) {
    GRPC_AUTO Inference__ModelReadyRequest *request =
        grpc_unpack(&inference__model_ready_request__descriptor, message, error);
    if (request == NULL) {
        return error->code;
    }
    struct hc_model *model;
    enum hc_code code = grpc_find_model(call->context, hc_text_of(request->name),
                                        hc_text_of(request->version), &model, error);
    if (code == HC_INVALID_ARGUMENT) {
        return code;
    }
    Inference__ModelReadyResponse answer = INFERENCE__MODEL_READY_RESPONSE__INIT;
    answer.ready = code == HC_OK;
    grpc_answer(call, &answer.base);
    return HC_OK;
}

/* ---- gRPC's own protocol for it ---- */

static int32_t status_of(const struct grpc_call *call) {
    return is_ready(call) ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
                          : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
}

enum hc_code grpc_health_check(struct grpc_call *call, struct hc_text message,
                               struct hc_error *error) {
    HC_TRY(grpc_check(&grpc__health__v1__health_check_request__descriptor, message, error));
    Grpc__Health__V1__HealthCheckResponse answer = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    answer.status = status_of(call);
    grpc_answer(call, &answer.base);
    return HC_OK;
}

/* Somebody who wants to know whenever the status changes. */
struct watcher {
    struct grpc_job job;
    struct hc_catalog_watch watch;
    int32_t status; /* that was sent last */
};

static void send_status(struct watcher *watcher) {
    Grpc__Health__V1__HealthCheckResponse answer = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    watcher->status = status_of(watcher->job.call);
    answer.status = watcher->status;
    grpc_send_message(watcher->job.call, &answer.base);
}

static void on_catalog(struct hc_catalog_watch *watch) {
    struct watcher *watcher = hc_list_item(watch, struct watcher, watch);
    if (status_of(watcher->job.call) != watcher->status) {
        send_status(watcher);
    }
}

static void stop_watching(struct grpc_job *job) {
    struct watcher *watcher = hc_list_item(job, struct watcher, job);
    hc_context_unwatch(&watcher->watch);
    free(watcher);
}

enum hc_code grpc_health_watch(struct grpc_call *call, struct hc_text message,
                               struct hc_error *error) {
    HC_TRY(grpc_check(&grpc__health__v1__health_check_request__descriptor, message, error));
    struct watcher *watcher = hc_new(struct watcher);
    watcher->job.on_abandoned = stop_watching;
    watcher->watch.on_change = on_catalog;
    grpc_await(call, &watcher->job);
    hc_context_watch(call->context, &watcher->watch);
    send_status(watcher);
    return HC_OK;
}
