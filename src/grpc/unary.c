/* Calls of small messages. */
#include "unary.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct unary {
    struct grpc_call call;
    struct hc_buf message;
    struct grpc_job *job;
};

static struct unary *unary_of(struct grpc_call *call) {
    return (struct unary *)call;
}

void grpc_await(struct grpc_call *call, struct grpc_job *job) {
    job->call = call;
    unary_of(call)->job = job;
}

void grpc_job_done(struct grpc_job *job) {
    if (job->call != NULL) {
        unary_of(job->call)->job = NULL;
    }
}

/* ---- Messages ---- */

static enum hc_code on_begin(struct grpc_call *call, size_t size, struct hc_error *error) {
    (void)size;
    (void)error;
    hc_buf_clear(&unary_of(call)->message);
    return HC_OK;
}

static enum hc_code on_only_begin(struct grpc_call *call, size_t size, struct hc_error *error) {
    (void)size;
    return call->n_messages > 1
               ? hc_error_set(error, HC_INTERNAL, "the call takes one message, and got more")
               : HC_OK;
}

static enum hc_code on_bytes(struct grpc_call *call, struct hc_text bytes, struct hc_error *error) {
    struct hc_buf *message = &unary_of(call)->message;
    char *place = hc_buf_reserve_try(message, bytes.size);
    if (place == NULL) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for the request");
    }
    memcpy(place, bytes.data, bytes.size);
    hc_buf_commit(message, bytes.size);
    return HC_OK;
}

static enum hc_code handle(struct grpc_call *call, struct hc_error *error) {
    return call->method->handle(call, hc_buf_text(&unary_of(call)->message), error);
}

static enum hc_code on_only_message(struct grpc_call *call, struct hc_error *error) {
    (void)call;
    (void)error;
    return HC_OK; /* the client may still turn out to send another */
}

static enum hc_code on_only_end(struct grpc_call *call, struct hc_error *error) {
    return call->n_messages == 0
               ? hc_error_set(error, HC_INTERNAL, "the call takes one message, and got none")
               : handle(call, error);
}

static enum hc_code on_end(struct grpc_call *call, struct hc_error *error) {
    (void)error;
    grpc_call_end(call, HC_OK, (struct hc_text){0});
    return HC_OK;
}

static void on_ended(struct grpc_call *call) {
    struct unary *unary = unary_of(call);
    struct grpc_job *job = hc_take(unary->job);
    if (job != NULL) {
        job->call = NULL;
        if (job->on_abandoned != NULL) {
            job->on_abandoned(job);
        }
    }
    hc_buf_finish(&unary->message);
    grpc_call_free(call);
}

const struct grpc_kind grpc_unary = {
    .size = sizeof(struct unary),
    .only_message = true,
    .on_begin = on_only_begin,
    .on_bytes = on_bytes,
    .on_message = on_only_message,
    .on_end = on_only_end,
    .on_ended = on_ended,
};

const struct grpc_kind grpc_streamed = {
    .size = sizeof(struct unary),
    .on_begin = on_begin,
    .on_bytes = on_bytes,
    .on_message = handle,
    .on_end = on_end,
    .on_ended = on_ended,
};

void grpc_send_message(struct grpc_call *call, const ProtobufCMessage *message) {
    size_t size = protobuf_c_message_get_packed_size(message);
    struct hc_buf buf = {0};
    char *place = hc_buf_reserve(&buf, HC_GRPC_PREFIX_SIZE + size);
    hc_grpc_write_prefix(place, false, (uint32_t)size);
    protobuf_c_message_pack(message, (uint8_t *)place + HC_GRPC_PREFIX_SIZE);
    const struct hc_segment segment = {place, HC_GRPC_PREFIX_SIZE + size, free, place};
    grpc_call_send(call, &segment, 1);
}

void grpc_answer(struct grpc_call *call, const ProtobufCMessage *message) {
    grpc_send_message(call, message);
    grpc_call_end(call, HC_OK, (struct hc_text){0});
}
