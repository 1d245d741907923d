/* The datatypes of the protocol: one table. */
#include "tensor/dtype.h"

struct dtype_row {
    const char *name;
    const char *config_name;
    size_t size;
};

static const struct dtype_row dtype_rows[HC_N_DTYPES] = {
    [HC_DTYPE_INVALID] = {"<invalid>", "TYPE_INVALID", 0},
    [HC_DTYPE_BOOL] = {"BOOL", "TYPE_BOOL", 1},
    [HC_DTYPE_UINT8] = {"UINT8", "TYPE_UINT8", 1},
    [HC_DTYPE_UINT16] = {"UINT16", "TYPE_UINT16", 2},
    [HC_DTYPE_UINT32] = {"UINT32", "TYPE_UINT32", 4},
    [HC_DTYPE_UINT64] = {"UINT64", "TYPE_UINT64", 8},
    [HC_DTYPE_INT8] = {"INT8", "TYPE_INT8", 1},
    [HC_DTYPE_INT16] = {"INT16", "TYPE_INT16", 2},
    [HC_DTYPE_INT32] = {"INT32", "TYPE_INT32", 4},
    [HC_DTYPE_INT64] = {"INT64", "TYPE_INT64", 8},
    [HC_DTYPE_FP16] = {"FP16", "TYPE_FP16", 2},
    [HC_DTYPE_FP32] = {"FP32", "TYPE_FP32", 4},
    [HC_DTYPE_FP64] = {"FP64", "TYPE_FP64", 8},
    [HC_DTYPE_BYTES] = {"BYTES", "TYPE_STRING", 0},
    [HC_DTYPE_BF16] = {"BF16", "TYPE_BF16", 2},
};

static const struct dtype_row *row_of(enum hc_dtype dtype) {
    return &dtype_rows[(unsigned)dtype < HC_N_DTYPES ? dtype : HC_DTYPE_INVALID];
}

size_t hc_dtype_size(enum hc_dtype dtype) {
    return row_of(dtype)->size;
}

const char *hc_dtype_name(enum hc_dtype dtype) {
    return row_of(dtype)->name;
}

const char *hc_dtype_config_name(enum hc_dtype dtype) {
    return row_of(dtype)->config_name;
}

enum hc_dtype hc_dtype_parse(struct hc_text name) {
    for (enum hc_dtype dtype = HC_DTYPE_BOOL; dtype < HC_N_DTYPES; dtype++) {
        if (hc_text_is(name, dtype_rows[dtype].name)) {
            return dtype;
        }
    }
    return HC_DTYPE_INVALID;
}
