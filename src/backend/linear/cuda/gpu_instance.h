/*
 * What the files of an instance on a GPU know of each other.
 */
#ifndef HC_BACKEND_LINEAR_CUDA_GPU_INSTANCE_H
#define HC_BACKEND_LINEAR_CUDA_GPU_INSTANCE_H

#include "gpu.h"

struct gpu_instance {
    const struct gpu_stack *stack;
    const struct hc_cuda *cuda;
    struct gpu_library *library; /* NULL: there is none */
    hc_cuda_stream stream;
    hc_cuda_address workspace; /* the library's; 0 until it is needed */
    uint32_t capacity;         /* rows that there is memory for */
    uint32_t max_capacity;
    char *staged_x; /* pinned memory: rows as they are sent to the GPU, and as they come back */
    char *staged_y;
    hc_cuda_address places[GPU_OUT + 1]; /* by enum gpu_place */
    size_t x_size;                       /* of a row as it is sent */
    size_t y_size;
    struct gpu_plan plan;
    struct gpu_graphs graphs;
};

/* What is computed at once: parts from the first on, the last of them perhaps not wholly. */
struct gpu_batch {
    struct gpu_instance *own;
    struct run_part *first;
    uint32_t n_rows;
    bool x_staged;     /* all rows go through staged_x, in one copy */
    bool y_staged;     /* and results through staged_y */
    bool x_padded;     /* rows lie as staged ones do */
    hc_cuda_address x; /* where they are read */
    hc_cuda_address y;
};

/* ---- gpu_instance.c ---- */

/* Memory for N rows, which are no more than there can be. */
enum hc_code gpu_instance_reserve(struct gpu_instance *own, uint32_t n, struct hc_error *error);

enum hc_code gpu_instance_allocate(const struct gpu_instance *own, size_t size,
                                   hc_cuda_address *address, struct hc_error *error);

/* ---- gpu_steps.c ---- */

/* Have a kernel run in the instance's stream. */
enum hc_code gpu_launch(const struct gpu_instance *own, const struct gpu_step *step,
                        struct hc_error *error);

/* The same with all of a batch, but for copies that do not go through staged memory as a whole. */
enum hc_code gpu_start(const struct gpu_batch *batch, struct hc_error *error);

/* Until all of that is done. */
enum hc_code gpu_wait(const struct gpu_instance *own, struct hc_error *error);

#endif
