/* Small messages, from bytes to protobuf-c's structs. */
#include <string.h>

#include "base/utf8.h"
#include "unary.h"
#include "wire/proto.h"

static enum hc_code check_string(struct hc_text string, struct hc_error *error) {
    if (!hc_utf8_valid(string)) {
        return hc_error_set(error, HC_INTERNAL, "Unable to parse request");
    }
    if (string.size > 0 && memchr(string.data, '\0', string.size) != NULL) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "the request has a string with a character NUL");
    }
    return HC_OK;
}

/* The strings of a message that protobuf-c, which looks at none of them, has unpacked. */
static enum hc_code check_strings(const ProtobufCMessageDescriptor *type, struct hc_text message,
                                  struct hc_error *error) {
    struct hc_proto_reader reader = {message, false};
    struct hc_proto_field field;
    while (hc_proto_next(&reader, &field)) {
        const ProtobufCFieldDescriptor *known =
            protobuf_c_message_descriptor_get_field(type, field.id);
        if (known == NULL || field.type != HC_PROTO_BYTES) {
            continue;
        }
        if (known->type == PROTOBUF_C_TYPE_STRING) {
            HC_TRY(check_string(field.bytes, error));
        } else if (known->type == PROTOBUF_C_TYPE_MESSAGE) {
            HC_TRY(check_strings(known->descriptor, field.bytes, error));
        }
    }
    return HC_OK;
}

void *grpc_unpack(const ProtobufCMessageDescriptor *type, struct hc_text message,
                  struct hc_error *error) {
    GRPC_AUTO void *unpacked =
        protobuf_c_message_unpack(type, NULL, message.size, (const uint8_t *)message.data);
    if (unpacked == NULL) {
        hc_error_set(error, HC_INTERNAL, "Unable to parse request");
        return NULL;
    }
    return check_strings(type, message, error) == HC_OK ? hc_take(unpacked) : NULL;
}

enum hc_code grpc_check(const ProtobufCMessageDescriptor *type, struct hc_text message,
                        struct hc_error *error) {
    GRPC_AUTO void *unpacked = grpc_unpack(type, message, error);
    return unpacked != NULL ? HC_OK : error->code;
}
