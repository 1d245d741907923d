/* Clients' shared memory: registering and forgetting regions, and what is registered. */
#include "grpc_service.pb-c.h"
#include "shm/shm.h"
#include "unary.h"

typedef Inference__SystemSharedMemoryStatusResponse__RegionsEntry system_entry;
typedef Inference__SystemSharedMemoryStatusResponse__RegionStatus system_region;
typedef Inference__CudaSharedMemoryStatusResponse__RegionsEntry cuda_entry;
typedef Inference__CudaSharedMemoryStatusResponse__RegionStatus cuda_region;

static struct hc_shm *registry_of(const struct grpc_call *call) {
    return call->api->server->shm;
}

/* ---- System ---- */

static system_entry *describe_region(const struct hc_shm_info *info, struct hc_pool *pool) {
    system_entry *entry = hc_pool_alloc(pool, sizeof *entry);
    system_region *region = hc_pool_alloc(pool, sizeof *region);
    *entry = (system_entry)INFERENCE__SYSTEM_SHARED_MEMORY_STATUS_RESPONSE__REGIONS_ENTRY__INIT;
    *region = (system_region)INFERENCE__SYSTEM_SHARED_MEMORY_STATUS_RESPONSE__REGION_STATUS__INIT;
    entry->key = info->name;
    entry->value = region;
    region->name = info->name;
    region->key = info->key;
    region->offset = info->offset;
    region->byte_size = info->size;
    return entry;
}

enum hc_code grpc_list_system_memory(struct grpc_call *call, struct hc_text message,
                                     struct hc_error *error) {
    GRPC_AUTO Inference__SystemSharedMemoryStatusRequest *request =
        grpc_unpack(&inference__system_shared_memory_status_request__descriptor, message, error);
    if (request == NULL) {
        return error->code;
    }
    hc_auto_shm_list list = {0};
    HC_TRY(hc_shm_list(registry_of(call), HC_SHM_SYSTEM, hc_text_of(request->name), &list, error));
    struct hc_pool *pool = grpc_call_pool(call);
    Inference__SystemSharedMemoryStatusResponse answer =
        INFERENCE__SYSTEM_SHARED_MEMORY_STATUS_RESPONSE__INIT;
    answer.n_regions = list.n;
    answer.regions = hc_pool_alloc(pool, list.n * sizeof(system_entry *));
    for (size_t i = 0; i < list.n; i++) {
        answer.regions[i] = describe_region(&list.items[i], pool);
    }
    grpc_answer(call, &answer.base);
    return HC_OK;
}

enum hc_code grpc_register_system_memory(struct grpc_call *call, struct hc_text message,
                                         struct hc_error *error) {
    GRPC_AUTO Inference__SystemSharedMemoryRegisterRequest *request =
        grpc_unpack(&inference__system_shared_memory_register_request__descriptor, message, error);
    if (request == NULL) {
        return error->code;
    }
    HC_TRY(hc_shm_register(registry_of(call), hc_text_of(request->name), hc_text_of(request->key),
                           request->offset, request->byte_size, error));
    const Inference__SystemSharedMemoryRegisterResponse answer =
        INFERENCE__SYSTEM_SHARED_MEMORY_REGISTER_RESPONSE__INIT;
    grpc_answer(call, &answer.base);
    return HC_OK;
}

enum hc_code grpc_unregister_system_memory(struct grpc_call *call, struct hc_text message,
                                           struct hc_error *error) {
    GRPC_AUTO Inference__SystemSharedMemoryUnregisterRequest *request = grpc_unpack(
        &inference__system_shared_memory_unregister_request__descriptor, message, error);
    if (request == NULL) {
        return error->code;
    }
    hc_shm_unregister(registry_of(call), HC_SHM_SYSTEM, hc_text_of(request->name));
    const Inference__SystemSharedMemoryUnregisterResponse answer =
        INFERENCE__SYSTEM_SHARED_MEMORY_UNREGISTER_RESPONSE__INIT;
    grpc_answer(call, &answer.base);
    return HC_OK;
}

/* ---- CUDA ---- */

static cuda_entry *describe_cuda_region(const struct hc_shm_info *info, struct hc_pool *pool) {
    cuda_entry *entry = hc_pool_alloc(pool, sizeof *entry);
    cuda_region *region = hc_pool_alloc(pool, sizeof *region);
    *entry = (cuda_entry)INFERENCE__CUDA_SHARED_MEMORY_STATUS_RESPONSE__REGIONS_ENTRY__INIT;
    *region = (cuda_region)INFERENCE__CUDA_SHARED_MEMORY_STATUS_RESPONSE__REGION_STATUS__INIT;
    entry->key = info->name;
    entry->value = region;
    region->name = info->name;
    region->device_id = (uint64_t)info->device;
    region->byte_size = info->size;
    return entry;
}

enum hc_code grpc_list_cuda_memory(struct grpc_call *call, struct hc_text message,
                                   struct hc_error *error) {
    GRPC_AUTO Inference__CudaSharedMemoryStatusRequest *request =
        grpc_unpack(&inference__cuda_shared_memory_status_request__descriptor, message, error);
    if (request == NULL) {
        return error->code;
    }
    hc_auto_shm_list list = {0};
    HC_TRY(hc_shm_list(registry_of(call), HC_SHM_CUDA, hc_text_of(request->name), &list, error));
    struct hc_pool *pool = grpc_call_pool(call);
    Inference__CudaSharedMemoryStatusResponse answer =
        INFERENCE__CUDA_SHARED_MEMORY_STATUS_RESPONSE__INIT;
    answer.n_regions = list.n;
    answer.regions = hc_pool_alloc(pool, list.n * sizeof(cuda_entry *));
    for (size_t i = 0; i < list.n; i++) {
        answer.regions[i] = describe_cuda_region(&list.items[i], pool);
    }
    grpc_answer(call, &answer.base);
    return HC_OK;
}

enum hc_code grpc_register_cuda_memory(struct grpc_call *call, struct hc_text message,
                                       struct hc_error *error) {
    GRPC_AUTO Inference__CudaSharedMemoryRegisterRequest *request =
        grpc_unpack(&inference__cuda_shared_memory_register_request__descriptor, message, error);
    if (request == NULL) {
        return error->code;
    }
    struct hc_text handle = {(const char *)request->raw_handle.data, request->raw_handle.len};
    HC_TRY(hc_shm_register_cuda(registry_of(call), hc_text_of(request->name), handle,
                                request->device_id, request->byte_size, error));
    const Inference__CudaSharedMemoryRegisterResponse answer =
        INFERENCE__CUDA_SHARED_MEMORY_REGISTER_RESPONSE__INIT;
    grpc_answer(call, &answer.base);
    return HC_OK;
}

enum hc_code grpc_unregister_cuda_memory(struct grpc_call *call, struct hc_text message,
                                         struct hc_error *error) {
    GRPC_AUTO Inference__CudaSharedMemoryUnregisterRequest *request =
        grpc_unpack(&inference__cuda_shared_memory_unregister_request__descriptor, message, error);
    if (request == NULL) {
        return error->code;
    }
    hc_shm_unregister(registry_of(call), HC_SHM_CUDA, hc_text_of(request->name));
    const Inference__CudaSharedMemoryUnregisterResponse answer =
        INFERENCE__CUDA_SHARED_MEMORY_UNREGISTER_RESPONSE__INIT;
    grpc_answer(call, &answer.base);
    return HC_OK;
}
