/*
 * Kernels: the arithmetic of layers, in one form for each kind of processor.
 *
 * All forms come from the same source, kernels_level.c, compiled with other flags and another width
 * of vectors. Numbers are floats, or doubles where the layer's weights are; rows lie one after the
 * other. Nothing here allocates or keeps anything, and any thread may call.
 *
 * Sums are accumulated in as many parts as a vector has lanes, in float for weights of 32 bits and
 * fewer, so that a sum of n products errs by less than (n/lanes + log2(lanes)) roundings.
 */
#ifndef HC_BACKEND_LINEAR_KERNELS_H
#define HC_BACKEND_LINEAR_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

#include "stack.h"

struct kernels {
    const char *name;

    /* y = x Wᵀ + b, and ReLU if it follows, for N_ROWS rows; x and y do not overlap. */
    void (*linear)(const struct layer *layer, const void *x, size_t n_rows, void *y);

    /* Any other layer, in place. */
    void (*apply)(const struct layer *layer, bool is_double, void *y, size_t n_rows);

    /* N numbers of 16 bits to and from float. */
    void (*widen)(enum hc_dtype dtype, const void *from, size_t n, float *to);
    void (*narrow)(enum hc_dtype dtype, const float *from, size_t n, void *to);
};

/* The best for this processor. */
const struct kernels *kernels_best(void);

/* The INDEXth form that this processor can run, from the plainest; NULL when there is none. */
const struct kernels *kernels_at(size_t index);

#endif
