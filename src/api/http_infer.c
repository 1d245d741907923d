/* POST …/infer: a request read into the model's arena. */
#include "http_infer.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "core/infer.h"

static void on_close(struct hc_http_exchange *exchange, enum hc_http_loss loss) {
    struct http_infer *infer = hc_http_data(exchange);
    if (loss == HC_HTTP_GONE) {
        hc_infer_cancel(infer->request);
    }
}

void http_infer_run(struct http_infer *infer) {
    struct hc_error error;
    if (hc_infer(infer->request, &error) != HC_OK) {
        http_infer_fail_with(infer, &error);
        return;
    }
    hc_http_set_data(infer->exchange, infer);
    hc_http_on_close(infer->exchange, on_close);
}

static void on_binary(struct hc_http_exchange *exchange, struct hc_text bytes,
                      const struct hc_error *error) {
    (void)bytes;
    struct http_infer *infer = hc_http_data(exchange);
    if (error != NULL) {
        http_infer_fail_with(infer, error);
    } else {
        http_infer_run(infer);
    }
}

static size_t input_size(const struct hc_infer_json_input *input) {
    return input->source == HC_INFER_JSON_DATA ? input->data.size : (size_t)input->binary_size;
}

/* How much all inputs take in one block, each aligned. */
static enum hc_code total_size(const struct http_infer *infer, size_t *total,
                               struct hc_error *error) {
    size_t sum = 0;
    for (size_t i = 0; i < infer->json.n_inputs; i++) {
        size_t size = input_size(&infer->json.inputs[i]);
        if (size > infer->api->options.max_body_size ||
            !hc_size_add(sum, hc_align_up(size, HTTP_TENSOR_ALIGNMENT), &sum)) {
            return hc_error_set(error, HC_INVALID_ARGUMENT, "the inputs are too large");
        }
    }
    *total = sum;
    return HC_OK;
}

/* One input into its part of the block: converted now, or received later. */
static void place_input(struct http_infer *infer, const struct hc_infer_json_input *from,
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

static enum hc_code place_inputs(struct http_infer *infer, struct hc_error *error) {
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
        offset += hc_align_up(size, HTTP_TENSOR_ALIGNMENT);
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

/* The JSON part is here: make the request, and say where the rest is to go. */
static enum hc_code read_request(struct http_infer *infer, struct hc_text text,
                                 struct hc_error *error) {
    struct hc_pool *pool = &infer->request->pool;
    if (infer->json_size > 0) {
        text.data = hc_pool_copy(pool, text); /* the next read takes its place */
    }
    HC_TRY(hc_infer_json_read(text, pool, &infer->json, error));
    uint64_t left = 0;
    if (!http_body_left(&infer->body, &left)) {
        left = UINT64_MAX;
    }
    if (left != UINT64_MAX) {
        HC_TRY(hc_infer_json_check_binary(&infer->json, left,
                                          hc_text_of(infer->request->model->name), error));
    }
    copy_settings(infer);
    return place_inputs(infer, error);
}

/* The JSON part did not come; say so in Triton's words when it is too long. */
static void fail_to_read(struct http_infer *infer, const struct hc_error *failure) {
    const struct hc_http_request *http = hc_http_request(infer->exchange);
    const struct hc_http_header *length =
        hc_http_find(http->headers, http->n_headers, "content-length");
    if (failure->code != HC_OUT_OF_RANGE) {
        http_infer_fail_with(infer, failure);
        return;
    }
    struct hc_error error;
    hc_error_set(&error, HC_INVALID_ARGUMENT,
                 "request JSON size of %.*s bytes exceeds the maximum allowed input size of %zu "
                 "bytes. Use --http-max-input-size to increase the limit.",
                 HC_TEXT_ARGS(length != NULL ? length->value : HC_TEXT("more")),
                 infer->api->options.max_input_size);
    http_infer_fail_with(infer, &error);
}

static void on_json(struct hc_http_exchange *exchange, struct hc_text bytes,
                    const struct hc_error *failure) {
    struct http_infer *infer = hc_http_data(exchange);
    struct hc_error error;
    if (failure != NULL) {
        fail_to_read(infer, failure);
    } else if (read_request(infer, bytes, &error) != HC_OK) {
        http_infer_fail_with(infer, &error);
    } else if (infer->n_vectors > 0) {
        http_body_read_into(&infer->body, infer->vectors, infer->n_vectors, on_binary);
    } else {
        http_infer_run(infer);
    }
}

/* How the body is to be read, by its headers; RAW: it has no JSON part. */
static enum hc_code read_headers(struct http_infer *infer, bool *raw, struct hc_error *error) {
    const struct hc_http_request *http = hc_http_request(infer->exchange);
    uint64_t body_size;
    bool known = http_body_left(&infer->body, &body_size);
    const struct hc_http_header *header =
        hc_http_find(http->headers, http->n_headers, "inference-header-content-length");
    if (header == NULL) {
        *raw = known && body_size == 0;
        return HC_OK;
    }
    uint64_t json_size;
    if (!hc_text_number(header->value, INT32_MAX, &json_size) || (known && json_size > body_size)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "inference header size should be in range (0, %lld), got: %.*s",
                            known ? (long long)body_size : -1, HC_TEXT_ARGS(header->value));
    }
    if (json_size > infer->api->options.max_input_size) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "request JSON size of %llu bytes exceeds the maximum allowed input "
                            "size of %zu bytes. Use --http-max-input-size to increase the limit.",
                            (unsigned long long)json_size, infer->api->options.max_input_size);
    }
    *raw = json_size == 0;
    infer->json_size = (size_t)json_size;
    return HC_OK;
}

static void read_body(struct http_infer *infer) {
    struct hc_error error;
    bool raw = false;
    if (read_headers(infer, &raw, &error) != HC_OK) {
        http_infer_fail_with(infer, &error);
    } else if (raw) {
        http_infer_read_raw(infer);
    } else if (infer->json_size > 0) {
        http_body_read(&infer->body, infer->json_size, on_json);
    } else {
        http_body_read_all(&infer->body, infer->api->options.max_input_size, on_json);
    }
}

static void on_decoded(struct hc_http_exchange *exchange, struct hc_text bytes,
                       const struct hc_error *failure) {
    (void)bytes;
    struct http_infer *infer = hc_http_data(exchange);
    if (failure == NULL) {
        read_body(infer);
        return;
    }
    struct hc_error error = *failure;
    if (failure->code == HC_OUT_OF_RANGE) {
        hc_error_set(&error, HC_INVALID_ARGUMENT,
                     "Decompressed data size exceeds the maximum allowed value of %zu bytes. Use "
                     "--http-max-input-size to increase the limit.",
                     infer->api->options.max_input_size);
    }
    http_infer_fail_with(infer, &error);
}

static struct http_infer *create(const struct http_call *call, struct hc_model *model) {
    struct http_infer *infer = hc_pool_alloc(hc_http_pool(call->exchange), sizeof *infer);
    *infer = (struct http_infer){
        .body.exchange = call->exchange,
        .api = call->api,
        .exchange = call->exchange,
    };
    infer->request = hc_request_create(call->context);
    infer->request->received_ns = hc_clock_ns();
    infer->request->model = model;
    hc_model_ref(model);
    infer->request->on_response = http_infer_on_response;
    infer->request->user = infer;
    hc_http_set_data(call->exchange, infer);
    return infer;
}

void http_infer(const struct http_call *call) {
    struct hc_model *model;
    struct hc_error error;
    enum hc_coding coding;
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
    struct http_infer *infer = create(call, model);
    if (http_body_coding(&infer->body, &coding, &error) != HC_OK) {
        http_infer_refuse_coding(infer, &error);
    } else if (coding != HC_CODING_IDENTITY) {
        http_body_decode(&infer->body, coding, call->api->options.max_body_size,
                         call->api->options.max_input_size, on_decoded);
    } else {
        read_body(infer);
    }
}
