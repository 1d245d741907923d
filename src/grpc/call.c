/* One call of a method. */
#include "call.h"

#include "compress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"

/* Clients refuse more than 8 KB of headers in an answer. */
enum { MAX_MESSAGE_SIZE = 6 << 10 };

#define CODINGS "identity, deflate, gzip"

static const struct hc_http_header content_type = {
    {"content-type", 12},
    {"application/grpc", 16},
};

struct hc_text grpc_call_header(const struct grpc_call *call, const char *name) {
    const struct hc_http_request *request = hc_http2_request(call->stream);
    const struct hc_http_header *header = hc_http_find(request->headers, request->n_headers, name);
    return header != NULL ? header->value : (struct hc_text){0};
}

/* ---- The answer ---- */

void grpc_call_send(struct grpc_call *call, const struct hc_segment *segments, size_t n_segments) {
    if (!call->started) {
        call->started = true;
        const struct hc_http_header headers[] = {
            content_type,
            {HC_TEXT("grpc-accept-encoding"), HC_TEXT(CODINGS)},
            {HC_TEXT("grpc-encoding"), hc_text_of(hc_coding_name(call->response_coding))},
        };
        size_t n = call->response_coding != HC_CODING_IDENTITY ? 3 : 2;
        hc_http2_start(call->stream, headers, n);
    }
    hc_http2_send(call->stream, segments, n_segments);
}

static struct hc_text encode_message(struct hc_text message, struct hc_buf *buf) {
    hc_grpc_append_percent(buf, message);
    if (buf->size <= MAX_MESSAGE_SIZE) {
        return hc_buf_text(buf);
    }
    size_t size = MAX_MESSAGE_SIZE;
    while (buf->data[size - 1] == '%' || buf->data[size - 2] == '%') {
        size--; /* not in the middle of %XX */
    }
    return (struct hc_text){buf->data, size};
}

static void end_stream(struct hc_http2_stream *stream, bool started, enum hc_code code,
                       struct hc_text message) {
    hc_auto_buf encoded = {0};
    char number[4];
    int size = snprintf(number, sizeof number, "%d", code);
    const struct hc_http_header headers[] = {
        content_type,
        {HC_TEXT("grpc-status"), {number, (size_t)size}},
        {HC_TEXT("grpc-message"), encode_message(message, &encoded)},
    };
    size_t first = started ? 1 : 0;
    size_t n = code != HC_OK && message.size > 0 ? 3 : 2;
    hc_http2_end(stream, headers + first, n - first);
}

/* The kind may free the call in here. */
static void let_go(struct grpc_call *call) {
    hc_timer_stop(&call->deadline);
    hc_timer_stop(&call->patience);
    call->method->kind->on_ended(call);
}

void grpc_call_end(struct grpc_call *call, enum hc_code code, struct hc_text message) {
    if (call->stream != NULL) {
        end_stream(hc_take(call->stream), call->started, code, message);
        let_go(call);
    }
}

void grpc_call_fail(struct grpc_call *call, const struct hc_error *error) {
    grpc_call_end(call, error->code, hc_text_of(error->message));
}

static void free_call(struct grpc_call *call) {
    hc_inflater_destroy(call->inflater);
    hc_buf_finish(&call->inflated);
    free(call);
}

void grpc_call_free(struct grpc_call *call) {
    if (call->n_holds > 0) {
        call->freed = true;
    } else {
        free_call(call);
    }
}

void grpc_call_hold(struct grpc_call *call) {
    call->n_holds++;
}

void grpc_call_release(struct grpc_call *call) {
    if (--call->n_holds == 0 && call->freed) {
        free_call(call);
    }
}

/* ---- What the client sends ---- */

/* What is wrong with compressed bytes, as gRPC has it. */
static enum hc_code refuse_compressed(struct hc_error *error) {
    error->code = error->code == HC_INVALID_ARGUMENT ? HC_INTERNAL : HC_RESOURCE_EXHAUSTED;
    return error->code;
}

/* All of a compressed message is there: hand it over as if it had come like this. */
static enum hc_code deliver_inflated(struct grpc_call *call, struct hc_error *error) {
    const struct grpc_kind *kind = call->method->kind;
    if (hc_inflater_end(call->inflater, error) != HC_OK) {
        return refuse_compressed(error);
    }
    hc_inflater_destroy(hc_take(call->inflater));
    hc_auto_buf message = call->inflated;
    call->inflated = (struct hc_buf){0};
    HC_TRY(kind->on_begin(call, message.size, error));
    if (message.size > 0) {
        HC_TRY(kind->on_bytes(call, hc_buf_text(&message), error));
    }
    return kind->on_message(call, error);
}

static enum hc_code begin_inflating(struct grpc_call *call, struct hc_error *error) {
    if (call->request_coding == HC_CODING_IDENTITY) {
        return hc_error_set(error, HC_INTERNAL,
                            "the message is compressed, but grpc-encoding does not say how");
    }
    call->inflater = hc_inflater_create(call->request_coding, HC_GRPC_MAX_MESSAGE_SIZE);
    return HC_OK;
}

static enum hc_code on_compressed_step(struct grpc_call *call, enum hc_grpc_step step,
                                       struct hc_text part, struct hc_error *error) {
    if (step == HC_GRPC_BEGIN) {
        HC_TRY(begin_inflating(call, error));
    } else if (hc_inflater_add(call->inflater, part, &call->inflated, error) != HC_OK) {
        return refuse_compressed(error);
    }
    return call->cutter.left == 0 ? deliver_inflated(call, error) : HC_OK;
}

static enum hc_code on_plain_step(struct grpc_call *call, enum hc_grpc_step step,
                                  struct hc_text part, struct hc_error *error) {
    const struct grpc_kind *kind = call->method->kind;
    if (step == HC_GRPC_BEGIN) {
        HC_TRY(kind->on_begin(call, call->cutter.size, error));
    } else {
        HC_TRY(kind->on_bytes(call, part, error));
    }
    return call->cutter.left == 0 ? kind->on_message(call, error) : HC_OK;
}

static enum hc_code on_step(struct grpc_call *call, enum hc_grpc_step step, struct hc_text part,
                            struct hc_error *error) {
    call->n_messages += step == HC_GRPC_BEGIN;
    return call->cutter.compressed && call->cutter.size > 0
               ? on_compressed_step(call, step, part, error)
               : on_plain_step(call, step, part, error);
}

static void take_body(struct grpc_call *call, struct hc_text bytes) {
    struct hc_error error;
    struct hc_text part;
    enum hc_grpc_step step;
    while (call->stream != NULL &&
           (step = hc_grpc_cut(&call->cutter, &bytes, &part, &error)) != HC_GRPC_MORE) {
        if (step == HC_GRPC_BAD || on_step(call, step, part, &error) != HC_OK) {
            grpc_call_fail(call, &error);
        }
    }
}

static void on_body(struct hc_http2_stream *stream, struct hc_text bytes) {
    struct grpc_call *call = hc_http2_data(stream);
    grpc_call_hold(call);
    take_body(call, bytes);
    if (call->stream != NULL) {
        grpc_patience_update(call, bytes.size);
    }
    grpc_call_release(call);
}

static void on_body_end(struct hc_http2_stream *stream) {
    struct grpc_call *call = hc_http2_data(stream);
    struct hc_error error;
    if (!hc_grpc_between_messages(&call->cutter)) {
        grpc_call_end(call, HC_INTERNAL, HC_TEXT("the last message is incomplete"));
    } else if (call->method->kind->on_end(call, &error) != HC_OK) {
        grpc_call_fail(call, &error);
    }
}

static void on_gone(struct hc_http2_stream *stream) {
    struct grpc_call *call = hc_http2_data(stream);
    call->stream = NULL;
    hc_http2_reset(stream, HC_HTTP2_CANCEL);
    let_go(call);
}

static void on_deadline(struct hc_timer *timer) {
    struct grpc_call *call = hc_list_item(timer, struct grpc_call, deadline);
    grpc_call_end(call, HC_DEADLINE_EXCEEDED, HC_TEXT("Deadline Exceeded"));
}

static enum hc_code set_deadline(struct grpc_call *call, struct hc_error *error) {
    struct hc_text timeout = grpc_call_header(call, "grpc-timeout");
    uint64_t timeout_ns;
    uint64_t due_ns;
    if (timeout.data == NULL) {
        return HC_OK;
    }
    if (!hc_grpc_read_timeout(timeout, &timeout_ns)) {
        return hc_error_set(error, HC_UNKNOWN, "Bad grpc-timeout header");
    }
    if (timeout_ns == 0) {
        return hc_error_set(error, HC_DEADLINE_EXCEEDED, "Deadline Exceeded");
    }
    call->deadline.on_due = on_deadline;
    if (!__builtin_add_overflow(hc_clock_ns(), timeout_ns, &due_ns)) {
        hc_timer_start(hc_http2_loop(call->stream), &call->deadline, due_ns);
    }
    return HC_OK;
}

/* ---- Its beginning ---- */

/* "application/grpc", and what may follow it; none at all is fine, too. */
static bool is_grpc_type(struct hc_text type) {
    static const char name[] = "application/grpc";
    size_t size = strlen(name);
    return type.size == 0 ||
           (hc_text_starts(type, name) &&
            (type.size == size || type.data[size] == '+' || type.data[size] == ';'));
}

/* What keeps a request from being a call; NULL: nothing. */
static const char *find_fault(const struct hc_http_request *request) {
    const struct hc_http_header *type =
        hc_http_find(request->headers, request->n_headers, "content-type");
    if (!hc_text_is(request->method, "POST")) {
        return "Bad method header";
    }
    return type == NULL || is_grpc_type(type->value) ? NULL : "Bad content-type header";
}

/* The codings of the call's messages. */
static enum hc_code choose_codings(struct grpc_call *call, struct hc_error *error) {
    struct hc_text coding = grpc_call_header(call, "grpc-encoding");
    if (!hc_coding_find(coding, &call->request_coding) || call->request_coding == HC_CODING_ZSTD) {
        return hc_error_set(error, HC_UNIMPLEMENTED, "Compression algorithm '%.*s' not supported",
                            HC_TEXT_ARGS(coding));
    }
    if (call->method->kind->compresses) {
        call->response_coding = grpc_choose_coding(call->api->options.compression,
                                                   grpc_call_header(call, "grpc-accept-encoding"));
    }
    return HC_OK;
}

/* Whether the client may use what the method belongs to. */
static enum hc_code check_restriction(const struct grpc_call *call, struct hc_error *error) {
    static const char prefix[] = "triton-grpc-protocol-";
    const struct hc_restrictions *restrictions = call->api->options.restrictions;
    if (restrictions == NULL || restrictions->apis[call->method->api].header == NULL) {
        return HC_OK;
    }
    const struct hc_restriction *restriction = &restrictions->apis[call->method->api];
    hc_auto(text) name = hc_format("%s%s", prefix, restriction->header);
    struct hc_text value = grpc_call_header(call, name);
    return value.data != NULL && hc_text_is(value, restriction->value)
               ? HC_OK
               : hc_error_set(error, HC_UNAVAILABLE,
                              "This protocol is restricted, expecting header '%s'", name);
}

static void start_call(struct grpc_call *call) {
    struct hc_error error;
    if (call->method->kind->on_start != NULL) {
        call->method->kind->on_start(call);
    }
    if (check_restriction(call, &error) != HC_OK || choose_codings(call, &error) != HC_OK ||
        set_deadline(call, &error) != HC_OK) {
        grpc_call_fail(call, &error);
        return;
    }
    grpc_patience_update(call, 0);
}

void grpc_call_begin(void *api, struct hc_http2_stream *stream) {
    static const struct hc_http2_events events = {on_body, on_body_end, on_gone};
    const struct hc_http_request *request = hc_http2_request(stream);
    struct hc_grpc_api *grpc = api;
    const char *fault = find_fault(request);
    if (fault != NULL) {
        end_stream(stream, false, HC_UNKNOWN, hc_text_of(fault));
        return;
    }
    const struct grpc_method *method = grpc_method_find(request->target);
    if (method == NULL) {
        end_stream(stream, false, HC_UNIMPLEMENTED, HC_TEXT(""));
        return;
    }
    struct grpc_call *call = hc_alloc(method->kind->size);
    call->api = grpc;
    call->stream = stream;
    call->context = hc_server_context(grpc->server);
    call->method = method;
    hc_http2_accept(stream, &events, call);
    start_call(call);
}
