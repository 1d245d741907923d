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
    return hc_error_set(reader->error, HC_INTERNAL, "a response message has a bad %s", what);
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

static enum hc_code read_output(const struct reader *reader, const struct hc_message_tensor *tensor,
                                struct hc_output *output, struct hc_place *place) {
    HC_TRY(read_text(reader, tensor->name, "output name", &output->name));
    if (tensor->dtype == HC_DTYPE_INVALID || tensor->dtype >= HC_N_DTYPES) {
        return broken(reader, "output datatype");
    }
    if (tensor->n_dims > HC_SHAPE_MAX_DIMS ||
        !within(reader, tensor->dims_offset, tensor->n_dims, sizeof(int64_t), sizeof(int64_t))) {
        return broken(reader, "output shape");
    }
    output->dtype = (enum hc_dtype)tensor->dtype;
    output->n_dims = tensor->n_dims;
    output->dims = (const void *)(reader->copy + tensor->dims_offset);
    int64_t count;
    if (!hc_shape_count(output->dims, output->n_dims, &count)) {
        return broken(reader, "output shape");
    }
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

static enum hc_code read_parameters(const struct reader *reader, struct hc_text text,
                                    struct hc_response *response) {
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
            parameters = grow(&response->pool, parameters, n);
        }
        if (!read_parameter(&json, name, &response->pool, &parameters[n++])) {
            return broken(reader, "parameter");
        }
    }
    response->parameters = parameters;
    response->n_parameters = n;
    return hc_json_end(&json, reader->error);
}

enum hc_code hc_message_read(const char *memory, size_t size, struct hc_response *response,
                             struct hc_place **places, struct hc_error *error) {
    struct reader reader = {.size = size, .error = error};
    if (size < sizeof(struct hc_message_response) || size > HC_MESSAGE_RESPONSE_MAX) {
        return broken(&reader, "size");
    }
    char *copy = hc_pool_alloc(&response->pool, size);
    memcpy(copy, memory, size);
    reader.copy = copy;
    const struct hc_message_response *message = (const void *)copy;
    if (!hc_code_valid(message->code)) {
        return broken(&reader, "code");
    }
    response->code = (enum hc_code)message->code;
    HC_TRY(read_text(&reader, message->message, "text", &response->message));
    struct hc_text parameters;
    HC_TRY(read_text(&reader, message->parameters, "parameters", &parameters));
    HC_TRY(read_parameters(&reader, parameters, response));
    return read_outputs(&reader, message, response, places);
}
