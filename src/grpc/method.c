/* The methods, by their paths. */
#include "infer.h"
#include "unary.h"

#define INFERENCE "inference.GRPCInferenceService"
#define HEALTH    "grpc.health.v1.Health"

static const struct grpc_method methods[] = {
    {INFERENCE, "ModelInfer", &grpc_model_infer, NULL},
    {INFERENCE, "ModelStreamInfer", &grpc_model_stream_infer, NULL},
    {INFERENCE, "ServerLive", &grpc_unary, grpc_server_live},
    {INFERENCE, "ServerReady", &grpc_unary, grpc_server_ready},
    {INFERENCE, "ModelReady", &grpc_unary, grpc_model_ready},
    {INFERENCE, "ServerMetadata", &grpc_unary, grpc_server_metadata},
    {INFERENCE, "ModelMetadata", &grpc_unary, grpc_model_metadata},
    {INFERENCE, "ModelConfig", &grpc_unary, grpc_model_config},
    {HEALTH, "Check", &grpc_unary, grpc_health_check},
};

/* Whether PATH is "/SERVICE/NAME". */
static bool is_path_of(struct hc_text path, const struct grpc_method *method) {
    size_t service_size = strlen(method->service);
    size_t name_size = strlen(method->name);
    return path.size == service_size + name_size + 2 && path.data[0] == '/' &&
           path.data[service_size + 1] == '/' &&
           memcmp(path.data + service_size + 2, method->name, name_size) == 0 &&
           memcmp(path.data + 1, method->service, service_size) == 0;
}

const struct grpc_method *grpc_method_find(struct hc_text path) {
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (is_path_of(path, &methods[i])) {
            return &methods[i];
        }
    }
    return NULL;
}
