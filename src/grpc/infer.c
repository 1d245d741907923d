/* One inference, from its message to the model. */
#include "infer.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "core/forward.h"
#include "core/infer.h"

enum hc_code grpc_infer_find_model(struct grpc_infer *infer, struct hc_error *error) {
    struct hc_request *request = infer->request;
    struct hc_model *model;
    HC_TRY(grpc_find_model(infer->context, infer->proto.model_name, infer->proto.model_version,
                           &model, error));
    if (request->model == NULL) {
        request->model = model;
        hc_model_ref(model);
    } else if (request->model != model) {
        return hc_error_set(error, HC_UNAVAILABLE,
                            "the model was replaced while the request arrived");
    }
    return HC_OK;
}

/* ---- Inputs ---- */

static struct hc_input *add_input(struct hc_request *request,
                                  const struct hc_infer_proto_input *from) {
    struct hc_input *input = &request->inputs[request->n_inputs++];
    *input = (struct hc_input){
        .name = from->name,
        .dtype = from->dtype,
        .dims = from->dims,
        .n_dims = from->n_dims,
    };
    return input;
}

/* Room for SIZE bytes of INPUT. */
static enum hc_code allocate(struct hc_request *request, struct hc_input *input, size_t size,
                             char **memory, struct hc_error *error) {
    input->size = size;
    *memory = NULL;
    return size > 0 ? hc_request_alloc(request, size, &input->block, memory, error) : HC_OK;
}

static enum hc_code place_raw(struct grpc_infer *infer, const struct hc_infer_proto_input *from,
                              struct hc_input *input, struct hc_error *error) {
    if (from->raw >= infer->n_raws) {
        return HC_OK; /* more inputs than the model has: hc_infer() refuses them by their names */
    }
    const struct grpc_raw *raw = &infer->raws[from->raw];
    char *memory;
    if (raw->block != NULL || raw->size == 0) {
        input->block = raw->block;
        input->size = raw->size;
        return HC_OK;
    }
    HC_TRY(allocate(infer->request, input, raw->size, &memory, error));
    memcpy(memory, raw->heap, raw->size);
    return HC_OK;
}

static enum hc_code place_contents(struct hc_request *request,
                                   const struct hc_infer_proto_input *from, struct hc_input *input,
                                   struct hc_error *error) {
    char *memory;
    HC_TRY(allocate(request, input, from->contents_size, &memory, error));
    if (memory != NULL) {
        hc_infer_proto_copy_contents(from, memory);
    }
    return HC_OK;
}

static enum hc_code place_shared(struct grpc_infer *infer, size_t i, struct hc_input *input,
                                 struct hc_error *error) {
    const struct hc_infer_proto_region *region = &infer->proto.inputs[i].region;
    char *memory;
    input->size = (size_t)region->size;
    if (hc_request_leave_input(infer->request, infer->input_regions[i], region->offset, input)) {
        return HC_OK;
    }
    HC_TRY(allocate(infer->request, input, (size_t)region->size, &memory, error));
    return hc_shm_read(infer->input_regions[i], region->offset, memory, input->size, error);
}

static enum hc_code place_input(struct grpc_infer *infer, size_t i, struct hc_error *error) {
    const struct hc_infer_proto_input *from = &infer->proto.inputs[i];
    struct hc_input *input = add_input(infer->request, from);
    switch (from->source) {
    case HC_INFER_PROTO_RAW:
        return place_raw(infer, from, input, error);
    case HC_INFER_PROTO_CONTENTS:
        return place_contents(infer->request, from, input, error);
    case HC_INFER_PROTO_SHARED:
        break;
    }
    return place_shared(infer, i, input, error);
}

static enum hc_code take_region(const struct grpc_infer *infer,
                                const struct hc_infer_proto_region *from,
                                struct hc_shm_region **region, struct hc_error *error) {
    return hc_shm_take(infer->context->server->shm, from->name, from->offset, from->size, region,
                       error);
}

/* The regions of shared memory that inputs and outputs are said to be in. */
static enum hc_code take_regions(struct grpc_infer *infer, struct hc_error *error) {
    const struct hc_infer_proto_request *proto = &infer->proto;
    size_t n = proto->n_inputs + proto->n_outputs;
    struct hc_shm_region **regions = hc_pool_alloc(&infer->request->pool, n * sizeof *regions);
    memset(regions, 0, n * sizeof *regions);
    infer->input_regions = regions;
    infer->output_regions = regions + proto->n_inputs;
    for (size_t i = 0; i < proto->n_inputs; i++) {
        if (proto->inputs[i].source == HC_INFER_PROTO_SHARED) {
            HC_TRY(take_region(infer, &proto->inputs[i].region, &infer->input_regions[i], error));
        }
    }
    for (size_t i = 0; i < proto->n_outputs; i++) {
        if (proto->outputs[i].shared) {
            HC_TRY(take_region(infer, &proto->outputs[i].region, &infer->output_regions[i], error));
        }
    }
    return HC_OK;
}

/* Where the outputs are wanted that go to shared memory as they are. */
static void place_outputs(struct grpc_infer *infer) {
    struct hc_request *request = infer->request;
    size_t n = infer->proto.n_outputs;
    struct hc_output_place *places = hc_pool_alloc(&request->pool, n * sizeof *places);
    for (size_t i = 0; i < n; i++) {
        const struct hc_infer_proto_output *output = &infer->proto.outputs[i];
        places[i] = (struct hc_output_place){0};
        if (output->shared && output->classification == 0) {
            places[i] = hc_request_output_place(request, infer->output_regions[i],
                                                output->region.offset, output->region.size);
        }
    }
    request->output_places = places;
}

static enum hc_code place_inputs(struct grpc_infer *infer, struct hc_error *error) {
    struct hc_request *request = infer->request;
    request->inputs =
        hc_pool_alloc(&request->pool, infer->proto.n_inputs * sizeof *request->inputs);
    for (size_t i = 0; i < infer->proto.n_inputs; i++) {
        HC_TRY(place_input(infer, i, error));
    }
    return HC_OK;
}

/* ---- The rest ---- */

static void copy_settings(struct grpc_infer *infer) {
    const struct hc_infer_proto_request *proto = &infer->proto;
    struct hc_request *request = infer->request;
    request->id = proto->id;
    request->parameters = proto->custom;
    request->n_parameters = proto->n_custom;
    request->priority = proto->priority;
    request->timeout_us = proto->timeout_us;
    request->flags = (proto->sequence_start ? HC_SEQUENCE_START : 0u) |
                     (proto->sequence_end ? HC_SEQUENCE_END : 0u);
    request->correlation = (struct hc_correlation){
        .string = proto->sequence_string,
        .number = proto->sequence_number,
    };
    struct hc_text *names = hc_pool_alloc(&request->pool, proto->n_outputs * sizeof *names);
    for (size_t i = 0; i < proto->n_outputs; i++) {
        names[i] = proto->outputs[i].name;
    }
    request->outputs = names;
    request->n_outputs = proto->n_outputs;
}

static void on_response(struct hc_request *request, struct hc_response *response, bool final) {
    struct grpc_infer *infer = request->user;
    infer->running = !final;
    infer->on_answer(infer, response, final);
}

void grpc_infer_begin(struct grpc_infer *infer, struct hc_context *context, size_t size,
                      grpc_on_answer on_answer, void *user) {
    infer->context = context;
    infer->on_answer = on_answer;
    infer->user = user;
    infer->size = size;
    infer->request = hc_request_create(context);
    infer->request->received_ns = hc_clock_ns();
    infer->request->on_response = on_response;
    infer->request->user = infer;
    grpc_infer_begin_intake(infer);
}

enum hc_code grpc_infer_read(struct grpc_infer *infer, struct hc_error *error) {
    HC_TRY(hc_infer_proto_end(&infer->intake, error));
    return hc_infer_proto_read(hc_buf_text(&infer->intake.rest), &infer->request->pool,
                               &infer->proto, error);
}

enum hc_code grpc_infer_run(struct grpc_infer *infer, const struct grpc_call *call,
                            struct hc_error *error) {
    const struct hc_http_request *http = hc_http2_request(call->stream);
    struct hc_request *request = infer->request;
    HC_TRY(hc_infer_proto_check(&infer->proto, infer->n_raws_sent, &request->pool, error));
    copy_settings(infer);
    hc_forward_headers(call->api->forward, http->headers, http->n_headers, request);
    HC_TRY(take_regions(infer, error));
    place_outputs(infer);
    HC_TRY(place_inputs(infer, error));
    infer->running = true;
    enum hc_code code = hc_infer(request, error);
    if (code != HC_OK) {
        infer->running = false;
    }
    return code;
}

void grpc_infer_cancel(struct grpc_infer *infer) {
    if (infer->running) {
        hc_infer_cancel(infer->request);
    }
}

void grpc_infer_finish(struct grpc_infer *infer) {
    size_t n_regions =
        infer->input_regions != NULL ? infer->proto.n_inputs + infer->proto.n_outputs : 0;
    for (size_t i = 0; i < n_regions; i++) {
        hc_shm_release(infer->input_regions[i]);
    }
    hc_request_release(hc_take(infer->request));
    grpc_infer_finish_intake(infer);
}
