/* Calls of one small message each way. */
#include "unary.h"

#include <stdlib.h>
#include <string.h>

struct unary {
    struct grpc_call call;
    struct hc_buf message;
};

static struct unary *unary_of(struct grpc_call *call) {
    return (struct unary *)call;
}

static enum hc_code on_begin(struct grpc_call *call, size_t size, struct hc_error *error) {
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

static enum hc_code on_message(struct grpc_call *call, struct hc_error *error) {
    (void)call;
    (void)error;
    return HC_OK; /* the client may still turn out to send another */
}

static enum hc_code on_end(struct grpc_call *call, struct hc_error *error) {
    if (call->n_messages == 0) {
        return hc_error_set(error, HC_INTERNAL, "the call takes one message, and got none");
    }
    return call->method->handle(call, hc_buf_text(&unary_of(call)->message), error);
}

static void on_ended(struct grpc_call *call) {
    hc_buf_finish(&unary_of(call)->message);
    grpc_call_free(call);
}

const struct grpc_kind grpc_unary = {
    .size = sizeof(struct unary),
    .on_begin = on_begin,
    .on_bytes = on_bytes,
    .on_message = on_message,
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

void *grpc_unpack(const ProtobufCMessageDescriptor *type, struct hc_text message,
                  struct hc_error *error) {
    void *unpacked =
        protobuf_c_message_unpack(type, NULL, message.size, (const uint8_t *)message.data);
    if (unpacked == NULL) {
        hc_error_set(error, HC_INTERNAL, "Unable to parse request");
    }
    return unpacked;
}
