/* Reading inference requests: what a requested output may be. */
#include "infer_json_parts.h"

static enum hc_code of_setting(enum hc_code code, const char *name, struct hc_error *error) {
    return code == HC_OK ? code : hc_error_prefix(error, "Unable to set '%s': ", name);
}

/* What a shared output cannot be besides. */
static enum hc_code check_shared(const struct hc_infer_json_item *item, struct hc_error *error) {
    const struct hc_json_value *binary_data = &item->parameters[HC_INFER_JSON_BINARY_DATA];
    bool binary = false;
    if (hc_infer_json_has(item, HC_INFER_JSON_CLASSIFICATION)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Output can't set both 'shared_memory_region' and 'classification'");
    }
    if (hc_infer_json_has(item, HC_INFER_JSON_BINARY_DATA)) {
        HC_TRY(of_setting(hc_json_as_bool(binary_data, &binary, error), "binary_data", error));
    }
    if (binary) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Output can't set both 'shared_memory_region' and 'binary_data'");
    }
    return HC_OK;
}

static enum hc_code take(const struct hc_infer_json_item *item, struct hc_pool *pool,
                         struct hc_infer_json_output *output, struct hc_error *error) {
    const struct hc_json_value *parameters = item->parameters;
    output->shared = hc_infer_json_has(item, HC_INFER_JSON_REGION);
    if (output->shared) {
        HC_TRY(check_shared(item, error));
    }
    HC_TRY(hc_infer_json_take_string(item, HC_INFER_JSON_NAME, pool, &output->name, error));
    if (hc_infer_json_has(item, HC_INFER_JSON_CLASSIFICATION)) {
        enum hc_code code = hc_json_as_uint64(&parameters[HC_INFER_JSON_CLASSIFICATION],
                                              &output->classification, error);
        HC_TRY(of_setting(code, "classification", error));
    }
    HC_TRY(hc_infer_json_take_region(item, pool, &output->region, error));
    if (hc_infer_json_has(item, HC_INFER_JSON_BINARY_DATA)) {
        enum hc_code code =
            hc_json_as_bool(&parameters[HC_INFER_JSON_BINARY_DATA], &output->binary, error);
        HC_TRY(hc_infer_json_of(code, "binary_data", error));
    }
    return HC_OK;
}

void hc_infer_json_on_output(const struct hc_infer_json_item *item, struct hc_pool *pool,
                             struct hc_infer_json_list *list) {
    struct hc_infer_json_output *output = hc_pool_array_add(&list->items, sizeof *output, pool);
    if (output == NULL) {
        hc_infer_json_no_memory(&list->error);
        return;
    }
    *output = (struct hc_infer_json_output){.shared = false};
    take(item, pool, output, &list->error);
}

/* Leave out the outputs whose name an earlier one has. */
static enum hc_code drop_repeats(struct hc_pool *pool, struct hc_infer_json_request *request,
                                 struct hc_error *error) {
    size_t n = request->n_outputs;
    struct hc_text *names = hc_pool_alloc_try(pool, n, sizeof *names);
    if (names == NULL) {
        return hc_infer_json_no_memory(error);
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = request->outputs[i].name;
    }
    const bool *repeats = hc_find_repeats(names, n, pool);
    if (repeats == NULL) {
        return hc_infer_json_no_memory(error);
    }
    request->n_outputs = 0;
    for (size_t i = 0; i < n; i++) {
        if (!repeats[i]) {
            request->outputs[request->n_outputs++] = request->outputs[i];
        }
    }
    return HC_OK;
}

enum hc_code hc_infer_json_take_outputs(const struct hc_infer_json_list *list, struct hc_pool *pool,
                                        struct hc_infer_json_request *request,
                                        struct hc_error *error) {
    if (list->value.kind == HC_JSON_NONE) {
        return HC_OK;
    }
    HC_TRY(hc_infer_json_of(hc_json_as_array(&list->value, error), "outputs", error));
    if (list->error.code != HC_OK) {
        *error = list->error;
        return error->code;
    }
    request->outputs = list->items.items;
    request->n_outputs = list->items.n;
    return list->items.n > 1 ? drop_repeats(pool, request, error) : HC_OK;
}
