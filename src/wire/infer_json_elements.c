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
typedef size_t print_element(const char *data, struct hc_infer_json_policy policy, char *place);

ALWAYS_INLINE size_t print_fp32(const char *data, struct hc_infer_json_policy policy, char *place) {
    float value;
    memcpy(&value, data, sizeof value);
    return hc_json_print_double(value, policy, place);
}

ALWAYS_INLINE size_t print_fp64(const char *data, struct hc_infer_json_policy policy, char *place) {
    double value;
    memcpy(&value, data, sizeof value);
    return hc_json_print_double(value, policy, place);
}

ALWAYS_INLINE size_t print_bool(const char *data, struct hc_infer_json_policy policy, char *place) {
    static const char words[2][5] = {{'f', 'a', 'l', 's', 'e'}, {'t', 'r', 'u', 'e'}};
    (void)policy;
    bool value = *data != 0;
    memcpy(place, words[value], sizeof words[value]);
    return value ? 4 : 5;
}

#define DEFINE_PRINT_INTEGER(name, type, print)                                                    \
    ALWAYS_INLINE size_t name(const char *data, struct hc_infer_json_policy policy, char *place) { \
        (void)policy;                                                                              \
        type value;                                                                                \
        memcpy(&value, data, sizeof value);                                                        \
        return print(value, place);                                                                \
    }

DEFINE_PRINT_INTEGER(print_uint8, uint8_t, hc_number_print_uint64)
DEFINE_PRINT_INTEGER(print_uint16, uint16_t, hc_number_print_uint64)
DEFINE_PRINT_INTEGER(print_uint32, uint32_t, hc_number_print_uint64)
DEFINE_PRINT_INTEGER(print_uint64, uint64_t, hc_number_print_uint64)
DEFINE_PRINT_INTEGER(print_int8, int8_t, hc_number_print_int64)
DEFINE_PRINT_INTEGER(print_int16, int16_t, hc_number_print_int64)
DEFINE_PRINT_INTEGER(print_int32, int32_t, hc_number_print_int64)
DEFINE_PRINT_INTEGER(print_int64, int64_t, hc_number_print_int64)

/* What is left to print, and how. */
struct elements {
    const char *data;
    uint64_t n;
    struct hc_infer_json_policy policy;
};

/* Each element with a comma after it. */
ALWAYS_INLINE bool write_each(struct hc_buf *buf, struct elements elements, size_t element_size,
                              print_element *print) {
    while (elements.n > 0) {
        size_t n = elements.n < BLOCK_SIZE ? elements.n : BLOCK_SIZE;
        char *start = hc_buf_reserve_try(buf, n * (HC_NUMBER_ROOM + 1));
        char *place = start;
        if (start == NULL) {
            return false;
        }
        for (size_t i = 0; i < n; i++) {
            place += print(elements.data, elements.policy, place);
            *place++ = ',';
            elements.data += element_size;
        }
        hc_buf_commit(buf, (size_t)(place - start));
        elements.n -= n;
    }
    return true;
}

static bool write_numbers(struct hc_buf *buf, enum hc_dtype dtype, struct elements elements) {
    switch (dtype) {
    case HC_DTYPE_BOOL:
        return write_each(buf, elements, 1, print_bool);
    case HC_DTYPE_UINT8:
        return write_each(buf, elements, 1, print_uint8);
    case HC_DTYPE_UINT16:
        return write_each(buf, elements, 2, print_uint16);
    case HC_DTYPE_UINT32:
        return write_each(buf, elements, 4, print_uint32);
    case HC_DTYPE_UINT64:
        return write_each(buf, elements, 8, print_uint64);
    case HC_DTYPE_INT8:
        return write_each(buf, elements, 1, print_int8);
    case HC_DTYPE_INT16:
        return write_each(buf, elements, 2, print_int16);
    case HC_DTYPE_INT32:
        return write_each(buf, elements, 4, print_int32);
    case HC_DTYPE_INT64:
        return write_each(buf, elements, 8, print_int64);
    case HC_DTYPE_FP32:
        return write_each(buf, elements, 4, print_fp32);
    default:
        return write_each(buf, elements, 8, print_fp64);
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
    } else {
        struct elements elements = {tensor->data, (uint64_t)n, policy};
        if (!write_numbers(buf, tensor->dtype, elements)) {
            return hc_json_write_no_memory(error);
        }
    }
    buf->size -= buf->size > start ? 1 : 0; /* the comma after the last */
    return HC_OK;
}
