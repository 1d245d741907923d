/* Mapping a client's shared memory through the descriptor that the server has of it. */
#include "client_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

static const char mapping_name[] = "hippocamp.client_memory";

struct mapping {
    char *base;
    size_t size;
    size_t before; /* bytes of the first page before the input */
    struct hc_place place;
    uint32_t loop; /* and handle: the request */
    uint64_t handle;
};

/* Bits of an entry of /proc/self/pagemap (Linux, admin-guide/mm/pagemap). A page that was written
 * to is this process's own from then on, and no longer the file's. */
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_SWAPPED (UINT64_C(1) << 62)
#define PAGE_OF_FILE (UINT64_C(1) << 61)

enum { N_ENTRIES = 512 }; /* of the page map, read at a time */

static void on_last_reference(PyObject *capsule) {
    struct mapping *mapping = PyCapsule_GetPointer(capsule, mapping_name);
    munmap(mapping->base, mapping->size);
    free(mapping);
}

static bool reaches(int fd, uint64_t end) {
    struct stat status;
    return fstat(fd, &status) == 0 && end <= (uint64_t)status.st_size;
}

PyObject *hc_py_client_memory(const struct hc_message_request *request,
                              const struct hc_place *place, char **data) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/fd/%u", place->generation, place->block);
    hc_auto(fd) fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return hc_py_raise("cannot open the client's shared memory: %s", strerror(errno));
    }
    uint64_t before = place->offset % (uint64_t)sysconf(_SC_PAGESIZE);
    struct mapping mapping = {
        .size = place->size + before,
        .before = before,
        .place = *place,
        .loop = request->loop,
        .handle = request->handle,
    };
    if (!reaches(fd, place->offset + place->size)) {
        return hc_py_raise("the client's shared memory is smaller than when it was registered");
    }
    mapping.base = mmap(NULL, mapping.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
                        (off_t)(place->offset - before));
    if (mapping.base == MAP_FAILED) {
        return hc_py_raise("cannot map the client's shared memory: %s", strerror(errno));
    }
    struct mapping *kept = hc_new(struct mapping);
    *kept = mapping;
    PyObject *capsule = PyCapsule_New(kept, mapping_name, on_last_reference);
    if (capsule == NULL) {
        munmap(mapping.base, mapping.size);
        free(kept);
        return NULL;
    }
    *data = mapping.base + before;
    return capsule;
}

static bool is_own(uint64_t entry) {
    bool of_file = (entry & PAGE_OF_FILE) != 0;
    return (entry & PAGE_SWAPPED) != 0 || ((entry & PAGE_PRESENT) != 0 && !of_file);
}

/* Whether all of the pages from DATA on are still the file's; when that cannot be told, false. */
static bool is_untouched(const char *data, size_t size) {
    hc_auto(fd) fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t page = (uintptr_t)data / page_size;
    uint64_t end = ((uintptr_t)data + size - 1) / page_size + 1;
    uint64_t entries[N_ENTRIES];
    while (fd >= 0 && page < end) {
        size_t n = end - page < N_ENTRIES ? end - page : N_ENTRIES;
        ssize_t n_read =
            pread(fd, entries, n * sizeof entries[0], (off_t)(page * sizeof entries[0]));
        if (n_read != (ssize_t)(n * sizeof entries[0])) {
            return false;
        }
        for (size_t i = 0; i < n; i++) {
            if (is_own(entries[i])) {
                return false;
            }
        }
        page += n;
    }
    return fd >= 0;
}

bool hc_py_client_memory_place(PyObject *owner, const struct hc_message_request *request,
                               const char *data, size_t size, struct hc_place *place) {
    if (request == NULL || !PyCapsule_IsValid(owner, mapping_name)) {
        return false;
    }
    const struct mapping *mapping = PyCapsule_GetPointer(owner, mapping_name);
    const char *begin = mapping->base + mapping->before;
    if (mapping->loop != request->loop || mapping->handle != request->handle || data < begin ||
        size > mapping->place.size || data > begin + mapping->place.size - size ||
        !is_untouched(data, size)) {
        return false;
    }
    *place = mapping->place;
    place->offset += (uint64_t)(data - begin);
    place->size = size;
    return true;
}
