/*
 * Reading generate requests: the members are gathered first, those of `parameters` among them, and
 * then taken in their order, so that the first that is wrong is reported.
 */
#include <string.h>

#include "infer_json_parts.h"
#include "wire/generate_json.h"

static const char nested_name[] = "parameters";

struct member {
    struct hc_json_string string;
    struct hc_text name; /* the string decoded */
    struct hc_json_value value;
    struct hc_elements_summary summary;
    bool nested;   /* in `parameters` */
    bool opens;    /* is `parameters` */
    bool repeated; /* has the name of an earlier one beside it */
};

struct reading {
    struct hc_json_reader json;
    struct hc_pool *pool;
    const struct hc_generate_json_input *model_inputs;
    size_t n_model_inputs;
    struct hc_json_value root;
    struct hc_pool_array members;
    bool no_memory;
};

static void add_member(struct reading *in, const struct member *member) {
    struct member *place = hc_pool_array_add(&in->members, sizeof *place, in->pool);
    if (place == NULL) {
        in->no_memory = true;
    } else {
        *place = *member;
    }
}

/* The members of the object that is open, and of `parameters` in it unless it is that itself. */
static void read_members(struct reading *in, bool nested) {
    struct member member = {.nested = nested};
    bool opened = nested;
    while (hc_json_next_member(&in->json, &member.string) &&
           hc_json_read(&in->json, &member.value)) {
        member.opens = !opened && hc_json_string_is(member.string, nested_name);
        opened = opened || member.opens;
        if (member.opens && member.value.kind == HC_JSON_OBJECT) {
            add_member(in, &member);
            read_members(in, true);
        } else {
            hc_elements_collect(&in->json, &member.value, NULL, &member.summary);
            add_member(in, &member);
        }
    }
}

static void read_document(struct reading *in) {
    if (!hc_json_read(&in->json, &in->root)) {
        return;
    }
    if (in->root.kind == HC_JSON_OBJECT) {
        read_members(in, false);
    } else {
        hc_json_skip(&in->json, &in->root);
    }
}

static bool name_members(struct reading *in) {
    struct member *members = in->members.items;
    for (size_t i = 0; i < in->members.n; i++) {
        if (!hc_json_string_text(members[i].string, in->pool, &members[i].name)) {
            return false;
        }
    }
    return true;
}

/* Of the members that are nested, or of those that are not. */
static bool mark_repeated(struct reading *in, bool nested) {
    struct member *members = in->members.items;
    struct hc_text *names = hc_pool_alloc_try(in->pool, in->members.n + 1, sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < in->members.n && names != NULL; i++) {
        if (members[i].nested == nested) {
            names[n++] = members[i].name;
        }
    }
    const bool *repeats = names != NULL ? hc_find_repeats(names, n, in->pool) : NULL;
    for (size_t i = 0; i < in->members.n && repeats != NULL; i++) {
        if (members[i].nested == nested) {
            members[i].repeated = *repeats++;
        }
    }
    return repeats != NULL;
}

static enum hc_code take_id(struct reading *in, struct hc_infer_json_request *request,
                            struct hc_error *error) {
    const struct member *members = in->members.items;
    struct hc_json_string string;
    for (size_t i = 0; i < in->members.n; i++) {
        if (!members[i].nested && hc_text_is(members[i].name, "id")) {
            HC_TRY(hc_infer_json_of(hc_json_as_string(&members[i].value, &string, error), "id",
                                    error));
            return hc_infer_json_text(string, in->pool, &request->id, error);
        }
    }
    return HC_OK;
}

static const struct hc_generate_json_input *find_input(const struct reading *in,
                                                       struct hc_text name) {
    for (size_t i = 0; i < in->n_model_inputs; i++) {
        if (hc_text_equal(in->model_inputs[i].name, name)) {
            return &in->model_inputs[i];
        }
    }
    return NULL;
}

/* The length of an array, in which others may be; 1 for what is none. */
static uint64_t count_elements(const struct member *member) {
    struct hc_json_reader json;
    struct hc_json_value value;
    uint64_t n = 0;
    if (member->value.kind != HC_JSON_ARRAY) {
        return 1;
    }
    hc_json_begin(&json, member->summary.text);
    hc_json_read(&json, &value);
    while (hc_json_next_element(&json) && hc_json_read(&json, &value) &&
           hc_json_skip(&json, &value)) {
        n++;
    }
    return n;
}

/* Distribute COUNT elements over the extents of the model; false if it does not come out even. */
static bool make_shape(const struct hc_generate_json_input *model, uint64_t count, int64_t *dims) {
    int64_t *innermost_free = NULL;
    for (size_t i = model->n_dims; i-- > 0;) {
        dims[i] = model->dims[i];
        if (dims[i] < 0) {
            dims[i] = 1;
            innermost_free = innermost_free != NULL ? innermost_free : &dims[i];
        } else if (dims[i] == 0 || count % (uint64_t)dims[i] != 0) {
            return false;
        } else {
            count /= (uint64_t)dims[i];
        }
    }
    if (innermost_free == NULL) {
        return count == 1;
    }
    *innermost_free = (int64_t)count;
    return true;
}

/* BYTES are looked at before their shape is, others after it. */
static enum hc_code take_elements(const struct hc_generate_json_input *model,
                                  const struct member *member, struct hc_infer_json_input *input,
                                  struct hc_error *error) {
    uint64_t count = count_elements(member);
    bool shaped = make_shape(model, count, input->dims);
    if (input->dtype == HC_DTYPE_BYTES && count > 0) {
        HC_TRY(hc_infer_json_check_data(&member->summary, count, input, error));
    }
    if (!shaped) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "The schema can not convert input '%.*s' to tensor with proper shape",
                            HC_TEXT_ARGS(input->name));
    }
    return count > 0 ? hc_infer_json_check_data(&member->summary, count, input, error)
                     : hc_infer_json_check_dtype(input, error);
}

static enum hc_code take_tensor(struct reading *in, const struct hc_generate_json_input *model,
                                const struct member *member, struct hc_infer_json_request *request,
                                struct hc_error *error) {
    struct hc_infer_json_input *input = &request->inputs[request->n_inputs];
    int64_t *dims = hc_pool_alloc_try(in->pool, model->n_dims + 1, sizeof *dims);
    if (dims == NULL) {
        return hc_infer_json_no_memory(error);
    }
    *input = (struct hc_infer_json_input){
        .name = member->name,
        .datatype = hc_text_of(hc_dtype_name(model->dtype)),
        .dtype = model->dtype,
        .dims = dims,
        .n_dims = model->n_dims,
        .source = HC_INFER_JSON_DATA,
    };
    if (!member->repeated) { /* else the first of them is converted again, and is right */
        HC_TRY(take_elements(model, member, input, error));
    }
    for (size_t i = 0; i < request->n_inputs; i++) {
        if (hc_text_equal(request->inputs[i].name, member->name)) {
            return hc_infer_json_repeated_input(request->id, member->name, error);
        }
    }
    if (!hc_infer_json_collect(input, in->pool)) {
        return hc_infer_json_no_memory(error);
    }
    request->n_inputs++;
    return HC_OK;
}

static enum hc_code check_nested(const struct reading *in, const struct member *member,
                                 struct hc_error *error) {
    if (find_input(in, member->name) != NULL) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Keyword '%s' for nested schema also given as input tensor name",
                            nested_name);
    }
    if (hc_json_as_object(&member->value, error) != HC_OK) {
        return hc_error_prefix(error, "Expected JSON object for keyword: '%s': ", nested_name);
    }
    return HC_OK;
}

static enum hc_code take_member(struct reading *in, const struct member *member,
                                struct hc_infer_json_request *request, struct hc_error *error) {
    const struct hc_generate_json_input *model = find_input(in, member->name);
    if (member->opens) {
        return check_nested(in, member, error);
    }
    if (model != NULL) {
        return take_tensor(in, model, member, request, error);
    }
    if (member->repeated) {
        return HC_OK;
    }
    struct hc_wire_parameter *parameter = &request->parameters[request->n_parameters];
    HC_TRY(hc_infer_json_parameter(member->name, &member->value, in->pool, parameter, error));
    request->n_parameters++;
    return HC_OK;
}

static enum hc_code take_members(struct reading *in, struct hc_infer_json_request *request,
                                 struct hc_error *error) {
    const struct member *members = in->members.items;
    size_t n = in->members.n;
    request->parameters = hc_pool_alloc_try(in->pool, n + 1, sizeof *request->parameters);
    request->inputs = hc_pool_alloc_try(in->pool, in->n_model_inputs + 1, sizeof *request->inputs);
    if (request->parameters == NULL || request->inputs == NULL) {
        return hc_infer_json_no_memory(error);
    }
    for (size_t i = 0; i < n; i++) {
        enum hc_code code = take_member(in, &members[i], request, error);
        if (code != HC_OK) {
            return members[i].nested
                       ? hc_error_prefix(error, "Converting keyword: '%s': ", nested_name)
                       : code;
        }
    }
    return HC_OK;
}

static enum hc_code read_request(struct reading *in, struct hc_infer_json_request *request,
                                 struct hc_error *error) {
    read_document(in);
    HC_TRY(hc_json_end(&in->json, error));
    if (in->no_memory || !name_members(in) || !mark_repeated(in, false) ||
        !mark_repeated(in, true)) {
        return hc_infer_json_no_memory(error);
    }
    if (in->root.kind != HC_JSON_OBJECT) {
        return hc_error_set(error, HC_INTERNAL, "attempt to get members for non-object");
    }
    HC_TRY(take_id(in, request, error));
    return take_members(in, request, error);
}

enum hc_code hc_generate_json_read(struct hc_text text,
                                   const struct hc_generate_json_input *model_inputs,
                                   size_t n_model_inputs, struct hc_pool *pool,
                                   struct hc_infer_json_request *request, struct hc_error *error) {
    struct reading in = {
        .pool = pool, .model_inputs = model_inputs, .n_model_inputs = n_model_inputs};
    struct hc_infer_json_request result = {.n_parameters = 0};
    struct hc_error problem;
    hc_json_begin(&in.json, text);
    enum hc_code code = read_request(&in, &result, &problem);
    if (code == HC_OK) {
        *request = result;
    } else if (error != NULL) {
        *error = problem;
    }
    return code;
}
