/* What kernels read and write: called before each access by code compiled for ThreadSanitizer, of
 * whose interface these are the functions. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "fake.h"
#include "grid.h"

enum { WORD = 4, MAX_SHARED_SIZE = 1 << 20 };

struct range {
    uintptr_t from;
    uintptr_t to;
};

/* Who used a word of shared memory last, and in which step. */
struct use {
    uint64_t written;
    uint64_t read;
    uint16_t writer;
    uint16_t reader;
    bool read_by_many;
};

static struct range own, shared;
static struct range block; /* of the GPU's memory, that was used last */
static uint64_t step, block_step, n_block;
static struct use uses[MAX_SHARED_SIZE / WORD];

static bool holds(const struct range *range, uintptr_t address, size_t size) {
    return address >= range->from && address < range->to && size <= range->to - address;
}

void fake_checks_begin(const struct fake_grid *grid, const void *arena, size_t arena_size) {
    own = (struct range){(uintptr_t)arena, (uintptr_t)arena + arena_size};
    shared = (struct range){(uintptr_t)grid->shared_memory[0], (uintptr_t)grid->shared_memory[1]};
    block = (struct range){0};
}

void fake_checks_step(uint64_t block_number) {
    step++;
    if (block_number != n_block) {
        n_block = block_number;
        block_step = step;
    }
}

static void check_shared_read(struct use *use, uintptr_t address) {
    const uint16_t thread = (uint16_t)fake_thread();
    if (use->written < block_step) {
        fake_fail(LAUNCH_FAILED, "reads shared memory at %zu that nobody wrote",
                  (size_t)(address - shared.from));
    }
    if (use->written == step && use->writer != thread) {
        fake_fail(LAUNCH_FAILED, "reads shared memory at %zu that thread %u writes",
                  (size_t)(address - shared.from), use->writer);
    }
    use->read_by_many = use->read == step && (use->read_by_many || use->reader != thread);
    use->read = step;
    use->reader = thread;
}

static void check_shared_write(struct use *use, uintptr_t address) {
    const uint16_t thread = (uint16_t)fake_thread();
    bool written = use->written == step && use->writer != thread;
    bool read = use->read == step && (use->read_by_many || use->reader != thread);
    if (written || read) {
        fake_fail(LAUNCH_FAILED, "writes shared memory at %zu that another thread %s",
                  (size_t)(address - shared.from), written ? "writes" : "reads");
    }
    use->written = step;
    use->writer = thread;
}

static void check_shared(uintptr_t address, size_t size, bool writes) {
    for (uintptr_t at = address / WORD * WORD; at < address + size; at += WORD) {
        struct use *use = &uses[(at - shared.from) / WORD];
        if (writes) {
            check_shared_write(use, at);
        } else {
            check_shared_read(use, at);
        }
    }
}

static bool is_allocated(uintptr_t address, size_t size) {
    if (!holds(&block, address, size)) {
        uint64_t from;
        size_t block_size;
        if (!fake_find_block(address, &from, &block_size)) {
            return false;
        }
        block = (struct range){from, from + block_size};
    }
    return holds(&block, address, size);
}

static void check(const void *place, size_t size, bool writes) {
    uintptr_t address = (uintptr_t)place;
    if (holds(&own, address, size) || (address - (uintptr_t)&fake_here < sizeof fake_here)) {
        return;
    }
    if (address % size != 0) {
        fake_fail(MISALIGNED_ADDRESS, "%s %zu bytes at %p", writes ? "writes" : "reads", size,
                  place);
    }
    if (holds(&shared, address, size)) {
        check_shared(address, size, writes);
    } else if (!is_allocated(address, size)) {
        fake_fail(ILLEGAL_ADDRESS, "%s %zu bytes at %p, which are nobody's",
                  writes ? "writes" : "reads", size, place);
    }
}

void fake_load(const void *place, size_t size) {
    check(place, size, false);
}

#define ACCESSES(size)                                                                             \
    EXPORT void __tsan_read##size(const void *place) {                                             \
        check(place, size, false);                                                                 \
    }                                                                                              \
    EXPORT void __tsan_write##size(const void *place) {                                            \
        check(place, size, true);                                                                  \
    }

ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)

EXPORT void __tsan_init(void) {
}
