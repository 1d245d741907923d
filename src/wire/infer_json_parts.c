/* Reading inference requests: growing arrays, repeated names, texts and parameters. */
#include "infer_json_parts.h"

#include <stdlib.h>
#include <string.h>

#include "json_parts.h"

void *hc_pool_array_add(struct hc_pool_array *array, size_t item_size, struct hc_pool *pool) {
    if (array->n == array->capacity) {
        size_t capacity = array->capacity == 0 ? 4 : array->capacity * 2;
        void *items = hc_pool_alloc_try(pool, capacity, item_size);
        if (items == NULL) {
            return NULL;
        }
        if (array->n > 0) {
            memcpy(items, array->items, array->n * item_size);
        }
        array->items = items;
        array->capacity = capacity;
    }
    return (char *)array->items + array->n++ * item_size;
}

struct ranked_name {
    struct hc_text name;
    size_t index;
};

static int compare_names(const void *left, const void *right) {
    const struct ranked_name *a = left;
    const struct ranked_name *b = right;
    if (a->name.size != b->name.size) {
        return a->name.size < b->name.size ? -1 : 1;
    }
    int order = a->name.size == 0 ? 0 : memcmp(a->name.data, b->name.data, a->name.size);
    return order != 0 ? order : a->index < b->index ? -1 : 1;
}

bool *hc_find_repeats(const struct hc_text *names, size_t n, struct hc_pool *pool) {
    bool *repeats = hc_pool_alloc_try(pool, n + 1, sizeof *repeats);
    struct ranked_name *ranked = hc_pool_alloc_try(pool, n + 1, sizeof *ranked);
    if (repeats == NULL || ranked == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        ranked[i] = (struct ranked_name){names[i], i};
        repeats[i] = false;
    }
    if (n > 1) {
        qsort(ranked, n, sizeof *ranked, compare_names);
    }
    for (size_t i = 1; i < n; i++) {
        repeats[ranked[i].index] = hc_text_equal(ranked[i].name, ranked[i - 1].name);
    }
    return repeats;
}

enum hc_code hc_infer_json_no_memory(struct hc_error *error) {
    return hc_error_set(error, HC_UNAVAILABLE, "not enough memory for the request");
}

enum hc_code hc_infer_json_text(struct hc_json_string string, struct hc_pool *pool,
                                struct hc_text *text, struct hc_error *error) {
    if (!hc_json_string_text(string, pool, text)) {
        return hc_infer_json_no_memory(error);
    }
    if (text->size > 0 && string.size < string.raw.size) {
        text->size = strnlen(text->data, text->size);
    }
    return HC_OK;
}

unsigned hc_infer_json_find(struct hc_json_string string, const struct hc_text *names, unsigned n) {
    unsigned i = 0;
    while (i < n && !hc_json_string_equals(string, names[i])) {
        i++;
    }
    return i;
}

enum hc_code hc_infer_json_of(enum hc_code code, const char *name, struct hc_error *error) {
    return code == HC_OK ? code : hc_error_prefix(error, "Unable to parse '%s': ", name);
}

enum hc_code hc_infer_json_require(const struct hc_json_value *member, const char *name,
                                   struct hc_error *error) {
    if (member->kind != HC_JSON_NONE) {
        return HC_OK;
    }
    return hc_error_set(error, HC_INTERNAL,
                        "Unable to parse '%s': attempt to access non-existing object member '%s'",
                        name, name);
}

enum hc_code hc_infer_json_parameter(struct hc_text name, const struct hc_json_value *value,
                                     struct hc_pool *pool, struct hc_wire_parameter *parameter,
                                     struct hc_error *error) {
    struct hc_text start = {name.data, strnlen(name.data, name.size)};
    parameter->name = name;
    if (start.size < name.size) { /* Triton looks for what is before the NUL, in vain */
        return hc_error_set(error, HC_INTERNAL, "parameter key '%.*s' was not found in the JSON",
                            HC_TEXT_ARGS(start));
    }
    if (value->kind == HC_JSON_STRING) {
        parameter->kind = HC_WIRE_STRING;
        return hc_infer_json_text(value->string, pool, &parameter->string, error);
    }
    if (hc_json_as_bool(value, &parameter->boolean, NULL) == HC_OK) {
        parameter->kind = HC_WIRE_BOOL;
    } else if (hc_json_as_int64(value, &parameter->int64, NULL) == HC_OK) {
        parameter->kind = HC_WIRE_INT64;
    } else if (hc_json_as_double(value, &parameter->real, NULL) == HC_OK) {
        parameter->kind = HC_WIRE_DOUBLE;
    } else {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "parameter '%.*s' has invalid type. It should be either 'int', "
                            "'bool', or 'string'.",
                            HC_TEXT_ARGS(name));
    }
    return HC_OK;
}

enum hc_code hc_infer_json_repeated_input(struct hc_text id, struct hc_text name,
                                          struct hc_error *error) {
    id = id.size > 0 ? id : HC_TEXT("<id_unknown>");
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "[request id: %.*s] input '%.*s' already exists in request",
                        HC_TEXT_ARGS(id), HC_TEXT_ARGS(name));
}
