/* POST …/infer: a request read into the model's arena, its response written from where it lies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "core/infer.h"
#include "http_internal.h"
#include "wire/infer_json.h"

enum { TENSOR_ALIGNMENT = 64 };

/* One inference over HTTP; lives in the exchange's pool. */
struct infer {
    struct hc_http_api *api;
    struct hc_http_exchange *exchange;
    struct hc_request *request;
    struct hc_infer_json_request json;
    struct iovec *vectors; /* where binary inputs go */
    size_t n_vectors;
    size_t json_size; /* of the JSON part before binary inputs; 0: all is JSON */
};

static void answer_error(struct infer *infer, enum hc_code code, struct hc_text message) {
    struct hc_http_exchange *exchange = infer->exchange;
    hc_request_release(hc_take(infer->request));
    http_answer_error(exchange, code, message);
}

static void answer(struct infer *infer, const struct hc_error *error) {
    answer_error(infer, error->code, hc_text_of(error->message));
}

/* ---- The response ---- */

/* A response that is being sent from where it lies. */
struct sending {
    struct hc_response *response;
    size_t n_left; /* segments that refer to it */
};

static void release_segment(void *context) {
    struct sending *sending = context;
    if (--sending->n_left == 0) {
        hc_response_release(sending->response);
    }
}

static const struct hc_infer_json_output *find_wanted(const struct infer *infer,
                                                      struct hc_text name) {
    for (size_t i = 0; i < infer->json.n_outputs; i++) {
        if (hc_text_equal(infer->json.outputs[i].name, name)) {
            return &infer->json.outputs[i];
        }
    }
    return NULL;
}

static struct hc_infer_json_tensor describe(const struct infer *infer,
                                            const struct hc_output *output) {
    const struct hc_infer_json_output *wanted = find_wanted(infer, output->name);
    bool binary = wanted != NULL ? wanted->binary : infer->json.binary_outputs;
    return (struct hc_infer_json_tensor){
        .name = output->name,
        .dtype = output->dtype,
        .dims = output->dims,
        .n_dims = output->n_dims,
        .form = binary ? HC_INFER_JSON_AS_BINARY : HC_INFER_JSON_AS_DATA,
        .data = output->data,
        .size = output->size,
    };
}

/* Send the JSON text, and behind it the binary outputs. */
static void send_response(struct infer *infer, struct hc_buf *json,
                          const struct hc_infer_json_tensor *tensors,
                          struct hc_response *response) {
    struct hc_pool *pool = hc_http_pool(infer->exchange);
    struct hc_segment *segments = hc_pool_alloc(pool, (1 + response->n_outputs) * sizeof *segments);
    struct sending *sending = hc_pool_alloc(pool, sizeof *sending);
    *sending = (struct sending){.response = response, .n_left = 1};
    size_t n = 1;
    segments[0] = (struct hc_segment){json->data, json->size, free, json->data};
    for (size_t i = 0; i < response->n_outputs; i++) {
        if (tensors[i].form == HC_INFER_JSON_AS_BINARY && tensors[i].size > 0) {
            segments[n++] =
                (struct hc_segment){tensors[i].data, tensors[i].size, release_segment, sending};
            sending->n_left++;
        }
    }
    char *json_size = hc_pool_alloc(pool, 24);
    int digits = snprintf(json_size, 24, "%zu", json->size);
    const struct hc_http_header headers[] = {
        {HC_TEXT("Content-Type"),
         n > 1 ? HC_TEXT("application/octet-stream") : HC_TEXT("application/json")},
        {HC_TEXT("Inference-Header-Content-Length"), {json_size, (size_t)digits}},
    };
    *json = (struct hc_buf){0};
    struct hc_http_exchange *exchange = infer->exchange;
    hc_request_release(hc_take(infer->request));
    hc_http_respond(exchange, 200, headers, n > 1 ? 2 : 1, segments, n);
    release_segment(sending);
}

static void answer_outputs(struct infer *infer, struct hc_response *response) {
    const struct hc_request *request = infer->request;
    struct hc_infer_json_tensor *tensors =
        hc_pool_alloc(hc_http_pool(infer->exchange), response->n_outputs * sizeof *tensors);
    for (size_t i = 0; i < response->n_outputs; i++) {
        tensors[i] = describe(infer, &response->outputs[i]);
    }
    const struct hc_infer_json_response json = {
        .id = request->id,
        .model_name = hc_text_of(request->model->name),
        .model_version = request->model->version,
        .parameters = response->parameters,
        .n_parameters = response->n_parameters,
        .outputs = tensors,
        .n_outputs = response->n_outputs,
    };
    struct hc_buf body = {0};
    struct hc_error error;
    if (hc_infer_json_write(&body, &json, (struct hc_infer_json_policy){0}, &error) != HC_OK) {
        hc_buf_finish(&body);
        hc_response_release(response);
        answer(infer, &error);
        return;
    }
    send_response(infer, &body, tensors, response);
}

static void on_response(struct hc_request *request, struct hc_response *response, bool final) {
    struct infer *infer = request->user;
    if (!final) {
        hc_response_release(response); /* models that answer several times are refused before */
        return;
    }
    if (response == NULL) {
        answer_error(infer, HC_INTERNAL, HC_TEXT("the model gave no response"));
    } else if (response->code != HC_OK) {
        answer_error(infer, response->code, response->message);
        hc_response_release(response);
    } else {
        answer_outputs(infer, response);
    }
}

/* ---- The request ---- */

static void on_close(struct hc_http_exchange *exchange, enum hc_http_loss loss) {
    struct infer *infer = hc_http_data(exchange);
    if (loss == HC_HTTP_GONE) {
        hc_infer_cancel(infer->request);
    }
}

static void run(struct infer *infer) {
    struct hc_error error;
    if (hc_infer(infer->request, &error) != HC_OK) {
        answer(infer, &error);
        return;
    }
    hc_http_set_data(infer->exchange, infer);
    hc_http_on_close(infer->exchange, on_close);
}

static void on_binary(struct hc_http_exchange *exchange, struct hc_text bytes,
                      const struct hc_error *error) {
    (void)bytes;
    struct infer *infer = hc_http_data(exchange);
    if (error != NULL) {
        answer(infer, error);
    } else {
        run(infer);
    }
}

static size_t input_size(const struct hc_infer_json_input *input) {
    return input->source == HC_INFER_JSON_DATA ? input->data.size : (size_t)input->binary_size;
}

/* How much all inputs take in one block, each aligned. */
static enum hc_code total_size(const struct infer *infer, size_t *total, struct hc_error *error) {
    size_t sum = 0;
    for (size_t i = 0; i < infer->json.n_inputs; i++) {
        size_t size = input_size(&infer->json.inputs[i]);
        if (size > infer->api->options.max_body_size ||
            !hc_size_add(sum, hc_align_up(size, TENSOR_ALIGNMENT), &sum)) {
            return hc_error_set(error, HC_INVALID_ARGUMENT, "the inputs are too large");
        }
    }
    *total = sum;
    return HC_OK;
}

/* One input into its part of the block: converted now, or received later. */
static void place_input(struct infer *infer, const struct hc_infer_json_input *from,
                        struct hc_input *input, char *place) {
    if (from->source == HC_INFER_JSON_DATA) {
        hc_infer_json_copy_data(from, place);
    } else if (input->size > 0) {
        infer->vectors[infer->n_vectors++] = (struct iovec){place, input->size};
    }
}

static enum hc_code refuse_region(const struct hc_infer_json_input *input, struct hc_error *error) {
    return hc_error_set(error, HC_NOT_FOUND, "Unable to find shared memory region: '%.*s'",
                        HC_TEXT_ARGS(input->region.name));
}

static enum hc_code place_inputs(struct infer *infer, struct hc_error *error) {
    struct hc_request *request = infer->request;
    size_t n = infer->json.n_inputs;
    request->inputs = hc_pool_alloc(&request->pool, n * sizeof *request->inputs);
    request->n_inputs = n;
    infer->vectors = hc_pool_alloc(&request->pool, n * sizeof *infer->vectors);
    size_t total;
    HC_TRY(total_size(infer, &total, error));
    struct hc_block *block = NULL;
    char *memory = NULL;
    if (total > 0) {
        HC_TRY(hc_request_alloc(request, total, &block, &memory, error));
    }
    size_t offset = 0;
    for (size_t i = 0; i < n; i++) {
        const struct hc_infer_json_input *from = &infer->json.inputs[i];
        if (from->source == HC_INFER_JSON_SHARED) {
            return refuse_region(from, error);
        }
        size_t size = input_size(from);
        request->inputs[i] = (struct hc_input){
            .name = from->name,
            .dtype = from->dtype,
            .dims = from->dims,
            .n_dims = from->n_dims,
            .block = size > 0 ? block : NULL,
            .offset = offset,
            .size = size,
        };
        if (size > 0) {
            place_input(infer, from, &request->inputs[i], memory + offset);
        }
        offset += hc_align_up(size, TENSOR_ALIGNMENT);
    }
    return HC_OK;
}

static void copy_settings(struct infer *infer) {
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

/* The JSON part is here: make the request, and say where the rest is to go. */
static enum hc_code read_request(struct infer *infer, struct hc_text text, struct hc_error *error) {
    struct hc_pool *pool = &infer->request->pool;
    if (infer->json_size > 0) {
        text.data = hc_pool_copy(pool, text); /* the next read takes its place */
    }
    HC_TRY(hc_infer_json_read(text, pool, &infer->json, error));
    uint64_t left = 0;
    if (!hc_http_body_left(infer->exchange, &left)) {
        left = UINT64_MAX;
    }
    if (left != UINT64_MAX) {
        HC_TRY(hc_infer_json_check_binary(&infer->json, left,
                                          hc_text_of(infer->request->model->name), error));
    }
    copy_settings(infer);
    return place_inputs(infer, error);
}

static void on_json(struct hc_http_exchange *exchange, struct hc_text bytes,
                    const struct hc_error *failure) {
    struct infer *infer = hc_http_data(exchange);
    struct hc_error error;
    if (failure != NULL) {
        answer(infer, failure);
    } else if (read_request(infer, bytes, &error) != HC_OK) {
        answer(infer, &error);
    } else if (infer->n_vectors > 0) {
        hc_http_read_into(exchange, infer->vectors, infer->n_vectors, on_binary);
    } else {
        run(infer);
    }
}

/* How the body is to be read, by its headers. */
static enum hc_code read_headers(struct infer *infer, struct hc_error *error) {
    const struct hc_http_request *http = hc_http_request(infer->exchange);
    const struct hc_http_header *encoding =
        hc_http_find(http->headers, http->n_headers, "content-encoding");
    if (encoding != NULL && encoding->value.size > 0 &&
        !hc_text_is_nocase(encoding->value, "identity")) {
        return hc_error_set(error, HC_UNIMPLEMENTED, "Unsupported compression type");
    }
    const struct hc_http_header *header =
        hc_http_find(http->headers, http->n_headers, "inference-header-content-length");
    if (header == NULL) {
        return HC_OK;
    }
    uint64_t body_size;
    bool known = hc_http_body_left(infer->exchange, &body_size);
    uint64_t json_size;
    if (!hc_text_number(header->value, INT32_MAX, &json_size) || (known && json_size > body_size)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "inference header size should be in range (0, %lld), got: %.*s",
                            known ? (long long)body_size : -1, HC_TEXT_ARGS(header->value));
    }
    infer->json_size = (size_t)json_size;
    return HC_OK;
}

void http_infer(const struct http_call *call) {
    struct hc_model *model;
    struct hc_error error;
    if (http_find_model(call, &model, &error) != HC_OK) {
        http_answer_error(call->exchange, error.code, hc_text_of(error.message));
        return;
    }
    if (model->decoupled) {
        http_answer_error(call->exchange, HC_UNIMPLEMENTED,
                          HC_TEXT("HTTP end point doesn't support models with decoupled "
                                  "transaction policy"));
        return;
    }
    struct infer *infer = hc_pool_alloc(hc_http_pool(call->exchange), sizeof *infer);
    *infer = (struct infer){.api = call->api, .exchange = call->exchange};
    infer->request = hc_request_create(call->context);
    infer->request->received_ns = hc_clock_ns();
    infer->request->model = model;
    hc_model_ref(model);
    infer->request->on_response = on_response;
    infer->request->user = infer;
    hc_http_set_data(call->exchange, infer);
    if (read_headers(infer, &error) != HC_OK) {
        answer(infer, &error);
    } else if (infer->json_size > 0) {
        hc_http_read(call->exchange, infer->json_size, on_json);
    } else {
        hc_http_read_all(call->exchange, call->api->options.max_input_size, on_json);
    }
}
