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
    void *base;
    size_t size;
};

static void on_last_reference(PyObject *capsule) {
    struct mapping *mapping = PyCapsule_GetPointer(capsule, mapping_name);
    munmap(mapping->base, mapping->size);
    free(mapping);
}

static bool reaches(int fd, uint64_t end) {
    struct stat status;
    return fstat(fd, &status) == 0 && end <= (uint64_t)status.st_size;
}

PyObject *hc_py_client_memory(const struct hc_place *place, char **data) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/fd/%u", place->generation, place->block);
    hc_auto(fd) fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return hc_py_raise("cannot open the client's shared memory: %s", strerror(errno));
    }
    uint64_t before = place->offset % (uint64_t)sysconf(_SC_PAGESIZE);
    struct mapping mapping = {.size = place->size + before};
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
    *data = (char *)mapping.base + before;
    return capsule;
}
