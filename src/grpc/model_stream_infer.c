/*
 * ModelStreamInfer: any number of inferences in one call, of any models.
 *
 * Responses of models that answer once come back in the order of the requests; those of decoupled
 * models when they come. An error is a response like any other; but one of a model's own ends the
 * stream with a status if the client has asked for that (metadata triton_grpc_error).
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "core/pause.h"
#include "infer.h"

/* So many requests may be in flight before the client is held up. */
enum { MAX_IN_FLIGHT = 1024 };

struct stream_call {
    struct grpc_call call;
    struct hc_list items; /* inferences in the order of their requests */
    size_t n_items;
    struct item *incoming; /* whose message is arriving */
    bool all_sent;         /* by the client */
    bool wants_status;
    bool cancelling;
};

struct item {
    struct grpc_infer infer;
    struct stream_call *stream;
    struct hc_list link;
    bool decoupled;
    bool ran;
    bool done; /* and the answer waits for its turn: */
    enum hc_code code;
    char *message;                /* when it failed */
    struct hc_response *response; /* when it did not */
};

static struct stream_call *stream_of(struct grpc_call *call) {
    return (struct stream_call *)call;
}

/* ---- Life ---- */

static void free_item(struct item *item) {
    struct stream_call *stream = item->stream;
    hc_list_remove(&item->link);
    stream->n_items--;
    hc_response_release(item->response);
    free(item->message);
    grpc_infer_finish(&item->infer);
    free(item);
}

static void free_if_over(struct stream_call *stream) {
    if (stream->call.stream == NULL && !stream->cancelling && hc_list_empty(&stream->items)) {
        grpc_call_free(&stream->call);
    }
}

static void end_if_all_answered(struct stream_call *stream) {
    if (stream->all_sent && hc_list_empty(&stream->items)) {
        grpc_call_end(&stream->call, HC_OK, (struct hc_text){0});
    }
}

/* ---- Answers ---- */

static void send_failure(struct item *item, enum hc_code code, struct hc_text message, bool final) {
    struct stream_call *stream = item->stream;
    if (stream->wants_status && item->ran) {
        grpc_call_end(&stream->call, code, message);
    } else {
        grpc_infer_fail_in_stream(&item->infer, &stream->call, message, item->ran, final);
    }
}

static void send_answer(struct item *item, struct hc_response *response, bool final) {
    struct grpc_call *call = &item->stream->call;
    struct hc_error error;
    if (response != NULL && response->code != HC_OK) {
        send_failure(item, response->code, response->message, final);
        hc_response_release(response);
    } else if (grpc_infer_respond_in_stream(&item->infer, call, response, final, &error) != HC_OK) {
        send_failure(item, error.code, hc_text_of(error.message), final);
    }
}

/* Send what has waited for its turn, and is first now. The call may end. */
static void send_waiting(struct stream_call *stream) {
    while (stream->call.stream != NULL && !hc_list_empty(&stream->items)) {
        struct item *item = hc_list_item(stream->items.next, struct item, link);
        if (!item->done) {
            return;
        }
        if (item->code != HC_OK) {
            send_failure(item, item->code, hc_text_of(item->message), true);
        } else {
            send_answer(item, hc_take(item->response), true);
        }
        if (stream->call.stream != NULL) {
            free_item(item);
        }
    }
}

/* Something has been answered: go on with what that was in the way of. */
static void advance(struct stream_call *stream) {
    send_waiting(stream);
    if (stream->call.stream == NULL) {
        return;
    }
    hc_http2_hold(stream->call.stream, stream->n_items >= MAX_IN_FLIGHT);
    end_if_all_answered(stream);
}

static void wait_for_turn(struct item *item, enum hc_code code, struct hc_text message,
                          struct hc_response *response) {
    item->done = true;
    item->code = code;
    item->message = code != HC_OK ? hc_strndup(message.data, message.size) : NULL;
    item->response = response;
    advance(item->stream);
}

static void answer_once(struct item *item, struct hc_response *response) {
    if (response == NULL) {
        wait_for_turn(item, HC_INTERNAL, HC_TEXT("the model gave no response"), NULL);
    } else {
        wait_for_turn(item, HC_OK, (struct hc_text){0}, response);
    }
}

/* ---- Clients that take too little ---- */

static void resume(struct hc_http2_stream *http) {
    struct stream_call *stream = stream_of(hc_http2_data(http));
    hc_list_each (link, &stream->items) {
        hc_pause_end(hc_list_item(link, struct item, link)->infer.request);
    }
}

/* Let the model wait for a client that is behind. */
static void look_at_unsent(struct item *item) {
    struct hc_http2_stream *http = item->stream->call.stream;
    if (hc_http2_unsent(http) > HC_PAUSE_MARK) {
        hc_pause_begin(item->infer.request);
        hc_http2_on_writable(http, HC_RESUME_MARK, resume);
    }
}

/* ---- What comes of an inference ---- */

static void answer_decoupled(struct item *item, struct hc_response *response, bool final) {
    struct stream_call *stream = item->stream;
    if (response != NULL || item->infer.proto.empty_final_response) {
        send_answer(item, response, final);
    }
    if (stream->call.stream == NULL) {
        return;
    }
    if (final) {
        free_item(item);
        advance(stream);
    } else {
        look_at_unsent(item);
    }
}

static void take_answer(struct item *item, struct hc_response *response, bool final) {
    struct stream_call *stream = item->stream;
    if (item->infer.request->overdue) {
        grpc_call_end(&stream->call, HC_RESOURCE_EXHAUSTED,
                      HC_TEXT("the client takes too little of the stream"));
    }
    if (stream->call.stream == NULL) {
        hc_response_release(response);
        if (final) {
            free_item(item);
            free_if_over(stream);
        }
    } else if (item->decoupled) {
        answer_decoupled(item, response, final);
    } else if (final) {
        answer_once(item, response);
    } else {
        hc_response_release(response);
    }
}

static void on_answer(struct grpc_infer *infer, struct hc_response *response, bool final) {
    struct item *item = infer->user;
    struct grpc_call *call = &item->stream->call;
    grpc_call_hold(call);
    take_answer(item, response, final);
    grpc_call_release(call);
}

/* ---- Requests ---- */

static void on_start(struct grpc_call *call) {
    struct stream_call *stream = stream_of(call);
    hc_list_init(&stream->items);
    stream->wants_status = hc_text_is(grpc_call_header(call, "triton_grpc_error"), "true");
}

static enum hc_code on_begin(struct grpc_call *call, size_t size, struct hc_error *error) {
    (void)error;
    struct stream_call *stream = stream_of(call);
    struct item *item = hc_new(struct item);
    item->stream = stream;
    hc_list_append(&stream->items, &item->link);
    stream->n_items++;
    stream->incoming = item;
    grpc_infer_begin(&item->infer, call->context, size, on_answer, item);
    return HC_OK;
}

static enum hc_code on_bytes(struct grpc_call *call, struct hc_text bytes, struct hc_error *error) {
    return grpc_infer_take(&stream_of(call)->incoming->infer, bytes, error);
}

static enum hc_code run(struct item *item, struct hc_error *error) {
    HC_TRY(grpc_infer_find_model(&item->infer, error));
    item->decoupled = item->infer.request->model->decoupled;
    return grpc_infer_run(&item->infer, &item->stream->call, error);
}

static enum hc_code on_message(struct grpc_call *call, struct hc_error *error) {
    struct stream_call *stream = stream_of(call);
    struct item *item = hc_take(stream->incoming);
    HC_TRY(grpc_infer_read(&item->infer, error));
    struct hc_error failure;
    item->ran = true;
    if (run(item, &failure) != HC_OK) {
        item->ran = false;
        wait_for_turn(item, failure.code, hc_text_of(failure.message), NULL);
    } else if (call->stream != NULL) {
        hc_http2_hold(call->stream, stream->n_items >= MAX_IN_FLIGHT);
    }
    return HC_OK;
}

static enum hc_code on_end(struct grpc_call *call, struct hc_error *error) {
    (void)error;
    struct stream_call *stream = stream_of(call);
    stream->all_sent = true;
    end_if_all_answered(stream);
    return HC_OK;
}

static void on_ended(struct grpc_call *call) {
    struct stream_call *stream = stream_of(call);
    stream->cancelling = true;
    hc_list_each_safe (link, &stream->items) {
        struct item *item = hc_list_item(link, struct item, link);
        if (item->infer.running) {
            grpc_infer_cancel(&item->infer);
        } else {
            free_item(item);
        }
    }
    stream->cancelling = false;
    free_if_over(stream);
}

const struct grpc_kind grpc_model_stream_infer = {
    .size = sizeof(struct stream_call),
    .compresses = true,
    .on_start = on_start,
    .on_begin = on_begin,
    .on_bytes = on_bytes,
    .on_message = on_message,
    .on_end = on_end,
    .on_ended = on_ended,
};
