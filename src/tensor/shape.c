/* Shapes: counting without overflow. */
#include "tensor/shape.h"

#include <inttypes.h>

bool hc_shape_count(const int64_t *dims, size_t n_dims, int64_t *count) {
    int64_t product = 1;
    bool empty = false; /* an extent of 0 makes any product 0, even one that overflows before */
    bool overflow = false;
    for (size_t i = 0; i < n_dims; i++) {
        if (dims[i] < 0) {
            return false;
        }
        empty = empty || dims[i] == 0;
        overflow = overflow || __builtin_mul_overflow(product, dims[i], &product);
    }
    if (overflow && !empty) {
        return false;
    }
    *count = empty ? 0 : product;
    return true;
}

bool hc_shape_byte_size(enum hc_dtype dtype, const int64_t *dims, size_t n_dims, size_t *size) {
    int64_t count;
    int64_t bytes;
    size_t element_size = hc_dtype_size(dtype);
    if (element_size == 0 || !hc_shape_count(dims, n_dims, &count) ||
        __builtin_mul_overflow(count, (int64_t)element_size, &bytes)) {
        return false;
    }
    *size = (size_t)bytes;
    return true;
}

void hc_shape_append(struct hc_buf *buf, const int64_t *dims, size_t n_dims) {
    hc_buf_append_char(buf, '[');
    for (size_t i = 0; i < n_dims; i++) {
        hc_buf_appendf(buf, "%s%" PRId64, i > 0 ? "," : "", dims[i]);
    }
    hc_buf_append_char(buf, ']');
}
