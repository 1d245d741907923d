/* Answers of the generate endpoints: one JSON object, or a stream of server-sent events. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "core/infer.h"
#include "core/pause.h"
#include "http_infer.h"
#include "wire/generate_json.h"

/* A client that leaves so much of a stream untaken, of a model that cannot wait, has the rest
 * withheld. */
enum { MAX_UNSENT = 64 << 20 };

/* Append what RESPONSE is as JSON, the error that it is included. */
static enum hc_code append_response(const struct http_infer *infer,
                                    const struct hc_response *response, struct hc_buf *buf) {
    hc_auto_pool pool = {0};
    struct hc_error error;
    enum hc_code code = response->code;
    if (code != HC_OK) {
        hc_infer_json_write_error(buf, response->message);
        return code;
    }
    const struct hc_infer_json_response json = http_infer_describe(infer, response, &pool);
    code = hc_generate_json_write(buf, &json, http_json_policy, &error);
    if (code != HC_OK) {
        hc_infer_json_write_error(buf, hc_text_of(error.message));
    }
    return code;
}

/* Whatever goes wrong in a model is answered with the same status, as Triton does here. */
static int status_of(enum hc_code code) {
    return code == HC_OK ? 200 : 400;
}

void http_generate_on_response(struct hc_request *request, struct hc_response *response,
                               bool final) {
    struct http_infer *infer = request->user;
    if (!http_infer_collect(infer, response, final)) {
        return;
    }
    struct hc_response *first = hc_take(infer->response);
    if (infer->n_responses != 1) {
        hc_response_release(first);
        http_infer_fail(infer, HC_INTERNAL,
                        HC_TEXT("generate expects model to produce exactly 1 response, use "
                                "generate stream for model that generates various number of "
                                "responses"));
        return;
    }
    struct hc_buf body = {0};
    int status = status_of(append_response(infer, first, &body));
    hc_response_release(first);
    http_infer_finish(infer);
    http_answer_json(infer->exchange, status, &body);
}

static void start_stream(struct http_infer *infer, int status) {
    const struct hc_http_header header = {HC_TEXT("Content-Type"),
                                          HC_TEXT("text/event-stream; charset=utf-8")};
    infer->streaming = true;
    hc_http_start(infer->exchange, status, &header, 1);
}

static void send_event(struct http_infer *infer, const struct hc_response *response) {
    struct hc_buf event = {0};
    hc_buf_append_string(&event, "data: ");
    int status = status_of(append_response(infer, response, &event));
    hc_buf_append_string(&event, "\n\n");
    if (!infer->streaming) {
        start_stream(infer, status);
    }
    const struct hc_segment segment = {event.data, event.size, free, event.data};
    hc_http_send(infer->exchange, &segment, 1);
}

void http_generate_probe(struct hc_http_exchange *exchange) {
    static const char comment[] = ":\n\n";
    const struct hc_segment segment = {.data = comment, .size = sizeof comment - 1};
    hc_http_send(exchange, &segment, 1);
}

/* The client has taken most of it. */
static void on_writable(struct hc_http_exchange *exchange) {
    struct http_infer *infer = hc_http_data(exchange);
    if (infer->request != NULL) {
        hc_pause_end(infer->request);
    }
}

/* Let the model wait for a client that is behind. */
static void look_at_unsent(struct http_infer *infer) {
    size_t unsent = hc_http_unsent(infer->exchange);
    if (unsent > MAX_UNSENT) {
        infer->overrun = true;
        hc_infer_cancel(infer->request);
    } else if (unsent > HC_PAUSE_MARK) {
        hc_pause_begin(infer->request);
        hc_http_on_writable(infer->exchange, HC_RESUME_MARK, on_writable);
    }
}

void http_generate_on_event(struct hc_request *request, struct hc_response *response, bool final) {
    struct http_infer *infer = request->user;
    infer->overrun = infer->overrun || request->overdue;
    if (response != NULL && !infer->overrun) {
        send_event(infer, response);
    }
    hc_response_release(response);
    if (!final) {
        if (!infer->overrun) {
            look_at_unsent(infer);
        }
        return;
    }
    http_infer_finish(infer);
    if (!infer->streaming) {
        start_stream(infer, 200);
    }
    if (infer->overrun) {
        hc_http_abort(infer->exchange);
    } else {
        hc_http_end(infer->exchange);
    }
}
