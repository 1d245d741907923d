/*
 * Reading inference requests: the items of `inputs` and `outputs`. Their members may come in any
 * order, so an item is judged when it has ended.
 */
#include "infer_json_parts.h"
#include "tensor/shape.h"

static const struct hc_text members[] = {
    HC_TEXT("name"), HC_TEXT("datatype"), HC_TEXT("shape"), HC_TEXT("data"), HC_TEXT("parameters"),
};

static const struct hc_text parameters[] = {
    HC_TEXT("binary_data_size"),     HC_TEXT("binary_data"),
    HC_TEXT("classification"),       HC_TEXT("shared_memory_region"),
    HC_TEXT("shared_memory_offset"), HC_TEXT("shared_memory_byte_size"),
};

static void read_shape(struct hc_json_reader *json, struct hc_pool *pool,
                       struct hc_infer_json_item *item) {
    struct hc_json_value value;
    uint64_t extent;
    while (hc_json_next_element(json) && hc_json_read(json, &value) && hc_json_skip(json, &value)) {
        if (hc_json_as_uint64(&value, &extent, NULL) != HC_OK) {
            item->bad_dims = true;
            continue;
        }
        int64_t *dim = hc_pool_array_add(&item->dims, sizeof *dim, pool);
        if (dim == NULL) {
            item->no_memory = true;
        } else {
            *dim = (int64_t)extent;
        }
    }
}

static void read_parameters(struct hc_json_reader *json, struct hc_infer_json_item *item) {
    struct hc_json_string name;
    struct hc_json_value value;
    while (hc_json_next_member(json, &name) && hc_json_read(json, &value) &&
           hc_json_skip(json, &value)) {
        unsigned i = hc_infer_json_find(name, parameters, HC_INFER_JSON_N_TENSOR_PARAMETERS);
        if (i < HC_INFER_JSON_N_TENSOR_PARAMETERS && item->parameters[i].kind == HC_JSON_NONE) {
            item->parameters[i] = value;
        }
    }
}

static void read_data(struct hc_json_reader *json, struct hc_pool *pool,
                      const struct hc_json_value *value, struct hc_infer_json_item *item) {
    const struct hc_json_value *datatype = &item->members[HC_INFER_JSON_DATATYPE];
    int64_t count;
    if (value->kind == HC_JSON_ARRAY && datatype->kind == HC_JSON_STRING && item->dims.n > 0 &&
        hc_shape_count(item->dims.items, item->dims.n, &count)) {
        enum hc_dtype dtype = hc_dtype_parse(datatype->string.raw);
        item->elements =
            hc_infer_json_read_elements(json, value, dtype, (uint64_t)count, pool, &item->data);
    } else {
        hc_elements_collect(json, value, NULL, &item->data);
    }
}

static void read_member(struct hc_json_reader *json, struct hc_pool *pool, unsigned member,
                        const struct hc_json_value *value, struct hc_infer_json_item *item) {
    if (member == HC_INFER_JSON_N_MEMBERS || item->members[member].kind != HC_JSON_NONE) {
        hc_json_skip(json, value);
        return;
    }
    item->members[member] = *value;
    if (member == HC_INFER_JSON_SHAPE && value->kind == HC_JSON_ARRAY) {
        read_shape(json, pool, item);
    } else if (member == HC_INFER_JSON_PARAMETERS && value->kind == HC_JSON_OBJECT) {
        read_parameters(json, item);
    } else if (member == HC_INFER_JSON_TENSOR_DATA) {
        read_data(json, pool, value, item);
    } else {
        hc_json_skip(json, value);
    }
}

/* False when the text is wrong. */
static bool read_item(struct hc_json_reader *json, struct hc_pool *pool,
                      const struct hc_json_value *value, struct hc_infer_json_item *item) {
    struct hc_json_string name;
    struct hc_json_value member;
    if (value->kind != HC_JSON_OBJECT) {
        return hc_json_skip(json, value);
    }
    while (hc_json_next_member(json, &name) && hc_json_read(json, &member)) {
        unsigned i = hc_infer_json_find(name, members, HC_INFER_JSON_N_MEMBERS);
        read_member(json, pool, i, &member, item);
    }
    return !hc_json_failed(json);
}

void hc_infer_json_read_list(struct hc_json_reader *json, const struct hc_json_value *value,
                             struct hc_pool *pool, hc_infer_json_on_item *on_item,
                             struct hc_infer_json_list *list) {
    struct hc_json_value element;
    list->value = *value;
    if (value->kind != HC_JSON_ARRAY) {
        hc_json_skip(json, value);
        return;
    }
    while (hc_json_next_element(json) && hc_json_read(json, &element)) {
        if (list->error.code != HC_OK) {
            hc_json_skip(json, &element);
            continue;
        }
        struct hc_infer_json_item item = {.bad_dims = false};
        if (!read_item(json, pool, &element, &item)) {
            return;
        }
        if (item.no_memory) {
            hc_infer_json_no_memory(&list->error);
        } else {
            on_item(&item, pool, list);
        }
    }
}

enum hc_code hc_infer_json_take_string(const struct hc_infer_json_item *item,
                                       enum hc_infer_json_member member, struct hc_pool *pool,
                                       struct hc_text *text, struct hc_error *error) {
    const struct hc_json_value *value = &item->members[member];
    const char *name = members[member].data;
    struct hc_json_string string;
    HC_TRY(hc_infer_json_require(value, name, error));
    HC_TRY(hc_infer_json_of(hc_json_as_string(value, &string, error), name, error));
    return hc_infer_json_text(string, pool, text, error);
}

static enum hc_code take_number(const struct hc_infer_json_item *item,
                                enum hc_infer_json_tensor_parameter parameter, uint64_t *number,
                                struct hc_error *error) {
    if (!hc_infer_json_has(item, parameter)) {
        return HC_OK;
    }
    return hc_infer_json_of(hc_json_as_uint64(&item->parameters[parameter], number, error),
                            parameters[parameter].data, error);
}

enum hc_code hc_infer_json_take_region(const struct hc_infer_json_item *item, struct hc_pool *pool,
                                       struct hc_infer_json_region *region,
                                       struct hc_error *error) {
    struct hc_json_string name;
    if (hc_infer_json_has(item, HC_INFER_JSON_REGION)) {
        const struct hc_json_value *value = &item->parameters[HC_INFER_JSON_REGION];
        HC_TRY(hc_infer_json_of(hc_json_as_string(value, &name, error), "shared_memory_region",
                                error));
        HC_TRY(hc_infer_json_text(name, pool, &region->name, error));
    }
    HC_TRY(take_number(item, HC_INFER_JSON_REGION_OFFSET, &region->offset, error));
    return take_number(item, HC_INFER_JSON_REGION_SIZE, &region->size, error);
}
