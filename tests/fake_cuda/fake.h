/*
 * A libcuda.so.1 for machines without a GPU, with which all is tested that the server does with
 * GPUs.
 *
 *     memory.c    a GPU's memory, and that of other processes
 *     devices.c   GPUs and their contexts
 *     streams.c   streams and graphs
 *     kernels.c   what is launched
 */
#ifndef FAKE_CUDA_FAKE_H
#define FAKE_CUDA_FAKE_H

#include <stddef.h>
#include <stdint.h>

#include "backend/linear/cuda/parameters.h"

#define EXPORT __attribute__((visibility("default")))

enum { SUCCESS = 0, INVALID_VALUE = 1, NOT_FOUND = 500, LAUNCH_FAILED = 719 };

struct function;
struct stream;

struct launch {
    const struct function *function;
    union {
        struct gpu_linear linear;
        struct gpu_apply apply;
    };
};

/* Have it run in STREAM, in its turn. */
int fake_add_launch(struct stream *stream, const struct launch *launch);

int fake_run_kernel(const struct launch *launch);

#endif
