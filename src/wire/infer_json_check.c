/*
 * Reading inference requests: whether `data` of an input fits datatype and shape. The summary that
 * was made while the text was read tells; only when it says no are the elements walked once more,
 * to find the first that is wrong.
 */
#include <inttypes.h>

#include "base/alloc.h"
#include "infer_json_parts.h"
#include "tensor/bytes.h"

enum {
    ANY_INTEGER = HC_LEAF_NATURAL | HC_LEAF_NEGATIVE,
    ANY_UNSIGNED = HC_LEAF_NATURAL | HC_LEAF_UINT64,
    ANY_NUMBER = ANY_INTEGER | ANY_UNSIGNED | HC_LEAF_REAL,
};

/* What elements of a datatype may be in JSON. */
static unsigned allowed_leaves(enum hc_dtype dtype) {
    switch (dtype) {
    case HC_DTYPE_BOOL:
        return HC_LEAF_BOOL;
    case HC_DTYPE_UINT8:
    case HC_DTYPE_UINT16:
    case HC_DTYPE_UINT32:
    case HC_DTYPE_UINT64:
        return ANY_UNSIGNED;
    case HC_DTYPE_INT8:
    case HC_DTYPE_INT16:
    case HC_DTYPE_INT32:
    case HC_DTYPE_INT64:
        return ANY_INTEGER;
    case HC_DTYPE_BYTES:
        return HC_LEAF_STRING;
    default:
        return ANY_NUMBER;
    }
}

/* The error of reading VALUE as an element. */
static enum hc_code unexpected(enum hc_dtype dtype, const struct hc_json_value *value,
                               struct hc_error *error) {
    struct hc_json_string string;
    uint64_t natural;
    int64_t integer;
    double real;
    bool boolean;
    switch (allowed_leaves(dtype)) {
    case HC_LEAF_BOOL:
        return hc_json_as_bool(value, &boolean, error);
    case ANY_UNSIGNED:
        return hc_json_as_uint64(value, &natural, error);
    case ANY_INTEGER:
        return hc_json_as_int64(value, &integer, error);
    case HC_LEAF_STRING:
        return hc_json_as_string(value, &string, error);
    default:
        return hc_json_as_double(value, &real, error);
    }
}

static enum hc_code too_deep(enum hc_dtype dtype, struct hc_error *error) {
    return hc_error_set(
        error, HC_INVALID_ARGUMENT, "%sJSON nesting depth exceeds maximum allowed limit (%d)",
        dtype == HC_DTYPE_BYTES ? "" : "Unable to parse 'data': ", HC_INFER_JSON_MAX_DEPTH);
}

/* Shapes that no JSON text can fill are the client's mistake; Triton does not survive them. */
static enum hc_code wrong_count(uint64_t count, struct hc_error *error) {
    return hc_error_set(error, count > INT32_MAX ? HC_INVALID_ARGUMENT : HC_INTERNAL,
                        "Unable to parse 'data': Shape does not match true shape of 'data' field");
}

static enum hc_code wrong_type(enum hc_dtype dtype, const struct hc_json_value *value,
                               struct hc_error *error) {
    unexpected(dtype, value, error);
    return hc_error_prefix(error, "%s: ",
                           dtype == HC_DTYPE_BYTES ? "Unable to parse JSON bytes array"
                                                   : "Unable to parse 'data'");
}

/* What is wrong first in a value that is known to be wrong; BYTES are not counted. */
static enum hc_code find_mistake(struct hc_text text, enum hc_dtype dtype, uint64_t count,
                                 struct hc_error *error) {
    struct hc_json_reader json;
    struct hc_json_value value;
    unsigned depth = 1;
    uint64_t n = 0;
    hc_json_begin(&json, text);
    if (hc_json_read(&json, &value) && value.kind != HC_JSON_ARRAY) {
        return wrong_type(dtype, &value, error);
    }
    while (depth > 0) {
        if (!hc_json_next_element(&json)) {
            depth--;
            continue;
        }
        hc_json_read(&json, &value);
        if (depth == HC_INFER_JSON_MAX_DEPTH) {
            return too_deep(dtype, error);
        }
        if (value.kind == HC_JSON_ARRAY) {
            depth++;
            continue;
        }
        if (n == count && dtype != HC_DTYPE_BYTES) {
            return wrong_count(count, error);
        }
        if ((hc_leaf_of(&value) & ~allowed_leaves(dtype)) != 0) {
            return wrong_type(dtype, &value, error);
        }
        n++;
    }
    return wrong_count(count, error);
}

enum hc_code hc_infer_json_check_dtype(const struct hc_infer_json_input *input,
                                       struct hc_error *error) {
    switch (input->dtype) {
    case HC_DTYPE_FP16:
    case HC_DTYPE_BF16:
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "receiving %s data via JSON is not supported. Please use the binary "
                            "data format for input %.*s",
                            hc_dtype_name(input->dtype), HC_TEXT_ARGS(input->name));
    case HC_DTYPE_INVALID:
        return hc_error_set(error, HC_INVALID_ARGUMENT, "invalid datatype for input %.*s",
                            HC_TEXT_ARGS(input->name));
    default:
        return HC_OK;
    }
}

static enum hc_code check_size(const struct hc_elements_summary *summary, uint64_t count,
                               struct hc_infer_json_input *input, struct hc_error *error) {
    size_t element_size = hc_dtype_size(input->dtype);
    if (input->dtype != HC_DTYPE_BYTES) {
        if (!hc_size_mul(count, element_size, &input->data.size) || input->data.size > INT64_MAX) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "byte size overflow for input '%.*s': element count (%" PRIu64
                                ") * data type size (%zu) exceeds maximum allowed size "
                                "(9223372036854775807)",
                                HC_TEXT_ARGS(input->name), count, element_size);
        }
        return HC_OK;
    }
    if (summary->strings_size > UINT32_MAX) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "strings for input '%.*s' take more than 4294967295 bytes",
                            HC_TEXT_ARGS(input->name));
    }
    input->data.size = summary->strings_size + summary->n_leaves * HC_BYTES_PREFIX_SIZE;
    return HC_OK;
}

static bool fits(const struct hc_elements_summary *summary, enum hc_dtype dtype, uint64_t count) {
    return (summary->leaves & ~allowed_leaves(dtype)) == 0 &&
           summary->depth < HC_INFER_JSON_MAX_DEPTH &&
           (dtype == HC_DTYPE_BYTES || summary->n_leaves == count);
}

enum hc_code hc_infer_json_check_data(const struct hc_elements_summary *summary, uint64_t count,
                                      struct hc_infer_json_input *input, struct hc_error *error) {
    HC_TRY(check_size(summary, count, input, error));
    HC_TRY(hc_infer_json_check_dtype(input, error));
    if (!fits(summary, input->dtype, count)) {
        return find_mistake(summary->text, input->dtype, count, error);
    }
    input->data.text = summary->text;
    input->data.n_elements = summary->n_leaves;
    return HC_OK;
}
