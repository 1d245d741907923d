/*
 * The elements of a tensor as JSON. Room is reserved for a block of numbers at a time, so that
 * printing one is nothing but printing; each printer gets a loop of its own.
 */
#include <string.h>

#include "base/alloc.h"
#include "json_write.h"
#include "tensor/bytes.h"
#include "tensor/shape.h"
#include "wire/number.h"

enum { BLOCK_SIZE = 128 };

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Print the element at DATA, which need not be aligned, to PLACE; returns its size. */
typedef size_t print_element(const char *data, char *place);

#define DEFINE_PRINT(name, type, print)                                                            \
    ALWAYS_INLINE size_t name(const char *data, char *place) {                                     \
        type value;                                                                                \
        memcpy(&value, data, sizeof value);                                                        \
        return print(value, place);                                                                \
    }

DEFINE_PRINT(print_uint8, uint8_t, hc_number_print_uint64)
DEFINE_PRINT(print_uint16, uint16_t, hc_number_print_uint64)
DEFINE_PRINT(print_uint32, uint32_t, hc_number_print_uint64)
DEFINE_PRINT(print_uint64, uint64_t, hc_number_print_uint64)
DEFINE_PRINT(print_int8, int8_t, hc_number_print_int64)
DEFINE_PRINT(print_int16, int16_t, hc_number_print_int64)
DEFINE_PRINT(print_int32, int32_t, hc_number_print_int64)
DEFINE_PRINT(print_int64, int64_t, hc_number_print_int64)
DEFINE_PRINT(print_fp32, float, hc_number_print_double)
DEFINE_PRINT(print_fp64, double, hc_number_print_double)
DEFINE_PRINT(print_fp32_or_null, float, hc_json_print_double_or_null)
DEFINE_PRINT(print_fp64_or_null, double, hc_json_print_double_or_null)

ALWAYS_INLINE size_t print_bool(const char *data, char *place) {
    static const char words[2][5] = {{'f', 'a', 'l', 's', 'e'}, {'t', 'r', 'u', 'e'}};
    bool value = *data != 0;
    memcpy(place, words[value], sizeof words[value]);
    return value ? 4 : 5;
}

/* N elements, each with a comma after it. */
ALWAYS_INLINE bool write_each(struct hc_buf *buf, const char *data, uint64_t n, size_t element_size,
                              print_element *print) {
    while (n > 0) {
        size_t n_block = n < BLOCK_SIZE ? n : BLOCK_SIZE;
        char *start = hc_buf_reserve_try(buf, n_block * (HC_NUMBER_ROOM + 1));
        char *place = start;
        if (start == NULL) {
            return false;
        }
        for (size_t i = 0; i < n_block; i++) {
            place += print(data, place);
            *place++ = ',';
            data += element_size;
        }
        hc_buf_commit(buf, (size_t)(place - start));
        n -= n_block;
    }
    return true;
}

static bool write_reals(struct hc_buf *buf, const struct hc_infer_json_tensor *tensor, uint64_t n,
                        struct hc_infer_json_policy policy) {
    bool or_null = policy.nan == HC_INFER_JSON_NAN_AS_NULL;
    if (tensor->dtype == HC_DTYPE_FP32) {
        return or_null ? write_each(buf, tensor->data, n, 4, print_fp32_or_null)
                       : write_each(buf, tensor->data, n, 4, print_fp32);
    }
    return or_null ? write_each(buf, tensor->data, n, 8, print_fp64_or_null)
                   : write_each(buf, tensor->data, n, 8, print_fp64);
}

static bool write_numbers(struct hc_buf *buf, const struct hc_infer_json_tensor *tensor, uint64_t n,
                          struct hc_infer_json_policy policy) {
    switch (tensor->dtype) {
    case HC_DTYPE_BOOL:
        return write_each(buf, tensor->data, n, 1, print_bool);
    case HC_DTYPE_UINT8:
        return write_each(buf, tensor->data, n, 1, print_uint8);
    case HC_DTYPE_UINT16:
        return write_each(buf, tensor->data, n, 2, print_uint16);
    case HC_DTYPE_UINT32:
        return write_each(buf, tensor->data, n, 4, print_uint32);
    case HC_DTYPE_UINT64:
        return write_each(buf, tensor->data, n, 8, print_uint64);
    case HC_DTYPE_INT8:
        return write_each(buf, tensor->data, n, 1, print_int8);
    case HC_DTYPE_INT16:
        return write_each(buf, tensor->data, n, 2, print_int16);
    case HC_DTYPE_INT32:
        return write_each(buf, tensor->data, n, 4, print_int32);
    case HC_DTYPE_INT64:
        return write_each(buf, tensor->data, n, 8, print_int64);
    default:
        return write_reals(buf, tensor, n, policy);
    }
}

static enum hc_code wrong_size(const struct hc_infer_json_tensor *tensor, struct hc_error *error) {
    return hc_error_set(error, HC_INTERNAL,
                        "output tensor shape does not match size of output for '%.*s'",
                        HC_TEXT_ARGS(tensor->name));
}

static enum hc_code write_strings(struct hc_buf *buf, const struct hc_infer_json_tensor *tensor,
                                  uint64_t n, struct hc_infer_json_policy policy,
                                  struct hc_error *error) {
    struct hc_bytes_reader reader = {tensor->data, tensor->size, 0};
    struct hc_text element;
    for (uint64_t i = 0; i < n; i++) {
        if (hc_bytes_next(&reader, &element) != HC_BYTES_ELEMENT) {
            return wrong_size(tensor, error);
        }
        bool written = policy.utf8 == HC_INFER_JSON_UTF8_AS_IS
                           ? hc_json_write_text(buf, element)
                           : hc_json_write_text_replaced(buf, element);
        if (!written) {
            return hc_json_write_no_memory(error);
        }
        hc_buf_append_char(buf, ',');
    }
    return reader.offset == reader.size ? HC_OK : wrong_size(tensor, error);
}

static enum hc_code check_dtype(enum hc_dtype dtype, struct hc_error *error) {
    switch (dtype) {
    case HC_DTYPE_FP16:
    case HC_DTYPE_BF16:
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "sending %s data via JSON is not supported. Please use the binary data "
                            "format for output",
                            hc_dtype_name(dtype));
    case HC_DTYPE_INVALID:
        return hc_error_set(error, HC_INVALID_ARGUMENT, "Invalid data type for output tensor");
    default:
        return HC_OK;
    }
}

enum hc_code hc_json_write_elements(struct hc_buf *buf, const struct hc_infer_json_tensor *tensor,
                                    struct hc_infer_json_policy policy, struct hc_error *error) {
    size_t start = buf->size;
    size_t size;
    int64_t n;
    HC_TRY(check_dtype(tensor->dtype, error));
    if (!hc_shape_count(tensor->dims, tensor->n_dims, &n)) {
        return wrong_size(tensor, error);
    }
    if (tensor->dtype == HC_DTYPE_BYTES) {
        HC_TRY(write_strings(buf, tensor, (uint64_t)n, policy, error));
    } else if (!hc_size_mul((size_t)n, hc_dtype_size(tensor->dtype), &size) ||
               size != tensor->size) {
        return wrong_size(tensor, error);
    } else if (!write_numbers(buf, tensor, (uint64_t)n, policy)) {
        return hc_json_write_no_memory(error);
    }
    buf->size -= buf->size > start ? 1 : 0; /* the comma after the last */
    return HC_OK;
}
