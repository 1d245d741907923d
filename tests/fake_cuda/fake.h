/*
 * A libcuda.so.1 for machines without a GPU, with which all is tested that the server does with
 * GPUs.
 *
 *     memory.c    a GPU's memory, and that of other processes
 *     devices.c   GPUs
 *     contexts.c  their contexts
 *     record.c    what was done
 *     streams.c   streams and graphs
 *     kernels.c   the server's kernels, compiled for the processor, and their launches
 *     grid.c      how a GPU runs them
 *     checks.c    what they read and write
 *     fiber.c     their threads
 *     device/     what their source finds in CUDA
 */
#ifndef FAKE_CUDA_FAKE_H
#define FAKE_CUDA_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/linear/cuda/parameters.h"

#define EXPORT __attribute__((visibility("default")))

enum {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    NOT_INITIALIZED = 3,
    INVALID_DEVICE = 101,
    INVALID_CONTEXT = 201,
    NOT_FOUND = 500,
    NOT_READY = 600,
    ILLEGAL_ADDRESS = 700,
    CONTEXT_IS_DESTROYED = 709,
    MISALIGNED_ADDRESS = 716,
    LAUNCH_FAILED = 719,
    CAPTURE_UNSUPPORTED = 900,
};

struct function;
struct stream;

struct launch {
    const struct function *function;
    unsigned grid_x;
    unsigned grid_y;
    union {
        struct gpu_linear linear;
        struct gpu_apply apply;
    };
};

/* Have it run in STREAM, in its turn. */
int fake_add_launch(struct stream *stream, const struct launch *launch);

/* Now; returns the driver's result. */
int fake_run_kernel(const struct launch *launch);

/* The block of the GPU's memory that ADDRESS lies in. */
bool fake_find_block(uint64_t address, uint64_t *from, size_t *size);

/* Ten times the compute capability of GPUs. */
int fake_capability(void);

/* Whether the calling thread records a graph, in which most calls have no place. */
bool fake_is_recording(void);

/* Do what is to do in the stream without a name. */
int fake_finish_unnamed(void);

/* The process uses the driver from now on; a child that it forks does not. */
void fake_begin(void);

/* SUCCESS if the process uses the driver, and the thread has a context that lives. */
int fake_check_context(void);

/* Note what the process has done in the file that FAKE_CUDA_RECORD names, if it names one. */
void fake_record(const char *what);

#endif
