/* Regions in a GPU's memory, which another process has made and shares by a handle. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "region.h"

static enum hc_code refuse(struct hc_text name, const struct hc_error *reason,
                           struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "failed to register CUDA shared memory region '%.*s': %s",
                        HC_TEXT_ARGS(name), reason->message);
}

/* SIZE bytes from ADDRESS on must be there, in the allocation that the handle is of. */
static enum hc_code check_size(hc_cuda_address address, uint64_t size, struct hc_error *error) {
    hc_cuda_address base;
    size_t whole;
    HC_TRY(hc_cuda_check(hc_cuda()->range(&base, &whole, address), "looking at the memory", error));
    if (size == 0 || size > base + whole - address) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "invalid args");
    }
    return HC_OK;
}

static enum hc_code open_handle(struct hc_text handle, int64_t device, uint64_t size,
                                struct hc_shm_share *share, hc_cuda_address *address,
                                struct hc_error *error) {
    if (handle.size != sizeof share->handle.bytes) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "the handle is no cudaIpcMemHandle_t");
    }
    memcpy(share->handle.bytes, handle.data, sizeof share->handle.bytes);
    if (device < 0 || device > INT_MAX) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "there is no GPU %lld", (long long)device);
    }
    HC_TRY(hc_cuda_use((int)device, error));
    HC_TRY(hc_cuda_uuid((int)device, &share->gpu, error));
    hc_cuda_address opened;
    HC_TRY(hc_cuda_check(hc_cuda()->ipc_open(&opened, share->handle, HC_CUDA_IPC_LAZY_PEER_ACCESS),
                         "opening the handle", error));
    enum hc_code code = check_size(opened, size, error);
    if (code != HC_OK) {
        hc_cuda()->ipc_close(opened);
        return code;
    }
    *address = opened;
    return HC_OK;
}

static enum hc_code open_witness(int *witness, int *life, struct hc_error *error) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "pipe: %s", strerror(errno));
    }
    *witness = ends[0];
    *life = ends[1];
    return HC_OK;
}

enum hc_code hc_shm_region_open_cuda(struct hc_text name, struct hc_text handle, int64_t device,
                                     uint64_t size, struct hc_shm_region **region_out,
                                     struct hc_error *error) {
    static atomic_uint_least64_t last_id;
    struct hc_error reason;
    struct hc_shm_share share;
    hc_cuda_address address = 0;
    hc_auto(fd) witness = -1;
    hc_auto(fd) life = -1;
    if (open_witness(&witness, &life, &reason) != HC_OK ||
        open_handle(handle, device, size, &share, &address, &reason) != HC_OK) {
        return refuse(name, &reason, error);
    }
    share.id = ++last_id;
    share.witness = hc_fd_take(&witness);
    struct hc_shm_region *region = hc_new(struct hc_shm_region);
    region->references = 1;
    region->kind = HC_SHM_CUDA;
    region->name = hc_strndup(name.data, name.size);
    region->size = size;
    region->fd = -1;
    region->device = (int)device;
    region->address = address;
    region->share = share;
    region->life = hc_fd_take(&life);
    *region_out = region;
    return HC_OK;
}

void hc_shm_cuda_close(struct hc_shm_region *region) {
    if (hc_cuda_use(region->device, NULL) == HC_OK) {
        hc_cuda()->ipc_close(region->address);
    }
    hc_fd_close(region->share.witness);
    hc_fd_close(region->life);
}

enum hc_code hc_shm_cuda_read(const struct hc_shm_region *region, uint64_t offset, void *place,
                              size_t size, struct hc_error *error) {
    HC_TRY(hc_cuda_use(region->device, error));
    return hc_cuda_check(hc_cuda()->copy_out(place, region->address + offset, size),
                         "reading shared memory", error);
}

enum hc_code hc_shm_cuda_write(const struct hc_shm_region *region, uint64_t offset,
                               const void *data, size_t size, struct hc_error *error) {
    HC_TRY(hc_cuda_use(region->device, error));
    return hc_cuda_copy_in(region->address + offset, data, size, "writing shared memory", error);
}
