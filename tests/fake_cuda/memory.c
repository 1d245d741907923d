/* Memory of a GPU, which is memory of the process; memory of others is shared by handles that hold
 * the name of POSIX shared memory. */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake.h"

enum { ALIGNMENT = 256 };

struct block {
    struct block *next;
    char *memory;
    size_t size;
    bool mapped;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct block *blocks;

static struct block *add_block(char *memory, size_t size, bool mapped) {
    struct block *block = calloc(1, sizeof *block);
    *block = (struct block){.memory = memory, .size = size, .mapped = mapped};
    pthread_mutex_lock(&lock);
    block->next = blocks;
    blocks = block;
    pthread_mutex_unlock(&lock);
    return block;
}

static struct block **find_block(uint64_t address) {
    struct block **place = &blocks;
    while (*place != NULL && (address < (uintptr_t)(*place)->memory ||
                              address >= (uintptr_t)(*place)->memory + (*place)->size)) {
        place = &(*place)->next;
    }
    return place;
}

static int remove_block(uint64_t address) {
    pthread_mutex_lock(&lock);
    struct block **place = find_block(address);
    struct block *block = *place;
    if (block == NULL || (uintptr_t)block->memory != address) {
        pthread_mutex_unlock(&lock);
        return INVALID_VALUE;
    }
    *place = block->next;
    pthread_mutex_unlock(&lock);
    if (block->mapped) {
        munmap(block->memory, block->size);
    } else {
        free(block->memory);
    }
    free(block);
    return SUCCESS;
}

EXPORT int cuMemAlloc_v2(uint64_t *address, size_t size) {
    void *memory = NULL;
    int result = fake_check_context();
    if (result != SUCCESS) {
        return result;
    }
    if (size == 0 || fake_is_recording() || posix_memalign(&memory, ALIGNMENT, size) != 0) {
        return INVALID_VALUE;
    }
    memset(memory, 0xff, size); /* no number: what is read before it is written shows */
    *address = (uintptr_t)add_block(memory, size, false)->memory;
    return SUCCESS;
}

EXPORT int cuMemFree_v2(uint64_t address) {
    int result = fake_check_context();
    if (result != SUCCESS) {
        return result;
    }
    fake_finish_unnamed();
    return remove_block(address);
}

bool fake_find_block(uint64_t address, uint64_t *from, size_t *size) {
    pthread_mutex_lock(&lock);
    const struct block *block = *find_block(address);
    if (block != NULL) {
        *from = (uintptr_t)block->memory;
        *size = block->size;
    }
    pthread_mutex_unlock(&lock);
    return block != NULL;
}

EXPORT int cuMemGetAddressRange_v2(uint64_t *base, size_t *size, uint64_t address) {
    return fake_find_block(address, base, size) ? SUCCESS : NOT_FOUND;
}

EXPORT int cuMemHostAlloc(void **memory, size_t size, unsigned flags) {
    (void)flags;
    *memory = fake_is_recording() ? NULL : malloc(size);
    return *memory != NULL ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuMemFreeHost(void *memory) {
    free(memory);
    return SUCCESS;
}

/* ---- Memory of other processes ---- */

enum { LAZY_PEER_ACCESS = 1 };

struct ipc_handle {
    char name[56];
    int64_t maker; /* process id; 0: does not matter */
};

EXPORT int cuIpcOpenMemHandle_v2(uint64_t *address, struct ipc_handle handle, unsigned flags) {
    int result = fake_check_context();
    if (result != SUCCESS || handle.maker == getpid() || flags != LAZY_PEER_ACCESS) {
        return result != SUCCESS ? result : INVALID_CONTEXT;
    }
    handle.name[sizeof handle.name - 1] = '\0';
    int fd = shm_open(handle.name, O_RDWR, 0);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        return INVALID_VALUE;
    }
    size_t size = (size_t)status.st_size;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED) {
        return INVALID_VALUE;
    }
    *address = (uintptr_t)add_block(memory, size, true)->memory;
    fake_record("open");
    return SUCCESS;
}

EXPORT int cuIpcCloseMemHandle(uint64_t address) {
    int result = fake_check_context();
    result = result == SUCCESS ? remove_block(address) : result;
    if (result == SUCCESS) {
        fake_record("close");
    }
    return result;
}
