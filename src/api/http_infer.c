/* POST …/infer: a request read, and run. */
#include "http_infer.h"

#include "base/clock.h"
#include "core/forward.h"
#include "core/infer.h"

static void on_close(struct hc_http_exchange *exchange, enum hc_http_loss loss) {
    struct http_infer *infer = hc_http_data(exchange);
    if (loss == HC_HTTP_GONE) {
        hc_infer_cancel(infer->request);
    } else if (infer->streaming) {
        http_generate_probe(exchange);
    } else {
        hc_http_probe(exchange);
    }
}

struct http_infer *http_infer_create(const struct http_call *call, struct hc_model *model,
                                     hc_on_response *on_response) {
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
    infer->request->on_response = on_response;
    infer->request->user = infer;
    hc_http_set_data(call->exchange, infer);
    return infer;
}

void http_infer_run(struct http_infer *infer) {
    struct hc_error error;
    if (hc_infer(infer->request, &error) != HC_OK) {
        http_infer_fail_with(infer, &error);
    } else {
        hc_http_on_close(infer->exchange, on_close);
    }
}

static void on_end(struct hc_http_exchange *exchange, struct hc_text bytes,
                   const struct hc_error *failure) {
    struct http_infer *infer = hc_http_data(exchange);
    struct hc_error error;
    if (failure != NULL) {
        http_infer_fail_with(infer, failure);
    } else if (bytes.size > 0) {
        hc_error_set(&error, HC_INVALID_ARGUMENT, "unexpected additional input data for model '%s'",
                     infer->request->model->name);
        http_infer_fail_with(infer, &error);
    } else {
        http_infer_run(infer);
    }
}

/* All inputs are in place: nothing may follow, which of a chunked body only its end tells. */
static void end_body(struct http_infer *infer) {
    uint64_t left;
    if (http_body_left(&infer->body, &left)) {
        http_infer_run(infer);
    } else {
        hc_http_read_some(infer->exchange, 1, on_end);
    }
}

static void on_binary(struct hc_http_exchange *exchange, struct hc_text bytes,
                      const struct hc_error *error) {
    (void)bytes;
    struct http_infer *infer = hc_http_data(exchange);
    if (error != NULL) {
        http_infer_fail_with(infer, error);
    } else {
        end_body(infer);
    }
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
    HC_TRY(http_infer_take(infer, error));
    const struct hc_http_request *http = hc_http_request(infer->exchange);
    hc_forward_headers(infer->api->forward, http->headers, http->n_headers, infer->request);
    return HC_OK;
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
    } else if (bytes.size == 0) {
        http_infer_read_raw(infer); /* as Triton takes a body of nothing */
    } else if (read_request(infer, bytes, &error) != HC_OK) {
        http_infer_fail_with(infer, &error);
    } else if (infer->n_vectors > 0) {
        http_body_read_into(&infer->body, infer->vectors, infer->n_vectors, on_binary);
    } else {
        end_body(infer);
    }
}

static enum hc_code check_size(const struct http_infer *infer, struct hc_error *error) {
    uint64_t limit = infer->api->options.max_body_size;
    uint64_t size;
    if (hc_http_body_left(infer->exchange, &size) && size > limit) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "request size of %ju bytes exceeds the maximum allowed size of %ju "
                            "bytes. Use --http-max-body-size to increase the limit.",
                            (uintmax_t)size, (uintmax_t)limit);
    }
    return HC_OK;
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

void http_infer(const struct http_call *call) {
    struct hc_model *model;
    struct hc_error error;
    enum hc_coding coding;
    if (http_find_model(call, &model, &error) != HC_OK) {
        http_answer_error(call->exchange, error.code, hc_text_of(error.message));
        return;
    }
    struct http_infer *infer = http_infer_create(call, model, http_infer_on_response);
    if (check_size(infer, &error) != HC_OK) {
        http_infer_fail_with(infer, &error);
    } else if (http_body_coding(&infer->body, &coding, &error) != HC_OK) {
        http_infer_refuse_coding(infer, &error);
    } else if (coding != HC_CODING_IDENTITY) {
        http_body_decode(&infer->body, coding, call->api->options.max_body_size,
                         call->api->options.max_input_size, on_decoded);
    } else {
        read_body(infer);
    }
}
