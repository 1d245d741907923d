/* Reading inference requests: what an input may be. */
#include <inttypes.h>

#include "infer_json_parts.h"
#include "tensor/shape.h"

static enum hc_code take_source(const struct hc_infer_json_item *item,
                                struct hc_infer_json_input *input, struct hc_error *error) {
    bool data = item->members[HC_INFER_JSON_TENSOR_DATA].kind != HC_JSON_NONE;
    bool binary = hc_infer_json_has(item, HC_INFER_JSON_BINARY_DATA_SIZE);
    bool shared = hc_infer_json_has(item, HC_INFER_JSON_REGION);
    int n_sources = data + binary + shared;
    if (n_sources != 1) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Input must set only one of the following fields: 'data', "
                            "'binary_data_size' in 'parameters', 'shared_memory_region' in "
                            "'parameters'. But %s%s%s%s",
                            n_sources == 0 ? "no field is set" : "set", data ? " 'data'" : "",
                            binary ? " 'binary_data_size'" : "",
                            shared ? " 'shared_memory_region'" : "");
    }
    input->source = data     ? HC_INFER_JSON_DATA
                    : binary ? HC_INFER_JSON_BINARY
                             : HC_INFER_JSON_SHARED;
    return HC_OK;
}

static enum hc_code take_shape(const struct hc_infer_json_item *item,
                               struct hc_infer_json_input *input, struct hc_error *error) {
    const struct hc_json_value *shape = &item->members[HC_INFER_JSON_SHAPE];
    HC_TRY(hc_infer_json_require(shape, "shape", error));
    HC_TRY(hc_infer_json_of(hc_json_as_array(shape, error), "shape", error));
    if (item->bad_dims) {
        return hc_error_set(error, HC_INTERNAL,
                            "Unable to parse 'shape': attempt to access JSON non-unsigned-integer "
                            "as unsigned-integer");
    }
    input->dims = item->dims.items;
    input->n_dims = item->dims.n;
    return HC_OK;
}

/* What makes it an input of the request. */
static enum hc_code take_head(const struct hc_infer_json_item *item, struct hc_pool *pool,
                              struct hc_infer_json_input *input, struct hc_error *error) {
    HC_TRY(take_source(item, input, error));
    HC_TRY(hc_infer_json_take_string(item, HC_INFER_JSON_NAME, pool, &input->name, error));
    HC_TRY(hc_infer_json_take_string(item, HC_INFER_JSON_DATATYPE, pool, &input->datatype, error));
    input->dtype = hc_dtype_parse(input->datatype);
    return take_shape(item, input, error);
}

static enum hc_code invalid_shape(const struct hc_infer_json_input *input, const char *why,
                                  struct hc_error *error) {
    hc_auto_buf shape = {0};
    hc_shape_append(&shape, input->dims, input->n_dims);
    return hc_error_set(error, HC_INVALID_ARGUMENT, "invalid shape for input '%.*s': shape %s %s",
                        HC_TEXT_ARGS(input->name), hc_buf_string(&shape), why);
}

/* The number of elements by the shape; none for no extents at all, as in Triton. */
static enum hc_code count_elements(const struct hc_infer_json_input *input, uint64_t *count,
                                   struct hc_error *error) {
    int64_t n = 0;
    for (size_t i = 0; i < input->n_dims; i++) {
        if (input->dims[i] < 0) {
            return invalid_shape(input, "contains one or more invalid dimensions", error);
        }
    }
    if (input->n_dims > 0 && !hc_shape_count(input->dims, input->n_dims, &n)) {
        return invalid_shape(input,
                             "causes total element count to exceed maximum size of "
                             "9223372036854775807",
                             error);
    }
    *count = (uint64_t)n;
    return HC_OK;
}

static enum hc_code take_contents(const struct hc_infer_json_item *item, struct hc_pool *pool,
                                  struct hc_infer_json_input *input, struct hc_error *error) {
    uint64_t count = 0;
    if (input->source == HC_INFER_JSON_BINARY) {
        return hc_infer_json_of(hc_json_as_uint64(&item->parameters[HC_INFER_JSON_BINARY_DATA_SIZE],
                                                  &input->binary_size, error),
                                "binary_data_size", error);
    }
    HC_TRY(hc_infer_json_take_region(item, pool, &input->region, error)); /* even where unused */
    if (input->source == HC_INFER_JSON_SHARED) {
        return HC_OK;
    }
    HC_TRY(count_elements(input, &count, error));
    if (count == 0) {
        return HC_OK; /* an empty tensor, whatever `data` is */
    }
    HC_TRY(hc_infer_json_of(hc_json_as_array(&item->members[HC_INFER_JSON_TENSOR_DATA], error),
                            "data", error));
    HC_TRY(hc_infer_json_check_data(&item->data, count, input, error));
    input->data.elements = item->elements;
    if (item->elements == NULL && !hc_infer_json_collect(input, pool)) {
        return hc_infer_json_no_memory(error);
    }
    return HC_OK;
}

void hc_infer_json_on_input(const struct hc_infer_json_item *item, struct hc_pool *pool,
                            struct hc_infer_json_list *list) {
    struct hc_infer_json_input *input = hc_pool_array_add(&list->items, sizeof *input, pool);
    if (input == NULL) {
        hc_infer_json_no_memory(&list->error);
        return;
    }
    *input = (struct hc_infer_json_input){.n_dims = 0};
    if (take_head(item, pool, input, &list->error) == HC_OK) {
        list->n_named++;
        take_contents(item, pool, input, &list->error);
    }
}

static enum hc_code check_names(const struct hc_infer_json_list *list, struct hc_pool *pool,
                                struct hc_text id, struct hc_error *error) {
    const struct hc_infer_json_input *inputs = list->items.items;
    struct hc_text *names = hc_pool_alloc_try(pool, list->n_named, sizeof *names);
    if (names == NULL) {
        return hc_infer_json_no_memory(error);
    }
    for (size_t i = 0; i < list->n_named; i++) {
        names[i] = inputs[i].name;
    }
    const bool *repeats = hc_find_repeats(names, list->n_named, pool);
    if (repeats == NULL) {
        return hc_infer_json_no_memory(error);
    }
    for (size_t i = 0; i < list->n_named; i++) {
        if (repeats[i]) {
            return hc_infer_json_repeated_input(id, names[i], error);
        }
    }
    return HC_OK;
}

enum hc_code hc_infer_json_take_inputs(const struct hc_infer_json_list *list, struct hc_pool *pool,
                                       struct hc_infer_json_request *request,
                                       struct hc_error *error) {
    HC_TRY(hc_infer_json_require(&list->value, "inputs", error));
    HC_TRY(hc_infer_json_of(hc_json_as_array(&list->value, error), "inputs", error));
    if (list->n_named > 1) {
        HC_TRY(check_names(list, pool, request->id, error));
    }
    if (list->error.code != HC_OK) {
        *error = list->error;
        return error->code;
    }
    request->inputs = list->items.items;
    request->n_inputs = list->items.n;
    return HC_OK;
}

enum hc_code hc_infer_json_check_binary(const struct hc_infer_json_request *request, uint64_t size,
                                        struct hc_text model_name, struct hc_error *error) {
    for (size_t i = 0; i < request->n_inputs; i++) {
        const struct hc_infer_json_input *input = &request->inputs[i];
        if (input->source != HC_INFER_JSON_BINARY) {
            continue;
        }
        if (input->binary_size > size) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "unexpected size for input '%.*s', expecting %" PRIu64
                                " additional bytes for model '%.*s'",
                                HC_TEXT_ARGS(input->name), input->binary_size - size,
                                HC_TEXT_ARGS(model_name));
        }
        size -= input->binary_size;
    }
    if (size > 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "unexpected additional input data for model '%.*s'",
                            HC_TEXT_ARGS(model_name));
    }
    return HC_OK;
}
