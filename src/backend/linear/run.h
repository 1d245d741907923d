/*
 * Rows through a stack: gathered from requests, computed in pieces that fit the caches, scattered
 * into answers.
 */
#ifndef HC_BACKEND_LINEAR_RUN_H
#define HC_BACKEND_LINEAR_RUN_H

#include <stdint.h>

#include "kernels.h"

/* Memory for what is between layers, kept from run to run by whoever runs. Zeroed is empty. */
struct scratch {
    char *memory;
    size_t size;
};

void scratch_finish(struct scratch *scratch);

/* Rows of one request, and where their results belong; types are those of the config. */
struct run_part {
    const char *x;
    char *y;
    size_t n_rows;
    struct run_part *next;
    uint64_t x_device; /* where they are in a GPU's memory instead; 0: they are not */
    uint64_t y_device;
};

struct run_types {
    enum hc_dtype x;
    enum hc_dtype y;
};

/* The parts together, in as few runs of the kernels as there can be. Parts are left changed. */
void run_stack(const struct stack *stack, const struct kernels *kernels,
               const struct run_types *types, struct run_part *parts, struct scratch *scratch);

#endif
