/* From what was read of a request to the request: its settings, and its inputs in the arena. */
#include <string.h>

#include "base/alloc.h"
#include "http_infer.h"

static size_t input_size(const struct hc_infer_json_input *input) {
    return input->source == HC_INFER_JSON_DATA     ? input->data.size
           : input->source == HC_INFER_JSON_BINARY ? (size_t)input->binary_size
                                                   : (size_t)input->region.size;
}

static enum hc_code take_region(const struct http_infer *infer,
                                const struct hc_infer_json_region *from,
                                struct hc_shm_region **region, struct hc_error *error) {
    return hc_shm_take(infer->api->server->shm, from->name, from->offset, from->size, region,
                       error);
}

/* Where the outputs are wanted that go to shared memory as they are. */
static void place_outputs(struct http_infer *infer) {
    struct hc_request *request = infer->request;
    size_t n = infer->json.n_outputs;
    struct hc_output_place *places = hc_pool_alloc(&request->pool, n * sizeof *places);
    for (size_t i = 0; i < n; i++) {
        const struct hc_infer_json_output *output = &infer->json.outputs[i];
        places[i] = (struct hc_output_place){0};
        if (output->shared && output->classification == 0) {
            places[i] = hc_request_output_place(request, infer->output_regions[i],
                                                output->region.offset, output->region.size);
        }
    }
    request->output_places = places;
}

/* The regions of shared memory that inputs and outputs are said to be in. */
static enum hc_code take_regions(struct http_infer *infer, struct hc_error *error) {
    const struct hc_infer_json_request *json = &infer->json;
    size_t n = json->n_inputs + json->n_outputs;
    struct hc_shm_region **regions = hc_pool_alloc(&infer->request->pool, n * sizeof *regions);
    memset(regions, 0, n * sizeof *regions);
    infer->input_regions = regions;
    infer->output_regions = regions + json->n_inputs;
    for (size_t i = 0; i < json->n_inputs; i++) {
        if (json->inputs[i].source == HC_INFER_JSON_SHARED) {
            HC_TRY(take_region(infer, &json->inputs[i].region, &infer->input_regions[i], error));
        }
    }
    for (size_t i = 0; i < json->n_outputs; i++) {
        if (json->outputs[i].shared) {
            HC_TRY(take_region(infer, &json->outputs[i].region, &infer->output_regions[i], error));
        }
    }
    return HC_OK;
}

static void describe_inputs(struct http_infer *infer) {
    struct hc_request *request = infer->request;
    for (size_t i = 0; i < request->n_inputs; i++) {
        const struct hc_infer_json_input *from = &infer->json.inputs[i];
        struct hc_input *input = &request->inputs[i];
        *input = (struct hc_input){
            .name = from->name,
            .dtype = from->dtype,
            .dims = from->dims,
            .n_dims = from->n_dims,
            .size = input_size(from),
        };
        if (from->source == HC_INFER_JSON_SHARED) {
            hc_request_leave_input(request, infer->input_regions[i], from->region.offset, input);
        }
    }
}

/* How much all inputs take in one block, each aligned. */
static enum hc_code total_size(const struct http_infer *infer, size_t *total,
                               struct hc_error *error) {
    size_t sum = 0;
    for (size_t i = 0; i < infer->request->n_inputs; i++) {
        const struct hc_input *input = &infer->request->inputs[i];
        if (hc_input_is_left(input)) {
            continue;
        }
        if (input->size > infer->api->options.max_body_size ||
            !hc_size_add(sum, hc_align_up(input->size, HTTP_TENSOR_ALIGNMENT), &sum)) {
            return hc_error_set(error, HC_INVALID_ARGUMENT, "the inputs are too large");
        }
    }
    *total = sum;
    return HC_OK;
}

/* Input I into its part of the block: converted or copied now, or received later. */
static enum hc_code place_input(struct http_infer *infer, size_t i, char *place,
                                struct hc_error *error) {
    const struct hc_infer_json_input *from = &infer->json.inputs[i];
    size_t size = infer->request->inputs[i].size;
    switch (from->source) {
    case HC_INFER_JSON_DATA:
        hc_infer_json_copy_data(from, place);
        break;
    case HC_INFER_JSON_BINARY:
        infer->vectors[infer->n_vectors++] = (struct iovec){place, size};
        break;
    case HC_INFER_JSON_SHARED:
        return hc_shm_read(infer->input_regions[i], from->region.offset, place, size, error);
    }
    return HC_OK;
}

static enum hc_code place_inputs(struct http_infer *infer, struct hc_error *error) {
    struct hc_request *request = infer->request;
    size_t n = infer->json.n_inputs;
    request->inputs = hc_pool_alloc(&request->pool, n * sizeof *request->inputs);
    request->n_inputs = n;
    infer->vectors = hc_pool_alloc(&request->pool, n * sizeof *infer->vectors);
    size_t total;
    HC_TRY(take_regions(infer, error));
    place_outputs(infer);
    describe_inputs(infer);
    HC_TRY(total_size(infer, &total, error));
    struct hc_block *block = NULL;
    char *memory = NULL;
    if (total > 0) {
        HC_TRY(hc_request_alloc(request, total, &block, &memory, error));
    }
    size_t offset = 0;
    for (size_t i = 0; i < n; i++) {
        struct hc_input *input = &request->inputs[i];
        if (input->size == 0 || hc_input_is_left(input)) {
            continue;
        }
        input->block = block;
        input->offset = offset;
        HC_TRY(place_input(infer, i, memory + offset, error));
        offset += hc_align_up(input->size, HTTP_TENSOR_ALIGNMENT);
    }
    return HC_OK;
}

static void copy_settings(struct http_infer *infer) {
    const struct hc_infer_json_request *json = &infer->json;
    struct hc_request *request = infer->request;
    request->id = json->id;
    request->parameters = json->parameters;
    request->n_parameters = json->n_parameters;
    request->priority = json->priority;
    request->timeout_us = json->timeout_us;
    request->flags = (json->sequence_start ? HC_SEQUENCE_START : 0u) |
                     (json->sequence_end ? HC_SEQUENCE_END : 0u);
    request->correlation = (struct hc_correlation){
        .string = json->sequence_string,
        .number = json->sequence_number,
    };
    struct hc_text *names = hc_pool_alloc(&request->pool, json->n_outputs * sizeof *names);
    for (size_t i = 0; i < json->n_outputs; i++) {
        names[i] = json->outputs[i].name;
    }
    request->outputs = names;
    request->n_outputs = json->n_outputs;
}

enum hc_code http_infer_take(struct http_infer *infer, struct hc_error *error) {
    copy_settings(infer);
    return place_inputs(infer, error);
}
