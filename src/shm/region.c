/* Opening, reading and writing a region. */
#include "region.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "fault.h"

/* What the Python backend of Triton calls its own memory, which is no client's business. */
static const char reserved_prefix[] = "triton_python_backend_shm_region_";

static enum hc_code cannot_open(struct hc_text key, struct hc_error *error) {
    return hc_error_set(error, HC_INTERNAL, "Unable to open shared memory region: '%.*s'",
                        HC_TEXT_ARGS(key));
}

/* KEY without its slashes in front, as it is called in /dev/shm. */
static bool is_reserved(struct hc_text key) {
    while (key.size > 0 && key.data[0] == '/') {
        key = (struct hc_text){key.data + 1, key.size - 1};
    }
    return hc_text_starts(key, reserved_prefix);
}

static enum hc_code open_key(struct hc_text key, int *fd, struct hc_error *error) {
    if (memchr(key.data, '\0', key.size) != NULL || is_reserved(key)) {
        return cannot_open(key, error);
    }
    hc_auto(text) path = hc_strndup(key.data, key.size);
    *fd = shm_open(path, O_RDWR | O_CLOEXEC, 0);
    return *fd >= 0 ? HC_OK : cannot_open(key, error);
}

static enum hc_code check_size(int fd, struct hc_text name, uint64_t offset, uint64_t size,
                               struct hc_error *error) {
    struct stat status;
    uint64_t end;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || size == 0 ||
        __builtin_add_overflow(offset, size, &end) || end > (uint64_t)status.st_size) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "failed to register shared memory region '%.*s': invalid args",
                            HC_TEXT_ARGS(name));
    }
    return HC_OK;
}

/* Map the region. Its pages are made out when they are touched. */
static enum hc_code map(struct hc_shm_region *region, struct hc_error *error) {
    uint64_t before = region->offset % (uint64_t)sysconf(_SC_PAGESIZE);
    region->mapped_size = region->size + before;
    region->base = mmap(NULL, region->mapped_size, PROT_READ | PROT_WRITE, MAP_SHARED, region->fd,
                        (off_t)(region->offset - before));
    if (region->base == MAP_FAILED) {
        region->base = NULL;
        return cannot_open(hc_text_of(region->key), error);
    }
    region->memory = region->base + before;
    return HC_OK;
}

enum hc_code hc_shm_region_open(struct hc_text name, struct hc_text key, uint64_t offset,
                                uint64_t size, struct hc_shm_region **region_out,
                                struct hc_error *error) {
    hc_auto(fd) fd = -1;
    if (key.size == 0) {
        return cannot_open(key, error);
    }
    HC_TRY(open_key(key, &fd, error));
    HC_TRY(check_size(fd, name, offset, size, error));
    hc_auto(shm_region) region = hc_new(struct hc_shm_region);
    region->references = 1;
    region->kind = HC_SHM_SYSTEM;
    region->name = hc_strndup(name.data, name.size);
    region->key = hc_strndup(key.data, key.size);
    region->offset = offset;
    region->size = size;
    region->fd = hc_fd_take(&fd);
    HC_TRY(map(region, error));
    *region_out = hc_take(region);
    return HC_OK;
}

void hc_shm_region_ref(struct hc_shm_region *region) {
    atomic_fetch_add_explicit(&region->references, 1, memory_order_relaxed);
}

void hc_shm_release(struct hc_shm_region *region) {
    if (region == NULL || atomic_fetch_sub(&region->references, 1) != 1) {
        return;
    }
    if (region->kind == HC_SHM_CUDA) {
        hc_shm_cuda_close(region);
    }
    if (region->base != NULL) {
        munmap(region->base, region->mapped_size);
    }
    hc_fd_close(region->fd);
    free(region->name);
    free(region->key);
    free(region);
}

static enum hc_code shrunk(const struct hc_shm_region *region, struct hc_error *error) {
    return hc_error_set(error, HC_INTERNAL,
                        "the shared memory of region '%s' is smaller than when it was registered",
                        region->name);
}

/* Whether SIZE bytes OFFSET bytes into the region are still there. */
static bool reaches(const struct hc_shm_region *region, uint64_t offset, size_t size) {
    struct stat status;
    return fstat(region->fd, &status) == 0 &&
           region->offset + offset + size <= (uint64_t)status.st_size;
}

/* The client may cut its memory short before the copy, which is found out, or during it. */
static enum hc_code copy(const struct hc_shm_region *region, uint64_t offset, void *to,
                         const void *from, size_t size, struct hc_error *error) {
    return reaches(region, offset, size) && hc_fault_copy(to, from, size) ? HC_OK
                                                                          : shrunk(region, error);
}

enum hc_code hc_shm_read(struct hc_shm_region *region, uint64_t offset, void *place, size_t size,
                         struct hc_error *error) {
    if (region->kind == HC_SHM_CUDA) {
        return hc_shm_cuda_read(region, offset, place, size, error);
    }
    return copy(region, offset, place, region->memory + offset, size, error);
}

enum hc_code hc_shm_write(struct hc_shm_region *region, uint64_t offset, const void *data,
                          size_t size, struct hc_error *error) {
    if (region->kind == HC_SHM_CUDA) {
        return hc_shm_cuda_write(region, offset, data, size, error);
    }
    return copy(region, offset, region->memory + offset, data, size, error);
}

enum hc_code hc_shm_copy(struct hc_shm_region *from, uint64_t from_offset, struct hc_shm_region *to,
                         uint64_t to_offset, size_t size, struct hc_error *error) {
    assert(from->kind == HC_SHM_SYSTEM && to->kind == HC_SHM_SYSTEM);
    return reaches(from, from_offset, size)
               ? hc_shm_write(to, to_offset, from->memory + from_offset, size, error)
               : shrunk(from, error);
}

bool hc_shm_is_system(const struct hc_shm_region *region) {
    return region->kind == HC_SHM_SYSTEM;
}

const struct hc_shm_share *hc_shm_find_share(const struct hc_shm_region *region) {
    return region->kind == HC_SHM_CUDA ? &region->share : NULL;
}

bool hc_shm_find_device(const struct hc_shm_region *region, uint64_t offset, int *device,
                        uint64_t *address) {
    if (region->kind != HC_SHM_CUDA) {
        return false;
    }
    *device = region->device;
    *address = region->address + offset;
    return true;
}

bool hc_shm_find_file(const struct hc_shm_region *region, uint64_t offset, uint64_t size, int *fd,
                      uint64_t *place) {
    *fd = region->fd;
    *place = region->offset + offset;
    return region->kind == HC_SHM_SYSTEM && reaches(region, offset, size);
}
