/* What a ModelInferRequest says. */
#include <string.h>

#include "base/utf8.h"
#include "wire/infer_proto.h"
#include "wire/proto.h"

/* Numbers of fields, as published in grpc_service.proto. */
enum {
    REQUEST_MODEL_NAME = 1,
    REQUEST_MODEL_VERSION,
    REQUEST_ID,
    REQUEST_PARAMETERS,
    REQUEST_INPUTS,
    REQUEST_OUTPUTS
};
enum { INPUT_NAME = 1, INPUT_DATATYPE, INPUT_SHAPE, INPUT_PARAMETERS, INPUT_CONTENTS };
enum { OUTPUT_NAME = 1, OUTPUT_PARAMETERS };
enum { ENTRY_KEY = 1, ENTRY_VALUE };
enum { CHOICE_BOOL = 1, CHOICE_INT64, CHOICE_STRING, CHOICE_DOUBLE, CHOICE_UINT64 };

static enum hc_code malformed(struct hc_error *error) {
    return hc_error_set(error, HC_INTERNAL, "Unable to parse request");
}

static enum hc_code no_memory(struct hc_error *error) {
    return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for the request");
}

/* Fields called ID; HC_INVALID_ARGUMENT when there are too many. */
static enum hc_code count(struct hc_text message, uint32_t id, size_t *n, struct hc_error *error) {
    struct hc_proto_reader reader = {message, false};
    struct hc_proto_field field;
    *n = 0;
    while (hc_proto_next(&reader, &field)) {
        *n += field.id == id && field.type == HC_PROTO_BYTES;
    }
    if (reader.failed) {
        return malformed(error);
    }
    return *n > HC_INFER_PROTO_MAX_ITEMS
               ? hc_error_set(error, HC_INVALID_ARGUMENT, "the request has too many parts")
               : HC_OK;
}

static enum hc_code read_string(const struct hc_proto_field *field, struct hc_text *text,
                                struct hc_error *error) {
    if (field->type != HC_PROTO_BYTES) {
        return HC_OK; /* an unknown field, as far as anybody is concerned */
    }
    if (!hc_utf8_valid(field->bytes)) {
        return malformed(error);
    }
    *text = field->bytes;
    return HC_OK;
}

/* ---- Parameters ---- */

static enum hc_code read_choice(const struct hc_proto_field *field,
                                struct hc_infer_proto_parameter *parameter,
                                struct hc_error *error) {
    static const enum hc_proto_type types[] = {
        [CHOICE_BOOL] = HC_PROTO_VARINT,   [CHOICE_INT64] = HC_PROTO_VARINT,
        [CHOICE_STRING] = HC_PROTO_BYTES,  [CHOICE_DOUBLE] = HC_PROTO_64_BITS,
        [CHOICE_UINT64] = HC_PROTO_VARINT,
    };
    if (field->id < CHOICE_BOOL || field->id > CHOICE_UINT64 || field->type != types[field->id]) {
        return HC_OK;
    }
    parameter->kind = (enum hc_infer_proto_kind)field->id;
    switch (parameter->kind) {
    case HC_INFER_PROTO_BOOL:
        parameter->boolean = field->number != 0;
        break;
    case HC_INFER_PROTO_STRING:
        return read_string(field, &parameter->string, error);
    case HC_INFER_PROTO_DOUBLE:
        memcpy(&parameter->real, &field->number, sizeof parameter->real);
        break;
    case HC_INFER_PROTO_INT64:
    case HC_INFER_PROTO_UINT64:
    case HC_INFER_PROTO_NONE:
        parameter->uint64 = field->number;
    }
    return HC_OK;
}

static enum hc_code read_value(struct hc_text message, struct hc_infer_proto_parameter *parameter,
                               struct hc_error *error) {
    struct hc_proto_reader reader = {message, false};
    struct hc_proto_field field;
    while (hc_proto_next(&reader, &field)) {
        HC_TRY(read_choice(&field, parameter, error));
    }
    return reader.failed ? malformed(error) : HC_OK;
}

static enum hc_code read_parameter(struct hc_text message,
                                   struct hc_infer_proto_parameter *parameter,
                                   struct hc_error *error) {
    struct hc_proto_reader reader = {message, false};
    struct hc_proto_field field;
    *parameter = (struct hc_infer_proto_parameter){0};
    while (hc_proto_next(&reader, &field)) {
        if (field.id == ENTRY_KEY) {
            HC_TRY(read_string(&field, &parameter->name, error));
        } else if (field.id == ENTRY_VALUE && field.type == HC_PROTO_BYTES) {
            HC_TRY(read_value(field.bytes, parameter, error));
        }
    }
    return reader.failed ? malformed(error) : HC_OK;
}

static enum hc_code read_parameters(struct hc_text message, uint32_t id, struct hc_pool *pool,
                                    struct hc_infer_proto_parameter **parameters, size_t *n,
                                    struct hc_error *error) {
    HC_TRY(count(message, id, n, error));
    *parameters = hc_pool_alloc_try(pool, *n, sizeof **parameters);
    if (*parameters == NULL && *n > 0) {
        return no_memory(error);
    }
    struct hc_proto_reader reader = {message, false};
    struct hc_proto_field field;
    for (size_t i = 0; hc_proto_next(&reader, &field);) {
        if (field.id == id && field.type == HC_PROTO_BYTES) {
            HC_TRY(read_parameter(field.bytes, &(*parameters)[i++], error));
        }
    }
    return HC_OK;
}

/* ---- Tensors ---- */

static enum hc_code count_dims(struct hc_text message, size_t *n, struct hc_error *error) {
    struct hc_proto_reader reader = {message, false};
    struct hc_proto_field field;
    *n = 0;
    while (hc_proto_next(&reader, &field)) {
        struct hc_proto_numbers numbers;
        uint64_t number;
        if (field.id != INPUT_SHAPE) {
            continue;
        }
        hc_proto_numbers_begin(&numbers, &field, HC_PROTO_VARINT);
        while (hc_proto_numbers_next(&numbers, &number)) {
            (*n)++;
        }
        if (numbers.failed) {
            return malformed(error);
        }
    }
    return HC_OK;
}

static void read_dims(const struct hc_proto_field *field, struct hc_infer_proto_input *input) {
    struct hc_proto_numbers numbers;
    uint64_t number;
    hc_proto_numbers_begin(&numbers, field, HC_PROTO_VARINT);
    while (hc_proto_numbers_next(&numbers, &number)) {
        input->dims[input->n_dims++] = (int64_t)number;
    }
}

/* A message that comes in several pieces is what they are together. */
static enum hc_code add_contents(const struct hc_proto_field *field, struct hc_pool *pool,
                                 struct hc_infer_proto_input *input, struct hc_error *error) {
    if (input->contents.size == 0) {
        input->contents = field->bytes;
    } else if (field->bytes.size > 0) {
        char *both = hc_pool_alloc_try(pool, 1, input->contents.size + field->bytes.size);
        if (both == NULL) {
            return no_memory(error);
        }
        memcpy(both, input->contents.data, input->contents.size);
        memcpy(both + input->contents.size, field->bytes.data, field->bytes.size);
        input->contents = (struct hc_text){both, input->contents.size + field->bytes.size};
    }
    input->has_contents = true;
    return HC_OK;
}

static enum hc_code read_input(struct hc_text message, struct hc_pool *pool,
                               struct hc_infer_proto_input *input, struct hc_error *error) {
    *input = (struct hc_infer_proto_input){0};
    size_t n_dims;
    HC_TRY(read_parameters(message, INPUT_PARAMETERS, pool, &input->parameters,
                           &input->n_parameters, error));
    HC_TRY(count_dims(message, &n_dims, error));
    input->dims = hc_pool_alloc_try(pool, n_dims, sizeof *input->dims);
    if (input->dims == NULL && n_dims > 0) {
        return no_memory(error);
    }
    struct hc_proto_reader reader = {message, false};
    struct hc_proto_field field;
    while (hc_proto_next(&reader, &field)) {
        if (field.id == INPUT_NAME) {
            HC_TRY(read_string(&field, &input->name, error));
        } else if (field.id == INPUT_DATATYPE) {
            HC_TRY(read_string(&field, &input->datatype, error));
        } else if (field.id == INPUT_SHAPE) {
            read_dims(&field, input);
        } else if (field.id == INPUT_CONTENTS && field.type == HC_PROTO_BYTES) {
            HC_TRY(add_contents(&field, pool, input, error));
        }
    }
    input->dtype = hc_dtype_parse(input->datatype);
    return HC_OK;
}

static enum hc_code read_output(struct hc_text message, struct hc_pool *pool,
                                struct hc_infer_proto_output *output, struct hc_error *error) {
    *output = (struct hc_infer_proto_output){0};
    HC_TRY(read_parameters(message, OUTPUT_PARAMETERS, pool, &output->parameters,
                           &output->n_parameters, error));
    struct hc_proto_reader reader = {message, false};
    struct hc_proto_field field;
    while (hc_proto_next(&reader, &field)) {
        if (field.id == OUTPUT_NAME) {
            HC_TRY(read_string(&field, &output->name, error));
        }
    }
    return HC_OK;
}

/* ---- The request ---- */

static enum hc_code read_field(const struct hc_proto_field *field, struct hc_pool *pool,
                               struct hc_infer_proto_request *request, struct hc_error *error) {
    switch (field->id) {
    case REQUEST_MODEL_NAME:
        return read_string(field, &request->model_name, error);
    case REQUEST_MODEL_VERSION:
        return read_string(field, &request->model_version, error);
    case REQUEST_ID:
        return read_string(field, &request->id, error);
    default:
        break;
    }
    if (field->type != HC_PROTO_BYTES) {
        return HC_OK;
    }
    if (field->id == REQUEST_INPUTS) {
        return read_input(field->bytes, pool, &request->inputs[request->n_inputs++], error);
    }
    if (field->id == REQUEST_OUTPUTS) {
        return read_output(field->bytes, pool, &request->outputs[request->n_outputs++], error);
    }
    return HC_OK;
}

enum hc_code hc_infer_proto_read(struct hc_text rest, struct hc_pool *pool,
                                 struct hc_infer_proto_request *request, struct hc_error *error) {
    struct hc_infer_proto_request read = {0};
    size_t n_inputs;
    size_t n_outputs;
    HC_TRY(read_parameters(rest, REQUEST_PARAMETERS, pool, &read.parameters, &read.n_parameters,
                           error));
    HC_TRY(count(rest, REQUEST_INPUTS, &n_inputs, error));
    HC_TRY(count(rest, REQUEST_OUTPUTS, &n_outputs, error));
    read.inputs = hc_pool_alloc_try(pool, n_inputs, sizeof *read.inputs);
    read.outputs = hc_pool_alloc_try(pool, n_outputs, sizeof *read.outputs);
    if ((read.inputs == NULL && n_inputs > 0) || (read.outputs == NULL && n_outputs > 0)) {
        return no_memory(error);
    }
    struct hc_proto_reader reader = {rest, false};
    struct hc_proto_field field;
    while (hc_proto_next(&reader, &field)) {
        HC_TRY(read_field(&field, pool, &read, error));
    }
    *request = read;
    return HC_OK;
}

void hc_infer_proto_peek(struct hc_text rest, struct hc_text *model_name,
                         struct hc_text *model_version) {
    struct hc_proto_reader reader = {rest, false};
    struct hc_proto_field field;
    *model_name = (struct hc_text){0};
    *model_version = (struct hc_text){0};
    while (hc_proto_next(&reader, &field)) {
        if (field.type == HC_PROTO_BYTES && field.id == REQUEST_MODEL_NAME) {
            *model_name = field.bytes;
        } else if (field.type == HC_PROTO_BYTES && field.id == REQUEST_MODEL_VERSION) {
            *model_version = field.bytes;
        }
    }
}
