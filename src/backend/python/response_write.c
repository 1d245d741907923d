/* Messages to a pyhost: the response to a call, with its data, in the caller's arena. */
#include <string.h>

#include "base/alloc.h"
#include "message.h"
#include "message_layout.h"

struct sizes {
    size_t message;
    size_t total; /* with the data */
};

static bool measure(const struct hc_response *response, struct hc_text parameters,
                    struct sizes *sizes) {
    struct message_layout layout = {0};
    message_place(&layout, sizeof(struct hc_message_response));
    message_place(&layout, response->n_outputs * sizeof(struct hc_message_tensor));
    message_place(&layout, response->message.size);
    message_place(&layout, parameters.size);
    for (size_t i = 0; i < response->n_outputs; i++) {
        message_place(&layout, response->outputs[i].n_dims * sizeof(int64_t));
        message_place(&layout, response->outputs[i].name.size);
    }
    sizes->message = layout.size;
    sizes->total = hc_align_up(layout.size, HC_BLOCK_ALIGNMENT);
    for (size_t i = 0; i < response->n_outputs; i++) {
        size_t size = response->outputs[i].size;
        if (size > SIZE_MAX / 2 ||
            !hc_size_add(sizes->total, hc_align_up(size, HC_BLOCK_ALIGNMENT), &sizes->total)) {
            return false;
        }
    }
    return !layout.overflow;
}

/* Copy the data of OUTPUT to OFFSET of the block. */
static struct hc_place put_data(const struct message_writer *writer, const struct hc_block *block,
                                size_t offset, const struct hc_output *output) {
    if (output->size > 0) {
        memcpy(writer->base + offset, output->data, output->size);
    }
    return (struct hc_place){
        .offset = block->offset + offset,
        .size = output->size,
        .arena = HC_ARENA_REQUEST,
        .block = block->index,
        .generation = block->generation,
    };
}

static void put_response(struct message_writer *writer, const struct hc_response *response,
                         struct hc_text parameters, const struct sizes *sizes,
                         const struct hc_block *block) {
    struct hc_message_response *message =
        (void *)(writer->base + message_place(&writer->layout, sizeof *message));
    size_t outputs_offset =
        message_place(&writer->layout, response->n_outputs * sizeof(struct hc_message_tensor));
    *message = (struct hc_message_response){
        .size = (uint32_t)sizes->message,
        .code = (uint32_t)response->code,
        .message = message_put_text(writer, response->message),
        .parameters = message_put_text(writer, parameters),
        .n_outputs = (uint32_t)response->n_outputs,
        .outputs_offset = (uint32_t)outputs_offset,
    };
    struct hc_message_tensor *tensors = (void *)(writer->base + outputs_offset);
    size_t data_offset = hc_align_up(sizes->message, HC_BLOCK_ALIGNMENT);
    for (size_t i = 0; i < response->n_outputs; i++) {
        const struct hc_output *output = &response->outputs[i];
        tensors[i] = (struct hc_message_tensor){
            .dims_offset = message_put_dims(writer, output->dims, output->n_dims),
            .name = message_put_text(writer, output->name),
            .dtype = (uint32_t)output->dtype,
            .n_dims = (uint32_t)output->n_dims,
            .data = put_data(writer, block, data_offset, output),
        };
        data_offset += hc_align_up(output->size, HC_BLOCK_ALIGNMENT);
    }
}

enum hc_code hc_message_write_response(struct hc_arena *arena, const struct hc_response *response,
                                       struct hc_block **block, size_t *size,
                                       struct hc_error *error) {
    hc_auto_buf parameters = {0};
    message_append_parameters(&parameters, response->parameters, response->n_parameters);
    struct sizes sizes;
    if (!measure(response, hc_buf_text(&parameters), &sizes)) {
        return hc_error_set(error, HC_INTERNAL, "the response is too large");
    }
    HC_TRY(hc_arena_alloc(arena, sizes.total, block, error));
    struct message_writer writer = {.base = hc_arena_memory(arena, *block)};
    put_response(&writer, response, hc_buf_text(&parameters), &sizes, *block);
    *size = sizes.message;
    return HC_OK;
}
