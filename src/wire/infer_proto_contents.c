/* InferTensorContents: lists of numbers or strings, made the elements of a tensor. */
#include "infer_proto_contents.h"

#include <string.h>

#include "base/alloc.h"
#include "tensor/bytes.h"
#include "wire/proto.h"

enum {
    LIST_BOOL = 1,
    LIST_INT,
    LIST_INT64,
    LIST_UINT,
    LIST_UINT64,
    LIST_FP32,
    LIST_FP64,
    LIST_BYTES,
    N_LISTS
};

/* What is in a list: how it is written, and the datatype it is for unless the input has another
 * that it is for as well. */
struct list {
    enum hc_proto_type type;
    enum hc_dtype dtype;
};

static const struct list lists[N_LISTS] = {
    [LIST_BOOL] = {HC_PROTO_VARINT, HC_DTYPE_BOOL},
    [LIST_INT] = {HC_PROTO_VARINT, HC_DTYPE_INT32},
    [LIST_INT64] = {HC_PROTO_VARINT, HC_DTYPE_INT64},
    [LIST_UINT] = {HC_PROTO_VARINT, HC_DTYPE_UINT32},
    [LIST_UINT64] = {HC_PROTO_VARINT, HC_DTYPE_UINT64},
    [LIST_FP32] = {HC_PROTO_32_BITS, HC_DTYPE_FP32},
    [LIST_FP64] = {HC_PROTO_64_BITS, HC_DTYPE_FP64},
    [LIST_BYTES] = {HC_PROTO_BYTES, HC_DTYPE_BYTES},
};

static bool suits(uint32_t list, enum hc_dtype dtype) {
    bool narrow = (list == LIST_INT && (dtype == HC_DTYPE_INT8 || dtype == HC_DTYPE_INT16)) ||
                  (list == LIST_UINT && (dtype == HC_DTYPE_UINT8 || dtype == HC_DTYPE_UINT16));
    return narrow || lists[list].dtype == dtype;
}

/* A list's field of the type that it is meant to have; others are unknown fields. */
static bool is_list(const struct hc_proto_field *field) {
    return field->id >= LIST_BOOL && field->id < N_LISTS &&
           (field->type == HC_PROTO_BYTES || field->type == lists[field->id].type);
}

/* How much the elements in FIELD take as elements of DTYPE, and how many they are. */
static bool measure(const struct hc_proto_field *field, enum hc_dtype dtype, size_t *n,
                    size_t *size) {
    if (field->id == LIST_BYTES) {
        (*n)++;
        return hc_size_add(*size, HC_BYTES_PREFIX_SIZE + field->bytes.size, size);
    }
    struct hc_proto_numbers numbers;
    uint64_t number;
    hc_proto_numbers_begin(&numbers, field, lists[field->id].type);
    while (hc_proto_numbers_next(&numbers, &number)) {
        (*n)++;
        *size += hc_dtype_size(dtype); /* at most 8 bytes for one that was sent: no overflow */
    }
    return !numbers.failed;
}

static enum hc_code already_supplied(struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT, ", binary data was already supplied.");
}

static enum hc_code other_type(uint32_t list, enum hc_dtype dtype, struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT, " of type '%s', expected datatype '%s'",
                        hc_dtype_name(lists[list].dtype), hc_dtype_name(dtype));
}

/* Only one list may have elements, and it must be for DTYPE; the first that is wrong is told. */
static enum hc_code check_lists(const size_t n_elements[N_LISTS], enum hc_dtype dtype,
                                struct hc_error *error) {
    bool supplied = false;
    for (uint32_t list = LIST_BOOL; list < N_LISTS; list++) {
        if (n_elements[list] == 0) {
            continue;
        }
        if (supplied) {
            return already_supplied(error);
        }
        if (!suits(list, dtype)) {
            return other_type(list, dtype, error);
        }
        supplied = true;
    }
    return HC_OK;
}

enum hc_code hc_infer_proto_measure_contents(struct hc_infer_proto_input *input,
                                             struct hc_text model_name, struct hc_error *error) {
    size_t n_elements[N_LISTS] = {0};
    struct hc_proto_reader reader = {input->contents, false};
    struct hc_proto_field field;
    input->contents_size = 0;
    while (hc_proto_next(&reader, &field)) {
        if (is_list(&field) &&
            !measure(&field, input->dtype, &n_elements[field.id], &input->contents_size)) {
            reader.failed = true;
        }
    }
    if (reader.failed) {
        return hc_error_set(error, HC_INTERNAL, "Unable to parse request");
    }
    if (check_lists(n_elements, input->dtype, error) != HC_OK) {
        hc_error_prefix(error,
                        "unexpected explicit tensor data for input tensor '%.*s' for model '%.*s'",
                        HC_TEXT_ARGS(input->name), HC_TEXT_ARGS(model_name));
        return HC_INVALID_ARGUMENT;
    }
    return HC_OK;
}

static char *copy_string(struct hc_text string, char *place) {
    hc_bytes_put_prefix(place, (uint32_t)string.size);
    place += HC_BYTES_PREFIX_SIZE;
    if (string.size > 0) {
        memcpy(place, string.data, string.size);
    }
    return place + string.size;
}

/* The low bytes of each number are the element: integers are cut to the width of their type. */
static char *copy_numbers(const struct hc_proto_field *field, enum hc_dtype dtype, char *place) {
    struct hc_proto_numbers numbers;
    uint64_t number;
    size_t size = hc_dtype_size(dtype);
    hc_proto_numbers_begin(&numbers, field, lists[field->id].type);
    while (hc_proto_numbers_next(&numbers, &number)) {
        number = dtype == HC_DTYPE_BOOL ? number != 0 : number;
        memcpy(place, &number, size);
        place += size;
    }
    return place;
}

void hc_infer_proto_copy_contents(const struct hc_infer_proto_input *input, char *place) {
    struct hc_proto_reader reader = {input->contents, false};
    struct hc_proto_field field;
    while (hc_proto_next(&reader, &field)) {
        if (!is_list(&field)) {
            continue;
        }
        place = field.id == LIST_BYTES ? copy_string(field.bytes, place)
                                       : copy_numbers(&field, input->dtype, place);
    }
}
