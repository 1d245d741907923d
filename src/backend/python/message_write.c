/* Messages to a pyhost: a request, flat, in its model's arena. */
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "core/context.h"
#include "core/model.h"
#include "internal.h"
#include "message.h"
#include "message_layout.h"
#include "shm/shm.h"

/*
 * What is requested: the names that the client gave, or all that the model has; and the states, to
 * which it does no harm to be there twice.
 */
static size_t count_outputs(const struct hc_request *request) {
    const struct hc_model *model = request->model;
    return (request->n_outputs > 0 ? request->n_outputs : model->n_outputs) + model->n_states;
}

static struct hc_text output_name(const struct hc_request *request, size_t i) {
    const struct hc_model *model = request->model;
    if (i < model->n_states) {
        return model->states[i].output;
    }
    i -= model->n_states;
    return request->n_outputs > 0 ? request->outputs[i] : model->outputs[i].name;
}

/* Where output I, among those that the client has named, may go in a GPU's memory; or NULL. */
static const struct hc_output_place *gpu_place(const struct hc_request *request, size_t i) {
    const struct hc_output_place *place = views_find_gpu_place(request, request->outputs[i]);
    return place == &request->output_places[i] ? place : NULL;
}

static size_t count_gpu_places(const struct hc_request *request) {
    size_t n = 0;
    for (size_t i = 0; request->output_places != NULL && i < request->n_outputs; i++) {
        n += gpu_place(request, i) != NULL ? 1 : 0;
    }
    return n;
}

static bool is_on_gpu(const struct hc_input *input) {
    return input->view.region != NULL && !hc_shm_is_system(input->view.region);
}

static size_t message_size(const struct hc_request *request, struct hc_text parameters,
                           bool *overflow) {
    struct message_layout layout = {0};
    message_place(&layout, sizeof(struct hc_message_request));
    message_place(&layout, request->n_inputs * sizeof(struct hc_message_tensor));
    message_place(&layout, count_outputs(request) * sizeof(struct hc_span));
    for (size_t i = 0; i < request->n_inputs; i++) {
        message_place(&layout, request->inputs[i].n_dims * sizeof(int64_t));
        message_place(&layout, request->inputs[i].name.size);
        message_place(&layout,
                      is_on_gpu(&request->inputs[i]) ? sizeof(struct hc_message_region) : 0);
    }
    for (size_t i = 0; i < count_outputs(request); i++) {
        message_place(&layout, output_name(request, i).size);
    }
    message_place(&layout, request->id.size);
    message_place(&layout, request->correlation.string.size);
    message_place(&layout, parameters.size);
    size_t n_places = count_gpu_places(request);
    message_place(&layout, n_places * sizeof(struct hc_message_output_place));
    message_place(&layout, n_places * sizeof(struct hc_message_region));
    *overflow = layout.overflow;
    return layout.size;
}

/* SIZE bytes from OFFSET of a region of a GPU's memory. */
static struct hc_place put_region(struct message_writer *writer, const struct hc_shm_region *region,
                                  uint64_t offset, uint64_t size) {
    const struct hc_shm_share *share = hc_shm_find_share(region);
    size_t place = message_place(&writer->layout, sizeof(struct hc_message_region));
    struct hc_message_region *message = (void *)(writer->base + place);
    *message = (struct hc_message_region){
        .id = share->id,
        .server = (uint32_t)getpid(),
        .witness = (uint32_t)share->witness,
    };
    memcpy(message->gpu_uuid, share->gpu.bytes, sizeof message->gpu_uuid);
    memcpy(message->handle, share->handle.bytes, sizeof message->handle);
    return (struct hc_place){
        .offset = offset, .size = size, .arena = HC_ARENA_GPU, .block = (uint32_t)place};
}

static void put_input(struct message_writer *writer, const struct hc_input *input,
                      struct hc_message_tensor *tensor) {
    uint32_t dims_offset = message_put_dims(writer, input->dims, input->n_dims);
    *tensor = (struct hc_message_tensor){
        .name = message_put_text(writer, input->name),
        .dtype = (uint32_t)input->dtype,
        .n_dims = (uint32_t)input->n_dims,
        .dims_offset = dims_offset,
        .data = {.arena = HC_ARENA_REQUEST, .size = input->size},
    };
    if (input->block != NULL) {
        tensor->data.offset = input->block->offset + input->offset;
        tensor->data.block = input->block->index;
        tensor->data.generation = input->block->generation;
    } else if (is_on_gpu(input)) {
        tensor->data = put_region(writer, input->view.region, input->view.offset, input->size);
    } else if (input->view.region != NULL) {
        tensor->data.arena = HC_ARENA_CLIENT;
        tensor->data.offset = input->view.offset;
        tensor->data.block = (uint32_t)input->view.fd;
        tensor->data.generation = (uint32_t)getpid();
    }
}

static void put_places(struct message_writer *writer, const struct hc_request *request,
                       struct hc_message_request *message) {
    size_t n = count_gpu_places(request);
    size_t offset = message_place(&writer->layout, n * sizeof(struct hc_message_output_place));
    struct hc_message_output_place *places = (void *)(writer->base + offset);
    message->n_places = (uint32_t)n;
    message->places_offset = (uint32_t)offset;
    for (size_t i = 0; n > 0 && i < request->n_outputs; i++) {
        const struct hc_output_place *place = gpu_place(request, i);
        if (place != NULL) {
            *places++ = (struct hc_message_output_place){
                .output = (uint32_t)(request->model->n_states + i),
                .place = put_region(writer, place->region, place->offset, place->size),
            };
        }
    }
}

static void put_request(struct message_writer *writer, const struct hc_request *request,
                        struct hc_text parameters, const struct hc_block *block) {
    struct hc_message_request *message =
        (void *)(writer->base + message_place(&writer->layout, sizeof *message));
    size_t inputs_offset =
        message_place(&writer->layout, request->n_inputs * sizeof(struct hc_message_tensor));
    size_t outputs_offset =
        message_place(&writer->layout, count_outputs(request) * sizeof(struct hc_span));
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
        outputs[i] = message_put_text(writer, output_name(request, i));
    }
    message->id = message_put_text(writer, request->id);
    message->correlation_string = message_put_text(writer, request->correlation.string);
    message->parameters = message_put_text(writer, parameters);
    put_places(writer, request, message);
    message->size = (uint32_t)writer->layout.size;
}

enum hc_code hc_message_write(struct hc_request *request, struct hc_block **block_out,
                              struct hc_error *error) {
    hc_auto_buf parameters = {0};
    message_append_parameters(&parameters, request->parameters, request->n_parameters);
    bool overflow;
    size_t size = message_size(request, hc_buf_text(&parameters), &overflow);
    if (overflow) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "the names and parameters of the request are too long");
    }
    struct hc_arena *arena = request->model->arena;
    struct hc_block *block;
    HC_TRY(hc_arena_alloc(arena, size, &block, error));
    struct message_writer writer = {.base = hc_arena_memory(arena, block)};
    put_request(&writer, request, hc_buf_text(&parameters), block);
    *block_out = block;
    return HC_OK;
}

void hc_message_put_states(const struct hc_request *request) {
    const struct hc_model *model = request->model;
    if (model->n_states == 0 || request->_job.sequence == NULL) {
        return; /* there are none, or they are in it for good */
    }
    struct message_writer writer = {.base = hc_arena_memory(model->arena, request->_backend)};
    message_place(&writer.layout, sizeof(struct hc_message_request));
    struct hc_message_tensor *inputs =
        (void *)(writer.base + message_place(&writer.layout, request->n_inputs * sizeof *inputs));
    message_place(&writer.layout, count_outputs(request) * sizeof(struct hc_span));
    for (size_t i = 0; i < request->_first_state + model->n_states; i++) {
        put_input(&writer, &request->inputs[i], &inputs[i]);
    }
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
