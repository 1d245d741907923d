/*
 * BLAS for very large layers: OpenBLAS by its C interface, opened when the first batch wants it.
 *
 * It runs in the calling thread alone: instances are what runs side by side. Where the machine has
 * no OpenBLAS the kernels do all the work.
 */
#ifndef HC_BACKEND_LINEAR_BLAS_H
#define HC_BACKEND_LINEAR_BLAS_H

#include "stack.h"

/* Compute as kernels->linear does; false when BLAS is not there, or not better for that. */
bool blas_linear(const struct layer *layer, const void *x, size_t n_rows, void *y);

#endif
