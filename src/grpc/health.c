/* Health: whether the server lives, and whether it and its models are ready. */
#include "grpc_service.pb-c.h"
#include "health.pb-c.h"
#include "unary.h"

static bool is_ready(const struct grpc_call *call) {
    const struct hc_server *server = call->api->server;
    return !server->options.strict_readiness || call->context->catalog->ready;
}

enum hc_code grpc_server_live(struct grpc_call *call, struct hc_text message,
                              struct hc_error *error) {
    (void)message;
    (void)error;
    Inference__ServerLiveResponse answer = INFERENCE__SERVER_LIVE_RESPONSE__INIT;
    answer.live = true;
    grpc_answer(call, &answer.base);
    return HC_OK;
}

enum hc_code grpc_server_ready(struct grpc_call *call, struct hc_text message,
                               struct hc_error *error) {
    (void)message;
    (void)error;
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
        return HC_INTERNAL;
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

enum hc_code grpc_health_check(struct grpc_call *call, struct hc_text message,
                               struct hc_error *error) {
    (void)message;
    (void)error;
    Grpc__Health__V1__HealthCheckResponse answer = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    answer.status = is_ready(call)
                        ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
                        : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
    grpc_answer(call, &answer.base);
    return HC_OK;
}
