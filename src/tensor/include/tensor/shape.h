/*
 * Shapes: the extents of a tensor, outermost first, and what they come to in elements and bytes.
 */
#ifndef HC_TENSOR_SHAPE_H
#define HC_TENSOR_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "tensor/dtype.h"

/* Beyond what NumPy can hold (32 before 2.0, 64 since), so a longer one is a client's mistake. */
enum { HC_SHAPE_MAX_DIMS = 64 };

/* The product of the extents, 1 for no extents; false when one is negative or it overflows. */
bool hc_shape_count(const int64_t *dims, size_t n_dims, int64_t *count);

/* Bytes of a tensor of fixed-size elements; false as above, for BYTES, and when it overflows. */
bool hc_shape_byte_size(enum hc_dtype dtype, const int64_t *dims, size_t n_dims, size_t *size);

/* Append "[3,-1]". */
void hc_shape_append(struct hc_buf *buf, const int64_t *dims, size_t n_dims);

#endif
