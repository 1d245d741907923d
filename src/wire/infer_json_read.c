/*
 * Reading inference requests: the document is walked once, what it says is judged when all of it is
 * known, in Triton's order. This file: the request itself and its parameters.
 */
#include <stddef.h>

#include "infer_json_parts.h"

enum { SEQUENCE_STRING_MAX = 128 };

enum request_member { ID, PARAMETERS, INPUTS, OUTPUTS, N_REQUEST_MEMBERS };

static const struct hc_text request_members[] = {HC_TEXT("id"), HC_TEXT("parameters"),
                                                 HC_TEXT("inputs"), HC_TEXT("outputs")};

struct parameter {
    struct hc_json_string name;
    struct hc_json_value value;
};

struct reading {
    struct hc_json_reader json;
    struct hc_pool *pool;
    unsigned seen; /* members, one bit each */
    struct hc_json_value id;
    struct hc_json_value parameters;
    struct hc_pool_array parameter_items;
    struct hc_infer_json_list inputs;
    struct hc_infer_json_list outputs;
    bool no_memory;
};

static void read_parameters(struct reading *in) {
    struct hc_json_string name;
    struct hc_json_value value;
    if (in->parameters.kind != HC_JSON_OBJECT) {
        hc_json_skip(&in->json, &in->parameters);
        return;
    }
    while (hc_json_next_member(&in->json, &name) && hc_json_read(&in->json, &value) &&
           hc_json_skip(&in->json, &value)) {
        struct parameter *item = hc_pool_array_add(&in->parameter_items, sizeof *item, in->pool);
        if (item == NULL) {
            in->no_memory = true;
        } else {
            *item = (struct parameter){name, value};
        }
    }
}

static void read_member(struct reading *in, unsigned member, const struct hc_json_value *value) {
    unsigned bit = 1u << member;
    bool repeated = (in->seen & bit) != 0;
    in->seen |= bit;
    if (member == PARAMETERS && !repeated) {
        in->parameters = *value;
        read_parameters(in);
    } else if (member == INPUTS && !repeated) {
        hc_infer_json_read_list(&in->json, value, in->pool, hc_infer_json_on_input, &in->inputs);
    } else if (member == OUTPUTS && !repeated) {
        hc_infer_json_read_list(&in->json, value, in->pool, hc_infer_json_on_output, &in->outputs);
    } else {
        if (member == ID && !repeated) {
            in->id = *value;
        }
        hc_json_skip(&in->json, value);
    }
}

static void read_document(struct reading *in) {
    struct hc_json_value value;
    struct hc_json_string name;
    if (!hc_json_read(&in->json, &value)) {
        return;
    }
    if (value.kind != HC_JSON_OBJECT) {
        hc_json_skip(&in->json, &value);
        return;
    }
    while (hc_json_next_member(&in->json, &name) && hc_json_read(&in->json, &value)) {
        read_member(in, hc_infer_json_find(name, request_members, N_REQUEST_MEMBERS), &value);
    }
}

static enum hc_code take_id(struct reading *in, struct hc_infer_json_request *request,
                            struct hc_error *error) {
    struct hc_json_string id;
    if (in->id.kind == HC_JSON_NONE) {
        return HC_OK;
    }
    HC_TRY(hc_infer_json_of(hc_json_as_string(&in->id, &id, error), "id", error));
    return hc_infer_json_text(id, in->pool, &request->id, error);
}

static enum hc_code take_sequence_id(struct reading *in, const struct hc_json_value *value,
                                     struct hc_infer_json_request *request,
                                     struct hc_error *error) {
    struct hc_json_string string;
    if (hc_json_as_uint64(value, &request->sequence_number, NULL) == HC_OK) {
        request->sequence = HC_INFER_JSON_SEQUENCE_NUMBER;
        return HC_OK;
    }
    HC_TRY(hc_infer_json_of(hc_json_as_string(value, &string, error), "sequence_id", error));
    HC_TRY(hc_infer_json_text(string, in->pool, &request->sequence_string, error));
    request->sequence = HC_INFER_JSON_SEQUENCE_STRING;
    if (request->sequence_string.size > SEQUENCE_STRING_MAX) {
        return hc_error_set(error, HC_UNIMPLEMENTED,
                            "string correlation ID cannot be longer than %d characters",
                            SEQUENCE_STRING_MAX);
    }
    return HC_OK;
}

/* The parameters that are fields of the request. */
static const struct known {
    const char *name;
    bool flag; /* a bool, else a uint64 */
    size_t offset;
} known_parameters[] = {
    {"sequence_start", true, offsetof(struct hc_infer_json_request, sequence_start)},
    {"sequence_end", true, offsetof(struct hc_infer_json_request, sequence_end)},
    {"priority", false, offsetof(struct hc_infer_json_request, priority)},
    {"timeout", false, offsetof(struct hc_infer_json_request, timeout_us)},
    {"binary_data_output", true, offsetof(struct hc_infer_json_request, binary_outputs)},
};

static const struct known *find_known(struct hc_text name) {
    for (size_t i = 0; i < sizeof known_parameters / sizeof known_parameters[0]; i++) {
        if (hc_text_is(name, known_parameters[i].name)) {
            return &known_parameters[i];
        }
    }
    return NULL;
}

static enum hc_code take_known(const struct known *known, const struct hc_json_value *value,
                               struct hc_infer_json_request *request, struct hc_error *error) {
    void *field = (char *)request + known->offset;
    enum hc_code code =
        known->flag ? hc_json_as_bool(value, field, error) : hc_json_as_uint64(value, field, error);
    return hc_infer_json_of(code, known->name, error);
}

static enum hc_code take_parameter(struct reading *in, struct hc_text name,
                                   const struct hc_json_value *value,
                                   struct hc_infer_json_request *request, struct hc_error *error) {
    const struct known *known = find_known(name);
    if (known != NULL) {
        return take_known(known, value, request, error);
    }
    if (hc_text_is(name, "sequence_id")) {
        return take_sequence_id(in, value, request, error);
    }
    if (hc_text_starts(name, "triton_")) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "parameter keys starting with 'triton_' are reserved for Triton usage "
                            "and should not be specified.");
    }
    struct hc_wire_parameter *parameter = &request->parameters[request->n_parameters];
    HC_TRY(hc_infer_json_parameter(name, value, in->pool, parameter, error));
    request->n_parameters++;
    return HC_OK;
}

/* The names of the parameters; NULL without memory. */
static struct hc_text *name_parameters(struct reading *in) {
    const struct parameter *items = in->parameter_items.items;
    size_t n = in->parameter_items.n;
    struct hc_text *names = hc_pool_alloc_try(in->pool, n, sizeof *names);
    for (size_t i = 0; i < n && names != NULL; i++) {
        if (!hc_json_string_text(items[i].name, in->pool, &names[i])) {
            return NULL;
        }
    }
    return names;
}

static enum hc_code take_parameters(struct reading *in, struct hc_infer_json_request *request,
                                    struct hc_error *error) {
    const struct parameter *items = in->parameter_items.items;
    size_t n = in->parameter_items.n;
    if (in->parameters.kind != HC_JSON_NONE && in->parameters.kind != HC_JSON_OBJECT) {
        return hc_error_set(error, HC_INTERNAL,
                            "failed to get request params.: attempt to get members for non-object");
    }
    if (n == 0) {
        return HC_OK;
    }
    const struct hc_text *names = name_parameters(in);
    const bool *repeats = names != NULL ? hc_find_repeats(names, n, in->pool) : NULL;
    request->parameters = hc_pool_alloc_try(in->pool, n, sizeof *request->parameters);
    if (repeats == NULL || request->parameters == NULL) {
        return hc_infer_json_no_memory(error);
    }
    for (size_t i = 0; i < n; i++) {
        if (!repeats[i]) {
            HC_TRY(take_parameter(in, names[i], &items[i].value, request, error));
        }
    }
    return HC_OK;
}

static enum hc_code read_request(struct reading *in, struct hc_infer_json_request *request,
                                 struct hc_error *error) {
    read_document(in);
    HC_TRY(hc_json_end(&in->json, error));
    if (in->no_memory) {
        return hc_infer_json_no_memory(error);
    }
    HC_TRY(take_id(in, request, error));
    HC_TRY(take_parameters(in, request, error));
    HC_TRY(hc_infer_json_take_inputs(&in->inputs, in->pool, request, error));
    return hc_infer_json_take_outputs(&in->outputs, in->pool, request, error);
}

/* All but the errors, which are large. */
static void begin(struct reading *in, struct hc_text text, struct hc_pool *pool) {
    hc_json_begin(&in->json, text);
    in->pool = pool;
    in->seen = 0;
    in->id = in->parameters = (struct hc_json_value){.kind = HC_JSON_NONE};
    in->inputs.value = in->outputs.value = in->id;
    in->parameter_items = in->inputs.items = in->outputs.items = (struct hc_pool_array){0};
    in->inputs.n_named = 0;
    in->inputs.error.code = in->outputs.error.code = HC_OK;
    in->no_memory = false;
}

enum hc_code hc_infer_json_read(struct hc_text text, struct hc_pool *pool,
                                struct hc_infer_json_request *request, struct hc_error *error) {
    struct reading in;
    struct hc_infer_json_request result = {.n_parameters = 0};
    struct hc_error problem;
    begin(&in, text, pool);
    enum hc_code code = read_request(&in, &result, &problem);
    if (code == HC_OK) {
        *request = result;
    } else if (error != NULL) {
        *error = problem;
    }
    return code;
}
