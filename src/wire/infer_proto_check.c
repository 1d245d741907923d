/* Whether what a ModelInferRequest says makes sense. */
#include "infer_proto_contents.h"
#include "wire/infer_proto.h"

enum { MAX_SEQUENCE_STRING_SIZE = 128 };

static enum hc_code wrong_type(struct hc_text name, const char *expected, struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "invalid value type for '%.*s' parameter, expected %s.", HC_TEXT_ARGS(name),
                        expected);
}

/* ---- Parameters of the request ---- */

static enum hc_code take_sequence_id(const struct hc_infer_proto_parameter *parameter,
                                     struct hc_infer_proto_request *request,
                                     struct hc_error *error) {
    if (parameter->kind == HC_INFER_PROTO_INT64) {
        request->sequence_number = parameter->uint64;
        return HC_OK;
    }
    if (parameter->kind != HC_INFER_PROTO_STRING) {
        return wrong_type(parameter->name, "int64_param or string_param", error);
    }
    if (parameter->string.size > MAX_SEQUENCE_STRING_SIZE) {
        return hc_error_set(error, HC_UNIMPLEMENTED,
                            "string correlation ID cannot be longer than %d characters",
                            MAX_SEQUENCE_STRING_SIZE);
    }
    request->sequence_string = parameter->string;
    return HC_OK;
}

static enum hc_code take_bool(const struct hc_infer_proto_parameter *parameter, bool *place,
                              struct hc_error *error) {
    if (parameter->kind != HC_INFER_PROTO_BOOL) {
        return wrong_type(parameter->name, "bool_param", error);
    }
    *place = parameter->boolean;
    return HC_OK;
}

static enum hc_code take_priority(const struct hc_infer_proto_parameter *parameter,
                                  struct hc_infer_proto_request *request, struct hc_error *error) {
    if (parameter->kind == HC_INFER_PROTO_INT64 && parameter->int64 < 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "invalid value for 'priority', expected value >= 0.");
    }
    if (parameter->kind != HC_INFER_PROTO_INT64 && parameter->kind != HC_INFER_PROTO_UINT64) {
        return wrong_type(parameter->name, "int64_param or uint64_param", error);
    }
    request->priority = parameter->uint64;
    return HC_OK;
}

static enum hc_code take_timeout(const struct hc_infer_proto_parameter *parameter,
                                 struct hc_infer_proto_request *request, struct hc_error *error) {
    if (parameter->kind != HC_INFER_PROTO_INT64) {
        return wrong_type(parameter->name, "int64_param", error);
    }
    request->timeout_us = parameter->uint64;
    return HC_OK;
}

static enum hc_code take_custom(const struct hc_infer_proto_parameter *parameter,
                                struct hc_infer_proto_request *request, struct hc_error *error) {
    struct hc_wire_parameter *custom = &request->custom[request->n_custom];
    custom->name = parameter->name;
    switch (parameter->kind) {
    case HC_INFER_PROTO_BOOL:
        custom->kind = HC_WIRE_BOOL;
        custom->boolean = parameter->boolean;
        break;
    case HC_INFER_PROTO_INT64:
        custom->kind = HC_WIRE_INT64;
        custom->int64 = parameter->int64;
        break;
    case HC_INFER_PROTO_STRING:
        custom->kind = HC_WIRE_STRING;
        custom->string = parameter->string;
        break;
    case HC_INFER_PROTO_DOUBLE:
        custom->kind = HC_WIRE_DOUBLE;
        custom->real = parameter->real;
        break;
    case HC_INFER_PROTO_NONE:
    case HC_INFER_PROTO_UINT64:
        return wrong_type(parameter->name, "int64_param, bool_param, or string_param", error);
    }
    request->n_custom++;
    return HC_OK;
}

static enum hc_code take_parameter(const struct hc_infer_proto_parameter *parameter,
                                   struct hc_infer_proto_request *request, struct hc_error *error) {
    struct hc_text name = parameter->name;
    if (hc_text_is(name, "sequence_id")) {
        return take_sequence_id(parameter, request, error);
    }
    if (hc_text_is(name, "sequence_start")) {
        return take_bool(parameter, &request->sequence_start, error);
    }
    if (hc_text_is(name, "sequence_end")) {
        return take_bool(parameter, &request->sequence_end, error);
    }
    if (hc_text_is(name, "priority")) {
        return take_priority(parameter, request, error);
    }
    if (hc_text_is(name, "timeout")) {
        return take_timeout(parameter, request, error);
    }
    if (hc_text_is(name, "triton_enable_empty_final_response")) {
        return take_bool(parameter, &request->empty_final_response, error);
    }
    if (hc_text_starts(name, "triton_")) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "parameter keys starting with 'triton_' are reserved for Triton usage. "
                            "Only the following keys starting with 'triton_' are allowed: "
                            "triton_enable_empty_final_response");
    }
    return take_custom(parameter, request, error);
}

/* ---- Parameters of tensors ---- */

static enum hc_code wrong_tensor_type(const struct hc_infer_proto_parameter *parameter,
                                      struct hc_text tensor, const char *expected,
                                      struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "invalid value type for '%.*s' parameter for tensor '%.*s', expected %s.",
                        HC_TEXT_ARGS(parameter->name), HC_TEXT_ARGS(tensor), expected);
}

static const struct hc_infer_proto_parameter *find(
    const struct hc_infer_proto_parameter *parameters, size_t n, const char *name) {
    for (size_t i = n; i-- > 0;) { /* the last one counts */
        if (hc_text_is(parameters[i].name, name)) {
            return &parameters[i];
        }
    }
    return NULL;
}

static enum hc_code find_number(const struct hc_infer_proto_parameter *parameter,
                                struct hc_text tensor, uint64_t *number, struct hc_error *error) {
    if (parameter != NULL && parameter->kind != HC_INFER_PROTO_INT64) {
        return wrong_tensor_type(parameter, tensor, "int64_param", error);
    }
    *number = parameter != NULL ? parameter->uint64 : 0;
    return HC_OK;
}

static enum hc_code find_region(const struct hc_infer_proto_parameter *parameters, size_t n,
                                struct hc_text tensor, struct hc_infer_proto_region *region,
                                bool *shared, struct hc_error *error) {
    const struct hc_infer_proto_parameter *name = find(parameters, n, "shared_memory_region");
    const struct hc_infer_proto_parameter *size = find(parameters, n, "shared_memory_byte_size");
    const struct hc_infer_proto_parameter *offset = find(parameters, n, "shared_memory_offset");
    *shared = name != NULL;
    if (name != NULL && name->kind != HC_INFER_PROTO_STRING) {
        return wrong_tensor_type(name, tensor, "string_param", error);
    }
    HC_TRY(find_number(offset, tensor, &region->offset, error));
    HC_TRY(find_number(size, tensor, &region->size, error));
    if (name != NULL && size == NULL) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "'shared_memory_byte_size' must be specified along with "
                            "'shared_memory_region' parameter for tensor '%.*s'",
                            HC_TEXT_ARGS(tensor));
    }
    if (name == NULL && size != NULL) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "'shared_memory_byte_size' can not be specified without "
                            "'shared_memory_region' parameter for tensor '%.*s'",
                            HC_TEXT_ARGS(tensor));
    }
    region->name = name != NULL ? name->string : (struct hc_text){0};
    return HC_OK;
}

/* ---- Tensors ---- */

static enum hc_code check_input(const struct hc_infer_proto_request *request,
                                struct hc_infer_proto_input *input, size_t n_raw, size_t *next_raw,
                                struct hc_error *error) {
    bool shared;
    HC_TRY(find_region(input->parameters, input->n_parameters, input->name, &input->region, &shared,
                       error));
    if (shared && input->has_contents) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "unexpected 'content' provided when using shared memory for input "
                            "tensor '%.*s' for model '%.*s'",
                            HC_TEXT_ARGS(input->name), HC_TEXT_ARGS(request->model_name));
    }
    if (shared) {
        input->source = HC_INFER_PROTO_SHARED;
        return HC_OK;
    }
    if (input->has_contents && n_raw > 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "contents field must not be specified when using raw_input_contents "
                            "for '%.*s' for model '%.*s'",
                            HC_TEXT_ARGS(input->name), HC_TEXT_ARGS(request->model_name));
    }
    if (input->has_contents) {
        input->source = HC_INFER_PROTO_CONTENTS;
        return hc_infer_proto_measure_contents(input, request->model_name, error);
    }
    if (*next_raw == n_raw) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "unable to find data for input tensor '%.*s' for model '%.*s' in "
                            "request.",
                            HC_TEXT_ARGS(input->name), HC_TEXT_ARGS(request->model_name));
    }
    input->source = HC_INFER_PROTO_RAW;
    input->raw = (*next_raw)++;
    return HC_OK;
}

static enum hc_code check_output(struct hc_infer_proto_output *output, struct hc_error *error) {
    const struct hc_infer_proto_parameter *classes =
        find(output->parameters, output->n_parameters, "classification");
    HC_TRY(find_region(output->parameters, output->n_parameters, output->name, &output->region,
                       &output->shared, error));
    if (classes == NULL) {
        return HC_OK;
    }
    if (classes->kind != HC_INFER_PROTO_INT64) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "invalid value type for 'classification' parameter, expected "
                            "int64_param");
    }
    if (classes->int64 <= 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "invalid value for 'classification' parameter, expected >= 0");
    }
    output->classification = classes->uint64;
    return HC_OK;
}

enum hc_code hc_infer_proto_check(struct hc_infer_proto_request *request, size_t n_raw,
                                  struct hc_pool *pool, struct hc_error *error) {
    request->custom = hc_pool_alloc_try(pool, request->n_parameters, sizeof *request->custom);
    request->n_custom = 0;
    if (request->custom == NULL && request->n_parameters > 0) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for the request");
    }
    for (size_t i = 0; i < request->n_parameters; i++) {
        HC_TRY(take_parameter(&request->parameters[i], request, error));
    }
    size_t next_raw = 0;
    for (size_t i = 0; i < request->n_inputs; i++) {
        HC_TRY(check_input(request, &request->inputs[i], n_raw, &next_raw, error));
    }
    for (size_t i = 0; i < request->n_outputs; i++) {
        HC_TRY(check_output(&request->outputs[i], error));
    }
    return HC_OK;
}
