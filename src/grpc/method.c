/* The methods, by their paths. */
#include "infer.h"
#include "unary.h"

#define INFERENCE "inference.GRPCInferenceService"
#define HEALTH    "grpc.health.v1.Health"

/* What clients of both versions send and get is the same. */
#define REFLECTION       "grpc.reflection.v1.ServerReflection"
#define REFLECTION_ALPHA "grpc.reflection.v1alpha.ServerReflection"

static const struct grpc_method methods[] = {
    {INFERENCE, "ModelInfer", &grpc_model_infer, NULL},
    {INFERENCE, "ModelStreamInfer", &grpc_model_stream_infer, NULL},
    {INFERENCE, "ServerLive", &grpc_unary, grpc_server_live},
    {INFERENCE, "ServerReady", &grpc_unary, grpc_server_ready},
    {INFERENCE, "ModelReady", &grpc_unary, grpc_model_ready},
    {INFERENCE, "ServerMetadata", &grpc_unary, grpc_server_metadata},
    {INFERENCE, "ModelMetadata", &grpc_unary, grpc_model_metadata},
    {INFERENCE, "ModelConfig", &grpc_unary, grpc_model_config},
    {INFERENCE, "ModelStatistics", &grpc_unary, grpc_model_statistics},
    {INFERENCE, "RepositoryIndex", &grpc_unary, grpc_repository_index},
    {INFERENCE, "RepositoryModelLoad", &grpc_unary, grpc_repository_load},
    {INFERENCE, "RepositoryModelUnload", &grpc_unary, grpc_repository_unload},
    {INFERENCE, "LogSettings", &grpc_unary, grpc_log_settings},
    {INFERENCE, "TraceSetting", &grpc_unary, grpc_trace_setting},
    {HEALTH, "Check", &grpc_unary, grpc_health_check},
    {HEALTH, "Watch", &grpc_unary, grpc_health_watch},
    {REFLECTION, "ServerReflectionInfo", &grpc_streamed, grpc_reflection},
    {REFLECTION_ALPHA, "ServerReflectionInfo", &grpc_streamed, grpc_reflection},
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

const char *grpc_method_service(size_t i) {
    size_t n = 0;
    for (size_t j = 0; j < sizeof methods / sizeof methods[0]; j++) {
        if (j > 0 && strcmp(methods[j].service, methods[j - 1].service) == 0) {
            continue;
        }
        if (n++ == i) {
            return methods[j].service;
        }
    }
    return NULL;
}
