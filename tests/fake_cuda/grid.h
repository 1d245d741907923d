/*
 * Grids of threads as a GPU runs them, block after block: each thread of a block on a stack of its
 * own, which it leaves at barriers and where the lanes of a warp meet. What a GPU would punish, or
 * might leave to chance, fails the launch:
 *
 *     barriers that threads of a block wait at in different places
 *     exchanges that not all lanes of a warp come to
 *     reads and writes outside of what is allocated, or not at a multiple of their size
 *     shared memory that two threads use without a barrier between them, one of them writing; or
 *     that is read before it is written in its block
 *
 * Code of kernels is compiled as for ThreadSanitizer, whose calls before each read and write come
 * to checks.c.
 */
#ifndef FAKE_CUDA_GRID_H
#define FAKE_CUDA_GRID_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FAKE_API __attribute__((visibility("default")))

enum { FAKE_WARP = 32, FAKE_SLOT_SIZE = 32 };

/* ---- For threads ---- */

struct fake_extent {
    unsigned x, y, z;
};

struct fake_here {
    struct fake_extent thread, block, block_extent, grid_extent;
};

/* Where the running thread is. */
FAKE_API extern struct fake_here fake_here;

/* Wait until all threads of the block that have not returned are at SITE. */
FAKE_API void fake_barrier(const char *site);

/* Wait until all lanes of the warp are at SITE; returns their slots of FAKE_SLOT_SIZE bytes, which
 * stay until they meet again. */
FAKE_API const void *fake_exchange(const char *site, const void *mine, size_t size);

FAKE_API unsigned fake_lane(void);

/* Before SIZE bytes are read at once. */
FAKE_API void fake_load(const void *place, size_t size);

FAKE_API __attribute__((noreturn)) void fake_trap(const char *site);

#ifdef __cplusplus
}
#else

/* ---- For the driver ---- */

struct fake_grid {
    const char *name;                                        /* of the kernel */
    void (*run)(const void *kernel, const void *parameters); /* as one thread */
    const void *kernel;
    const void *parameters;
    struct fake_extent extent;
    unsigned n_threads;         /* in a block */
    char *const *shared_memory; /* from, to */
};

/* Runs one grid at a time; returns the driver's result. */
int fake_run_grid(const struct fake_grid *grid);

/* ---- checks.c ---- */

/* Before a grid runs; ARENA is what belongs to threads alone. */
void fake_checks_begin(const struct fake_grid *grid, const void *arena, size_t arena_size);

/* From here on other threads' uses of shared memory are over; N_BLOCK changes with the block. */
void fake_checks_step(uint64_t n_block);

/* ---- For checks ---- */

/* The number of the running thread in its block. */
unsigned fake_thread(void);

/* End the launch with RESULT, having told why. */
__attribute__((noreturn, format(printf, 2, 3))) void fake_fail(int result, const char *format, ...);

#endif

#endif
