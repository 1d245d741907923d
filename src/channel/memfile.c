/* Memory files: memfd, sealed and mapped at full size. */
#include "channel/memfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

static const size_t arena_size_max = (size_t)16 << 30;
static const size_t arena_size_min = (size_t)64 << 20;

static size_t page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

static enum hc_code map(int fd, size_t size, struct hc_memfile *file, struct hc_error *error) {
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (base == MAP_FAILED) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED,
                            "cannot map %zu bytes of shared memory: %s", size, strerror(errno));
    }
    *file = (struct hc_memfile){.fd = fd, .base = base, .size = size};
    return HC_OK;
}

enum hc_code hc_memfile_create(const char *name, size_t size, struct hc_memfile *file,
                               struct hc_error *error) {
    if (size == 0 || size > SIZE_MAX / 2) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "impossible shared memory size %zu", size);
    }
    size = hc_align_up(size, page_size());
    hc_auto(fd) fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, (off_t)size) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "cannot create shared memory '%s': %s",
                            name, strerror(errno));
    }
    HC_TRY(map(fd, size, file, error));
    hc_fd_take(&fd);
    return HC_OK;
}

enum hc_code hc_memfile_open(int fd, struct hc_memfile *file, struct hc_error *error) {
    hc_auto(fd) owned = fd;
    struct stat status;
    if (fstat(owned, &status) != 0 || status.st_size <= 0) {
        return hc_error_set(error, HC_INTERNAL, "not a shared memory file");
    }
    int seals = fcntl(owned, F_GET_SEALS);
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
        return hc_error_set(error, HC_INTERNAL, "shared memory is not sealed against shrinking");
    }
    HC_TRY(map(owned, (size_t)status.st_size, file, error));
    hc_fd_take(&owned);
    return HC_OK;
}

enum hc_code hc_memfile_protect(struct hc_memfile *file, struct hc_error *error) {
    if (mprotect(file->base, file->size, PROT_READ) != 0) {
        return hc_error_set(error, HC_INTERNAL, "mprotect: %s", strerror(errno));
    }
    return HC_OK;
}

void hc_memfile_close(struct hc_memfile *file) {
    if (file->base != NULL) {
        munmap(file->base, file->size);
    }
    hc_fd_close(file->fd);
    *file = HC_MEMFILE_NONE;
}

void hc_memfile_release_pages(struct hc_memfile *file, size_t offset, size_t size) {
    size_t page = page_size();
    size_t begin = hc_align_up(offset, page);
    size_t end = (offset + size) & ~(page - 1);
    if (begin < end) {
        fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)begin,
                  (off_t)(end - begin));
    }
}

size_t hc_memfile_arena_size(void) {
    size_t size;
    if (!hc_size_mul((size_t)sysconf(_SC_PHYS_PAGES), 2 * page_size(), &size) ||
        size > arena_size_max) {
        return arena_size_max;
    }
    return size < arena_size_min ? arena_size_min : size;
}
