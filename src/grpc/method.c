/* The methods, by their paths. */
#include "infer.h"
#include "unary.h"

#define INFERENCE "inference.GRPCInferenceService"
#define HEALTH    "grpc.health.v1.Health"

/* What clients of both versions send and get is the same. */
#define REFLECTION       "grpc.reflection.v1.ServerReflection"
#define REFLECTION_ALPHA "grpc.reflection.v1alpha.ServerReflection"

static const struct grpc_method methods[] = {
    {INFERENCE, "ModelInfer", HC_API_INFERENCE, &grpc_model_infer, NULL},
    {INFERENCE, "ModelStreamInfer", HC_API_INFERENCE, &grpc_model_stream_infer, NULL},
    {INFERENCE, "ServerLive", HC_API_HEALTH, &grpc_unary, grpc_server_live},
    {INFERENCE, "ServerReady", HC_API_HEALTH, &grpc_unary, grpc_server_ready},
    {INFERENCE, "ModelReady", HC_API_HEALTH, &grpc_unary, grpc_model_ready},
    {INFERENCE, "ServerMetadata", HC_API_METADATA, &grpc_unary, grpc_server_metadata},
    {INFERENCE, "ModelMetadata", HC_API_METADATA, &grpc_unary, grpc_model_metadata},
    {INFERENCE, "ModelConfig", HC_API_MODEL_CONFIG, &grpc_unary, grpc_model_config},
    {INFERENCE, "ModelStatistics", HC_API_STATISTICS, &grpc_unary, grpc_model_statistics},
    {INFERENCE, "RepositoryIndex", HC_API_MODEL_REPOSITORY, &grpc_unary, grpc_repository_index},
    {INFERENCE, "RepositoryModelLoad", HC_API_MODEL_REPOSITORY, &grpc_unary, grpc_repository_load},
    {INFERENCE, "RepositoryModelUnload", HC_API_MODEL_REPOSITORY, &grpc_unary,
     grpc_repository_unload},
    {INFERENCE, "SystemSharedMemoryStatus", HC_API_SHARED_MEMORY, &grpc_unary,
     grpc_list_system_memory},
    {INFERENCE, "SystemSharedMemoryRegister", HC_API_SHARED_MEMORY, &grpc_unary,
     grpc_register_system_memory},
    {INFERENCE, "SystemSharedMemoryUnregister", HC_API_SHARED_MEMORY, &grpc_unary,
     grpc_unregister_system_memory},
    {INFERENCE, "CudaSharedMemoryStatus", HC_API_SHARED_MEMORY, &grpc_unary, grpc_list_cuda_memory},
    {INFERENCE, "CudaSharedMemoryRegister", HC_API_SHARED_MEMORY, &grpc_unary,
     grpc_register_cuda_memory},
    {INFERENCE, "CudaSharedMemoryUnregister", HC_API_SHARED_MEMORY, &grpc_unary,
     grpc_unregister_cuda_memory},
    {INFERENCE, "LogSettings", HC_API_LOGGING, &grpc_unary, grpc_log_settings},
    {INFERENCE, "TraceSetting", HC_API_TRACE, &grpc_unary, grpc_trace_setting},
    {HEALTH, "Check", HC_API_HEALTH, &grpc_unary, grpc_health_check},
    {HEALTH, "Watch", HC_API_HEALTH, &grpc_unary, grpc_health_watch},
    {REFLECTION, "ServerReflectionInfo", HC_API_METADATA, &grpc_streamed, grpc_reflection},
    {REFLECTION_ALPHA, "ServerReflectionInfo", HC_API_METADATA, &grpc_streamed, grpc_reflection},
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
