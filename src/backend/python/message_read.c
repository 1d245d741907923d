/* Messages from a pyhost: copied once, then checked. */
#include <string.h>

#include "base/alloc.h"
#include "message.h"
#include "tensor/shape.h"
#include "wire/json_reader.h"

struct reader {
    const char *copy; /* aligned as pools align */
    size_t size;
    struct hc_error *error;
};

static enum hc_code broken(const struct reader *reader, const char *what) {
    return hc_error_set(reader->error, HC_INTERNAL, "a message has a bad %s", what);
}

/* N items of ITEM_SIZE bytes at OFFSET lie within the message, aligned. */
static bool within(const struct reader *reader, size_t offset, size_t n, size_t item_size,
                   size_t alignment) {
    size_t size;
    return offset % alignment == 0 && offset <= reader->size && hc_size_mul(n, item_size, &size) &&
           size <= reader->size - offset;
}

static enum hc_code read_text(const struct reader *reader, struct hc_span span, const char *what,
                              struct hc_text *text) {
    if (!within(reader, span.offset, span.size, 1, 1)) {
        return broken(reader, what);
    }
    *text = (struct hc_text){reader->copy + span.offset, span.size};
    return HC_OK;
}

/* Whether datatype and shape of a tensor make sense; *DIMS is the shape. */
static enum hc_code check_tensor(const struct reader *reader,
                                 const struct hc_message_tensor *tensor, const int64_t **dims) {
    if (tensor->dtype == HC_DTYPE_INVALID || tensor->dtype >= HC_N_DTYPES) {
        return broken(reader, "datatype");
    }
    if (tensor->n_dims > HC_SHAPE_MAX_DIMS ||
        !within(reader, tensor->dims_offset, tensor->n_dims, sizeof(int64_t), sizeof(int64_t))) {
        return broken(reader, "shape");
    }
    int64_t count;
    *dims = (const void *)(reader->copy + tensor->dims_offset);
    return hc_shape_count(*dims, tensor->n_dims, &count) ? HC_OK : broken(reader, "shape");
}

static enum hc_code read_output(const struct reader *reader, const struct hc_message_tensor *tensor,
                                struct hc_output *output, struct hc_place *place) {
    HC_TRY(read_text(reader, tensor->name, "output name", &output->name));
    HC_TRY(check_tensor(reader, tensor, &output->dims));
    output->dtype = (enum hc_dtype)tensor->dtype;
    output->n_dims = tensor->n_dims;
    output->size = tensor->data.size;
    *place = tensor->data;
    return HC_OK;
}

static enum hc_code read_outputs(const struct reader *reader,
                                 const struct hc_message_response *message,
                                 struct hc_response *response, struct hc_place **places_out) {
    size_t n = message->n_outputs;
    if (!within(reader, message->outputs_offset, n, sizeof(struct hc_message_tensor),
                sizeof(int64_t))) {
        return broken(reader, "number of outputs");
    }
    const struct hc_message_tensor *tensors =
        (const void *)(reader->copy + message->outputs_offset);
    struct hc_output *outputs = hc_pool_alloc(&response->pool, n * sizeof *outputs);
    struct hc_place *places = hc_pool_alloc(&response->pool, n * sizeof *places);
    for (size_t i = 0; i < n; i++) {
        outputs[i] = (struct hc_output){0};
        HC_TRY(read_output(reader, &tensors[i], &outputs[i], &places[i]));
    }
    response->outputs = outputs;
    response->n_outputs = n;
    *places_out = places;
    return HC_OK;
}

/* Room for twice the N parameters, N being 0 or a power of two. */
static struct hc_wire_parameter *grow(struct hc_pool *pool,
                                      const struct hc_wire_parameter *parameters, size_t n) {
    struct hc_wire_parameter *more = hc_pool_alloc(pool, 2 * (n + 1) * sizeof *more);
    if (n > 0) {
        memcpy(more, parameters, n * sizeof *more);
    }
    return more;
}

/* A bool, int or str; wider types cannot be made in Python. */
static bool read_parameter(struct hc_json_reader *json, struct hc_json_string name,
                           struct hc_pool *pool, struct hc_wire_parameter *parameter) {
    struct hc_json_value value;
    if (!hc_json_read(json, &value) || !hc_json_string_text(name, pool, &parameter->name)) {
        return false;
    }
    if (value.kind == HC_JSON_BOOL) {
        parameter->kind = HC_WIRE_BOOL;
        parameter->boolean = value.boolean;
        return true;
    }
    if (value.kind == HC_JSON_STRING) {
        parameter->kind = HC_WIRE_STRING;
        return hc_json_string_text(value.string, pool, &parameter->string);
    }
    parameter->kind = HC_WIRE_INT64;
    return hc_json_as_int64(&value, &parameter->int64, NULL) == HC_OK;
}

/* The parameters that TEXT, a JSON object or nothing, holds. */
static enum hc_code read_parameters(const struct reader *reader, struct hc_text text,
                                    struct hc_pool *pool,
                                    const struct hc_wire_parameter **parameters_out,
                                    size_t *n_out) {
    if (text.size == 0) {
        return HC_OK;
    }
    struct hc_json_reader json;
    struct hc_json_value value;
    struct hc_json_string name;
    struct hc_wire_parameter *parameters = NULL;
    size_t n = 0;
    hc_json_begin(&json, text);
    if (!hc_json_read(&json, &value) || value.kind != HC_JSON_OBJECT) {
        return broken(reader, "set of parameters");
    }
    while (hc_json_next_member(&json, &name)) {
        if ((n & (n - 1)) == 0) {
            parameters = grow(pool, parameters, n);
        }
        if (!read_parameter(&json, name, pool, &parameters[n++])) {
            return broken(reader, "parameter");
        }
    }
    *parameters_out = parameters;
    *n_out = n;
    return hc_json_end(&json, reader->error);
}

/* Have READER read a private copy of the message, whose fixed part takes HEAD_SIZE bytes. */
static enum hc_code begin(struct reader *reader, const char *memory, size_t head_size,
                          struct hc_pool *pool) {
    if (reader->size < head_size || reader->size > HC_MESSAGE_RESPONSE_MAX) {
        return broken(reader, "size");
    }
    char *copy = hc_pool_alloc(pool, reader->size);
    memcpy(copy, memory, reader->size);
    reader->copy = copy;
    return HC_OK;
}

enum hc_code hc_message_read(const char *memory, size_t size, struct hc_response *response,
                             struct hc_place **places, struct hc_error *error) {
    struct reader reader = {.size = size, .error = error};
    HC_TRY(begin(&reader, memory, sizeof(struct hc_message_response), &response->pool));
    const struct hc_message_response *message = (const void *)reader.copy;
    if (!hc_code_valid(message->code)) {
        return broken(&reader, "code");
    }
    response->code = (enum hc_code)message->code;
    HC_TRY(read_text(&reader, message->message, "text", &response->message));
    struct hc_text parameters;
    HC_TRY(read_text(&reader, message->parameters, "parameters", &parameters));
    HC_TRY(read_parameters(&reader, parameters, &response->pool, &response->parameters,
                           &response->n_parameters));
    return read_outputs(&reader, message, response, places);
}

static enum hc_code read_input(const struct reader *reader, const struct hc_message_tensor *tensor,
                               struct hc_input *input, struct hc_place *place) {
    HC_TRY(read_text(reader, tensor->name, "input name", &input->name));
    HC_TRY(check_tensor(reader, tensor, &input->dims));
    input->dtype = (enum hc_dtype)tensor->dtype;
    input->n_dims = tensor->n_dims;
    input->size = tensor->data.size;
    *place = tensor->data;
    return HC_OK;
}

static enum hc_code read_inputs(const struct reader *reader, const struct hc_message_call *message,
                                struct hc_request *request, struct hc_place **places_out) {
    size_t n = message->n_inputs;
    if (!within(reader, message->inputs_offset, n, sizeof(struct hc_message_tensor),
                sizeof(int64_t))) {
        return broken(reader, "number of inputs");
    }
    const struct hc_message_tensor *tensors = (const void *)(reader->copy + message->inputs_offset);
    struct hc_place *places = hc_pool_alloc(&request->pool, n * sizeof *places);
    request->inputs = hc_pool_alloc(&request->pool, n * sizeof *request->inputs);
    for (size_t i = 0; i < n; i++) {
        request->inputs[i] = (struct hc_input){0};
        HC_TRY(read_input(reader, &tensors[i], &request->inputs[i], &places[i]));
    }
    request->n_inputs = n;
    *places_out = places;
    return HC_OK;
}

static enum hc_code read_names(const struct reader *reader, const struct hc_message_call *message,
                               struct hc_request *request) {
    size_t n = message->n_outputs;
    if (!within(reader, message->outputs_offset, n, sizeof(struct hc_span), sizeof(uint32_t))) {
        return broken(reader, "number of outputs");
    }
    const struct hc_span *spans = (const void *)(reader->copy + message->outputs_offset);
    struct hc_text *names = hc_pool_alloc(&request->pool, n * sizeof *names);
    for (size_t i = 0; i < n; i++) {
        HC_TRY(read_text(reader, spans[i], "output name", &names[i]));
    }
    request->outputs = names;
    request->n_outputs = n;
    return HC_OK;
}

enum hc_code hc_message_read_call(const char *memory, size_t size, struct hc_request *request,
                                  struct hc_message_call_head *head, struct hc_error *error) {
    struct reader reader = {.size = size, .error = error};
    HC_TRY(begin(&reader, memory, sizeof(struct hc_message_call), &request->pool));
    const struct hc_message_call *message = (const void *)reader.copy;
    *head = (struct hc_message_call_head){
        .model_version = message->model_version,
        .execution = message->execution,
        .decoupled = message->decoupled != 0,
    };
    request->flags = message->flags;
    request->timeout_us = message->timeout_us;
    request->correlation.number = message->correlation_number;
    HC_TRY(read_text(&reader, message->model_name, "model name", &head->model_name));
    HC_TRY(read_text(&reader, message->id, "id", &request->id));
    HC_TRY(read_text(&reader, message->correlation_string, "correlation id",
                     &request->correlation.string));
    struct hc_text parameters;
    HC_TRY(read_text(&reader, message->parameters, "parameters", &parameters));
    HC_TRY(read_parameters(&reader, parameters, &request->pool, &request->parameters,
                           &request->n_parameters));
    HC_TRY(read_names(&reader, message, request));
    return read_inputs(&reader, message, request, &head->places);
}
