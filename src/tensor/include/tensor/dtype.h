/*
 * The datatypes of the KServe v2 protocol and Triton's extension of it.
 *
 * The numbers are those of inference.DataType in Triton's model configuration, so a value can be
 * stored, sent to a pyhost and compared with what triton_python_backend_utils exposes.
 */
#ifndef HC_TENSOR_DTYPE_H
#define HC_TENSOR_DTYPE_H

#include <stddef.h>

#include "base/text.h"

enum hc_dtype {
    HC_DTYPE_INVALID = 0,
    HC_DTYPE_BOOL = 1,
    HC_DTYPE_UINT8 = 2,
    HC_DTYPE_UINT16 = 3,
    HC_DTYPE_UINT32 = 4,
    HC_DTYPE_UINT64 = 5,
    HC_DTYPE_INT8 = 6,
    HC_DTYPE_INT16 = 7,
    HC_DTYPE_INT32 = 8,
    HC_DTYPE_INT64 = 9,
    HC_DTYPE_FP16 = 10,
    HC_DTYPE_FP32 = 11,
    HC_DTYPE_FP64 = 12,
    HC_DTYPE_BYTES = 13,
    HC_DTYPE_BF16 = 14,
};

#define HC_N_DTYPES 15

/* Bytes of one element; 0 for BYTES, whose elements have a length each, and for what is invalid. */
size_t hc_dtype_size(enum hc_dtype dtype);

/* "FP32"; "<invalid>" for what is none of the above. Never NULL. */
const char *hc_dtype_name(enum hc_dtype dtype);

/* "TYPE_FP32", "TYPE_STRING" for BYTES: the spelling of model configurations. Never NULL. */
const char *hc_dtype_config_name(enum hc_dtype dtype);

/* The datatype with that protocol name, HC_DTYPE_INVALID when there is none. */
enum hc_dtype hc_dtype_parse(struct hc_text name);

#endif
