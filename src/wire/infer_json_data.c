/*
 * The elements of `data`: numbers and truth values are collected while the text is read, where
 * datatype and shape come before them as they mostly do, else later; strings are left in the text
 * until there is a place for them.
 */
#include <string.h>

#include "base/alloc.h"
#include "infer_json_parts.h"
#include "json_parts.h"
#include "tensor/bytes.h"

static const struct element_row {
    bool collected;
    enum hc_elements_form form;
} element_rows[HC_N_DTYPES] = {
    [HC_DTYPE_BOOL] = {true, HC_ELEMENTS_BOOL},
    [HC_DTYPE_UINT8] = {true, HC_ELEMENTS_INTEGER},
    [HC_DTYPE_UINT16] = {true, HC_ELEMENTS_INTEGER},
    [HC_DTYPE_UINT32] = {true, HC_ELEMENTS_INTEGER},
    [HC_DTYPE_UINT64] = {true, HC_ELEMENTS_INTEGER},
    [HC_DTYPE_INT8] = {true, HC_ELEMENTS_INTEGER},
    [HC_DTYPE_INT16] = {true, HC_ELEMENTS_INTEGER},
    [HC_DTYPE_INT32] = {true, HC_ELEMENTS_INTEGER},
    [HC_DTYPE_INT64] = {true, HC_ELEMENTS_INTEGER},
    [HC_DTYPE_FP32] = {true, HC_ELEMENTS_FP32},
    [HC_DTYPE_FP64] = {true, HC_ELEMENTS_FP64},
};

/* Where COUNT elements go; NULL without memory. */
static char *make_sink(enum hc_dtype dtype, uint64_t count, struct hc_pool *pool,
                       struct hc_elements_sink *sink) {
    size_t element_size = hc_dtype_size(dtype);
    size_t size;
    if (!hc_size_mul(count, element_size, &size) || !hc_size_add(size, HC_ELEMENTS_SLACK, &size)) {
        return NULL;
    }
    char *elements = hc_pool_alloc_try(pool, size, 1);
    *sink = (struct hc_elements_sink){element_rows[dtype].form, element_size, elements, count};
    return elements;
}

char *hc_infer_json_read_elements(struct hc_json_reader *json, const struct hc_json_value *value,
                                  enum hc_dtype dtype, uint64_t count, struct hc_pool *pool,
                                  struct hc_elements_summary *summary) {
    struct hc_elements_sink sink;
    char *elements = NULL;
    uint64_t count_max = (uint64_t)(json->_end - json->_place) / 2 + 1; /* with the commas */
    if (element_rows[dtype].collected && count <= count_max) {
        elements = make_sink(dtype, count, pool, &sink);
    }
    hc_elements_collect(json, value, elements != NULL ? &sink : NULL, summary);
    return elements;
}

bool hc_infer_json_collect(struct hc_infer_json_input *input, struct hc_pool *pool) {
    struct hc_json_reader json;
    struct hc_json_value value;
    struct hc_elements_summary summary;
    if (!element_rows[input->dtype].collected || input->data.n_elements == 0) {
        return true;
    }
    hc_json_begin(&json, input->data.text);
    hc_json_read(&json, &value);
    input->data.elements = hc_infer_json_read_elements(&json, &value, input->dtype,
                                                       input->data.n_elements, pool, &summary);
    return input->data.elements != NULL;
}

static void copy_strings(const struct hc_infer_json_data *data, char *place) {
    struct hc_json_reader json;
    struct hc_json_string string;
    size_t room = data->size;
    hc_json_begin(&json, data->text);
    for (uint64_t i = 0; i < data->n_elements; i++) {
        while (json._place < json._end && *json._place != '"') {
            json._place++; /* brackets, commas and blanks: the text has been checked */
        }
        if (json._place == json._end || !hc_json_read_string(&json, &string) ||
            room < HC_BYTES_PREFIX_SIZE || room - HC_BYTES_PREFIX_SIZE < string.size) {
            break; /* it has changed since */
        }
        hc_bytes_put_prefix(place, (uint32_t)string.size);
        hc_json_string_decode(string, place + HC_BYTES_PREFIX_SIZE);
        place += HC_BYTES_PREFIX_SIZE + string.size;
        room -= HC_BYTES_PREFIX_SIZE + string.size;
    }
    memset(place, 0, room);
}

void hc_infer_json_copy_data(const struct hc_infer_json_input *input, void *place) {
    const struct hc_infer_json_data *data = &input->data;
    if (input->dtype == HC_DTYPE_BYTES) {
        copy_strings(data, place);
    } else if (data->size > 0) {
        memcpy(place, data->elements, data->size);
    }
}
