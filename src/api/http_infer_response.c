/* Answers to inference requests: JSON, and binary tensors from where they lie. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "core/infer.h"
#include "http_infer.h"

void http_infer_finish(struct http_infer *infer) {
    for (size_t i = 0; infer->input_regions != NULL && i < infer->json.n_inputs; i++) {
        hc_shm_release(hc_take(infer->input_regions[i]));
    }
    for (size_t i = 0; infer->output_regions != NULL && i < infer->json.n_outputs; i++) {
        hc_shm_release(hc_take(infer->output_regions[i]));
    }
    hc_request_release(hc_take(infer->request));
    http_body_finish(&infer->body);
}

void http_infer_fail(struct http_infer *infer, enum hc_code code, struct hc_text message) {
    http_infer_finish(infer);
    http_answer_error(infer->exchange, code, message);
}

void http_infer_fail_with(struct http_infer *infer, const struct hc_error *error) {
    http_infer_fail(infer, error->code, hc_text_of(error->message));
}

void http_infer_refuse_coding(struct http_infer *infer, const struct hc_error *error) {
    const struct hc_http_header header = {HC_TEXT("Accept-Encoding"), HC_TEXT(HC_CODINGS)};
    http_infer_finish(infer);
    http_answer_error_and_header(infer->exchange, error->code, hc_text_of(error->message), &header);
}

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

/* The pieces that an answer's body consists of: the JSON text, and behind it the binary outputs. */
struct pieces {
    struct hc_segment *segments;
    size_t n;
};

static struct pieces take_pieces(struct http_infer *infer, struct hc_buf *json,
                                 const struct hc_infer_json_tensor *tensors,
                                 struct sending *sending) {
    struct hc_pool *pool = hc_http_pool(infer->exchange);
    size_t n_outputs = sending->response->n_outputs;
    struct pieces pieces = {
        .segments = hc_pool_alloc(pool, (1 + n_outputs) * sizeof *pieces.segments),
        .n = 1,
    };
    pieces.segments[0] = (struct hc_segment){json->data, json->size, free, json->data};
    for (size_t i = 0; i < n_outputs; i++) {
        if (tensors[i].form == HC_INFER_JSON_AS_BINARY && tensors[i].size > 0) {
            pieces.segments[pieces.n++] =
                (struct hc_segment){tensors[i].data, tensors[i].size, release_segment, sending};
            sending->n_left++;
        }
    }
    *json = (struct hc_buf){0};
    return pieces;
}

/* Make one piece of all, in the coding that the client likes best; as they are without memory. */
static enum hc_coding compress(const struct http_infer *infer, struct pieces *pieces) {
    const struct hc_http_request *http = hc_http_request(infer->exchange);
    const struct hc_http_header *accepted =
        hc_http_find(http->headers, http->n_headers, "accept-encoding");
    enum hc_coding coding =
        accepted == NULL ? HC_CODING_IDENTITY : hc_coding_accepted(accepted->value);
    if (coding == HC_CODING_IDENTITY) {
        return coding;
    }
    struct hc_buf compressed = {0};
    struct iovec *iov = hc_pool_alloc(hc_http_pool(infer->exchange), pieces->n * sizeof *iov);
    for (size_t i = 0; i < pieces->n; i++) {
        iov[i] = (struct iovec){(void *)pieces->segments[i].data, pieces->segments[i].size};
    }
    if (hc_deflate(coding, iov, pieces->n, &compressed, NULL) != HC_OK) {
        return HC_CODING_IDENTITY;
    }
    for (size_t i = 0; i < pieces->n; i++) {
        pieces->segments[i].release(pieces->segments[i].context);
    }
    pieces->segments[0] =
        (struct hc_segment){compressed.data, compressed.size, free, compressed.data};
    pieces->n = 1;
    return coding;
}

static struct hc_text number_text(struct hc_pool *pool, size_t number) {
    char *text = hc_pool_alloc(pool, 24);
    int digits = snprintf(text, 24, "%zu", number);
    return (struct hc_text){text, (size_t)digits};
}

static void send_response(struct http_infer *infer, struct hc_buf *json,
                          const struct hc_infer_json_tensor *tensors,
                          struct hc_response *response) {
    struct hc_http_exchange *exchange = infer->exchange;
    struct hc_pool *pool = hc_http_pool(exchange);
    struct sending *sending = hc_pool_alloc(pool, sizeof *sending);
    *sending = (struct sending){.response = response, .n_left = 1};
    struct hc_text json_size = number_text(pool, json->size);
    struct pieces pieces = take_pieces(infer, json, tensors, sending);
    bool binary = pieces.n > 1;
    enum hc_coding coding = compress(infer, &pieces);
    struct hc_http_header headers[3];
    size_t n = 0;
    headers[n++] = (struct hc_http_header){HC_TEXT("Content-Type"),
                                           binary ? HC_TEXT("application/octet-stream")
                                                  : HC_TEXT("application/json")};
    if (binary) {
        headers[n++] =
            (struct hc_http_header){HC_TEXT("Inference-Header-Content-Length"), json_size};
    }
    if (coding != HC_CODING_IDENTITY) {
        headers[n++] = (struct hc_http_header){HC_TEXT("Content-Encoding"),
                                               hc_text_of(hc_coding_name(coding))};
    }
    http_infer_finish(infer);
    hc_http_respond(exchange, 200, headers, n, pieces.segments, pieces.n);
    release_segment(sending);
}

/* Bring the outputs in their form, and write the JSON text. */
static enum hc_code write_response(const struct http_infer *infer, struct hc_response *response,
                                   struct hc_infer_json_response *json, struct hc_buf *body,
                                   struct hc_error *error) {
    HC_TRY(http_infer_convert(infer, response, error));
    *json = http_infer_describe(infer, response, hc_http_pool(infer->exchange));
    return hc_infer_json_write(body, json, http_json_policy, error);
}

static void answer_outputs(struct http_infer *infer, struct hc_response *response) {
    struct hc_infer_json_response json;
    struct hc_buf body = {0};
    struct hc_error error;
    if (write_response(infer, response, &json, &body, &error) == HC_OK) {
        send_response(infer, &body, json.outputs, response);
        return;
    }
    hc_buf_finish(&body);
    hc_response_release(response);
    http_infer_fail_with(infer, &error);
}

bool http_infer_collect(struct http_infer *infer, struct hc_response *response, bool final) {
    if (response == NULL) {
        return final;
    }
    infer->n_responses++;
    if (infer->n_responses == 1) {
        infer->response = response;
        return final;
    }
    hc_response_release(response);
    if (!final) {
        hc_infer_cancel(infer->request);
    }
    return final;
}

void http_infer_on_response(struct hc_request *request, struct hc_response *response, bool final) {
    struct http_infer *infer = request->user;
    if (!http_infer_collect(infer, response, final)) {
        return;
    }
    struct hc_response *first = hc_take(infer->response);
    if (infer->n_responses != 1) {
        hc_response_release(first);
        http_infer_fail(infer, HC_INTERNAL,
                        first == NULL ? HC_TEXT("expected a single response, got 0")
                                      : HC_TEXT("expected a single response, got more"));
    } else if (first->code != HC_OK) {
        http_infer_fail(infer, first->code, first->message);
        hc_response_release(first);
    } else {
        answer_outputs(infer, first);
    }
}
