/* Answers to inference requests: JSON, and binary tensors from where they lie. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "http_infer.h"

void http_infer_fail(struct http_infer *infer, enum hc_code code, struct hc_text message) {
    struct hc_http_exchange *exchange = infer->exchange;
    hc_request_release(hc_take(infer->request));
    http_answer_error(exchange, code, message);
}

void http_infer_fail_with(struct http_infer *infer, const struct hc_error *error) {
    http_infer_fail(infer, error->code, hc_text_of(error->message));
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

static const struct hc_infer_json_output *find_wanted(const struct http_infer *infer,
                                                      struct hc_text name) {
    for (size_t i = 0; i < infer->json.n_outputs; i++) {
        if (hc_text_equal(infer->json.outputs[i].name, name)) {
            return &infer->json.outputs[i];
        }
    }
    return NULL;
}

static struct hc_infer_json_tensor describe(const struct http_infer *infer,
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
static void send_response(struct http_infer *infer, struct hc_buf *json,
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

static void answer_outputs(struct http_infer *infer, struct hc_response *response) {
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
        http_infer_fail_with(infer, &error);
        return;
    }
    send_response(infer, &body, tensors, response);
}

void http_infer_on_response(struct hc_request *request, struct hc_response *response, bool final) {
    struct http_infer *infer = request->user;
    if (!final) {
        hc_response_release(response); /* models that answer several times are refused before */
        return;
    }
    if (response == NULL) {
        http_infer_fail(infer, HC_INTERNAL, HC_TEXT("the model gave no response"));
    } else if (response->code != HC_OK) {
        http_infer_fail(infer, response->code, response->message);
        hc_response_release(response);
    } else {
        answer_outputs(infer, response);
    }
}
