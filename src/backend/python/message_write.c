/* Messages to a pyhost: a request, flat, in its model's arena. */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/json_escape.h"
#include "core/context.h"
#include "core/model.h"
#include "message.h"
#include "wire/number.h"

/* Adds up what a message takes, then places its parts in the same order. */
struct layout {
    size_t size;
    bool overflow;
};

static size_t place(struct layout *layout, size_t size) {
    size_t offset = layout->size;
    if (size > UINT32_MAX - sizeof(int64_t) ||
        !hc_size_add(layout->size, hc_align_up(size, sizeof(int64_t)), &layout->size) ||
        layout->size > UINT32_MAX) {
        layout->overflow = true;
    }
    return offset;
}

/* What is requested: the names that the client gave, or all that the model has. */
static size_t count_outputs(const struct hc_request *request) {
    return request->n_outputs > 0 ? request->n_outputs : request->model->n_outputs;
}

static struct hc_text output_name(const struct hc_request *request, size_t i) {
    return request->n_outputs > 0 ? request->outputs[i] : request->model->outputs[i].name;
}

static size_t message_size(const struct hc_request *request, struct hc_text parameters,
                           bool *overflow) {
    struct layout layout = {0};
    place(&layout, sizeof(struct hc_message_request));
    place(&layout, request->n_inputs * sizeof(struct hc_message_tensor));
    place(&layout, count_outputs(request) * sizeof(struct hc_span));
    for (size_t i = 0; i < request->n_inputs; i++) {
        place(&layout, request->inputs[i].n_dims * sizeof(int64_t));
        place(&layout, request->inputs[i].name.size);
    }
    for (size_t i = 0; i < count_outputs(request); i++) {
        place(&layout, output_name(request, i).size);
    }
    place(&layout, request->id.size);
    place(&layout, request->correlation.string.size);
    place(&layout, parameters.size);
    *overflow = layout.overflow;
    return layout.size;
}

struct writer {
    char *base;
    struct layout layout;
};

static struct hc_span put_text(struct writer *writer, struct hc_text text) {
    size_t offset = place(&writer->layout, text.size);
    if (text.size > 0) {
        memcpy(writer->base + offset, text.data, text.size);
    }
    return (struct hc_span){(uint32_t)offset, (uint32_t)text.size};
}

static void put_input(struct writer *writer, const struct hc_input *input,
                      struct hc_message_tensor *tensor) {
    size_t dims_size = input->n_dims * sizeof(int64_t);
    size_t dims_offset = place(&writer->layout, dims_size);
    if (dims_size > 0) {
        memcpy(writer->base + dims_offset, input->dims, dims_size);
    }
    *tensor = (struct hc_message_tensor){
        .name = put_text(writer, input->name),
        .dtype = (uint32_t)input->dtype,
        .n_dims = (uint32_t)input->n_dims,
        .dims_offset = (uint32_t)dims_offset,
        .data = {.arena = HC_ARENA_REQUEST, .size = input->size},
    };
    if (input->block != NULL) {
        tensor->data.offset = input->block->offset + input->offset;
        tensor->data.block = input->block->index;
        tensor->data.generation = input->block->generation;
    }
}

static void put_request(struct writer *writer, const struct hc_request *request,
                        struct hc_text parameters, const struct hc_block *block) {
    struct hc_message_request *message =
        (void *)(writer->base + place(&writer->layout, sizeof *message));
    size_t inputs_offset =
        place(&writer->layout, request->n_inputs * sizeof(struct hc_message_tensor));
    size_t outputs_offset = place(&writer->layout, count_outputs(request) * sizeof(struct hc_span));
    *message = (struct hc_message_request){
        .n_inputs = (uint32_t)request->n_inputs,
        .inputs_offset = (uint32_t)inputs_offset,
        .n_outputs = (uint32_t)count_outputs(request),
        .outputs_offset = (uint32_t)outputs_offset,
        .loop = hc_loop_index(request->context->loop),
        .handle = request->handle,
        .correlation_number = request->correlation.number,
        .timeout_us = request->timeout_us,
        .priority = request->priority,
        .flags = request->flags,
        .correlation_kind =
            request->correlation.string.size > 0 ? HC_CORRELATION_STRING : HC_CORRELATION_NUMBER,
        .block = {.arena = HC_ARENA_REQUEST,
                  .block = block->index,
                  .generation = block->generation},
    };
    struct hc_message_tensor *inputs = (void *)(writer->base + inputs_offset);
    for (size_t i = 0; i < request->n_inputs; i++) {
        put_input(writer, &request->inputs[i], &inputs[i]);
    }
    struct hc_span *outputs = (void *)(writer->base + outputs_offset);
    for (size_t i = 0; i < count_outputs(request); i++) {
        outputs[i] = put_text(writer, output_name(request, i));
    }
    message->id = put_text(writer, request->id);
    message->correlation_string = put_text(writer, request->correlation.string);
    message->parameters = put_text(writer, parameters);
    message->size = (uint32_t)writer->layout.size;
}

static void append_parameter(struct hc_buf *json, const struct hc_wire_parameter *parameter) {
    char number[HC_NUMBER_ROOM];
    hc_json_append_string(json, parameter->name);
    hc_buf_append_char(json, ':');
    switch (parameter->kind) {
    case HC_WIRE_STRING:
        hc_json_append_string(json, parameter->string);
        break;
    case HC_WIRE_INT64:
        hc_buf_append(json, number, hc_number_print_int64(parameter->int64, number));
        break;
    case HC_WIRE_BOOL:
        hc_buf_append_string(json, parameter->boolean ? "true" : "false");
        break;
    case HC_WIRE_DOUBLE:
        hc_buf_append(json, number, hc_number_print_double(parameter->real, number));
        break;
    }
}

/* The parameters as a JSON object; nothing when there are none. */
static void append_parameters(struct hc_buf *json, const struct hc_request *request) {
    for (size_t i = 0; i < request->n_parameters; i++) {
        hc_buf_append_char(json, i == 0 ? '{' : ',');
        append_parameter(json, &request->parameters[i]);
    }
    if (request->n_parameters > 0) {
        hc_buf_append_char(json, '}');
    }
}

enum hc_code hc_message_write(struct hc_request *request, struct hc_block **block_out,
                              struct hc_error *error) {
    hc_auto_buf parameters = {0};
    append_parameters(&parameters, request);
    bool overflow;
    size_t size = message_size(request, hc_buf_text(&parameters), &overflow);
    if (overflow) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "the names and parameters of the request are too long");
    }
    struct hc_arena *arena = request->model->arena;
    struct hc_block *block;
    HC_TRY(hc_arena_alloc(arena, size, &block, error));
    struct writer writer = {.base = hc_arena_memory(arena, block)};
    put_request(&writer, request, hc_buf_text(&parameters), block);
    *block_out = block;
    return HC_OK;
}

enum hc_code hc_message_copy(struct hc_arena *arena, const struct hc_block *block,
                             struct hc_block **copy, struct hc_error *error) {
    HC_TRY(hc_arena_alloc(arena, block->size, copy, error));
    memcpy(hc_arena_memory(arena, *copy), hc_arena_memory(arena, block), block->size);
    struct hc_message_request *message = hc_message_of(arena, *copy);
    message->block.block = (*copy)->index;
    message->block.generation = (*copy)->generation;
    return HC_OK;
}
