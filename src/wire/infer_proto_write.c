/* ModelInferResponse and ModelStreamInferResponse, written around the data of their outputs. */
#include <string.h>

#include "base/alloc.h"
#include "wire/grpc.h"
#include "wire/infer_proto.h"
#include "wire/proto.h"

/* Numbers of fields, as published in grpc_service.proto. */
enum {
    RESPONSE_MODEL_NAME = 1,
    RESPONSE_MODEL_VERSION,
    RESPONSE_ID,
    RESPONSE_PARAMETERS,
    RESPONSE_OUTPUTS,
    RESPONSE_RAW_OUTPUT_CONTENTS
};
enum { OUTPUT_NAME = 1, OUTPUT_DATATYPE, OUTPUT_SHAPE };
enum { ENTRY_KEY = 1, ENTRY_VALUE };
enum { CHOICE_BOOL = 1, CHOICE_INT64, CHOICE_STRING, CHOICE_DOUBLE };
enum { STREAM_ERROR_MESSAGE = 1, STREAM_INFER_RESPONSE };

/* Before the response, for what is only known once it is written: gRPC's prefix, and the beginning
 * of the field that it is in a stream. */
enum { ROOM = HC_GRPC_PREFIX_SIZE + 1 + HC_PROTO_MAX_VARINT_SIZE };

static void put_parameter(struct hc_buf *buf, const struct hc_wire_parameter *parameter) {
    size_t entry = hc_proto_begin(buf, RESPONSE_PARAMETERS);
    hc_proto_put_bytes(buf, ENTRY_KEY, parameter->name);
    size_t value = hc_proto_begin(buf, ENTRY_VALUE);
    switch (parameter->kind) {
    case HC_WIRE_STRING:
        hc_proto_put_choice_bytes(buf, CHOICE_STRING, parameter->string);
        break;
    case HC_WIRE_INT64:
        hc_proto_put_choice(buf, CHOICE_INT64, (uint64_t)parameter->int64);
        break;
    case HC_WIRE_BOOL:
        hc_proto_put_choice(buf, CHOICE_BOOL, parameter->boolean);
        break;
    case HC_WIRE_DOUBLE:
        hc_proto_put_choice_double(buf, CHOICE_DOUBLE, parameter->real);
        break;
    }
    hc_proto_end(buf, value);
    hc_proto_end(buf, entry);
}

static void put_output(struct hc_buf *buf, const struct hc_infer_proto_tensor *output) {
    size_t mark = hc_proto_begin(buf, RESPONSE_OUTPUTS);
    hc_proto_put_bytes(buf, OUTPUT_NAME, output->name);
    hc_proto_put_bytes(buf, OUTPUT_DATATYPE, hc_text_of(hc_dtype_name(output->dtype)));
    if (output->n_dims > 0) {
        size_t shape = hc_proto_begin(buf, OUTPUT_SHAPE);
        for (size_t i = 0; i < output->n_dims; i++) {
            hc_proto_put_varint(buf, (uint64_t)output->dims[i]);
        }
        hc_proto_end(buf, shape);
    }
    hc_proto_end(buf, mark);
}

static void put_response(struct hc_buf *buf, const struct hc_infer_proto_response *response,
                         size_t *places) {
    hc_proto_put_bytes(buf, RESPONSE_MODEL_NAME, response->model_name);
    hc_proto_put_bytes(buf, RESPONSE_MODEL_VERSION, response->model_version);
    hc_proto_put_bytes(buf, RESPONSE_ID, response->id);
    for (size_t i = 0; i < response->n_parameters; i++) {
        put_parameter(buf, &response->parameters[i]);
    }
    for (size_t i = 0; i < response->n_outputs; i++) {
        put_output(buf, &response->outputs[i]);
    }
    for (size_t i = 0; i < response->n_outputs; i++) {
        hc_proto_put_size(buf, RESPONSE_RAW_OUTPUT_CONTENTS, response->outputs[i].size);
        places[i] = buf->size;
    }
}

/* Put SIZE bytes before what begins at *BEGIN. */
static void put_before(struct hc_buf *buf, size_t *begin, const void *data, size_t size) {
    *begin -= size;
    memcpy(buf->data + *begin, data, size);
}

/* Make the response of SIZE bytes at *BEGIN a field; returns by how much it is longer then. */
static size_t wrap(struct hc_buf *buf, size_t *begin, size_t size) {
    hc_auto_buf field = {0};
    hc_proto_put_size(&field, STREAM_INFER_RESPONSE, size);
    put_before(buf, begin, field.data, field.size);
    return field.size;
}

static enum hc_code too_large(size_t size, struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "Response has byte size %zu which exceeds gRPC's byte size limit %d.", size,
                        HC_GRPC_MAX_MESSAGE_SIZE);
}

enum hc_code hc_infer_proto_write(struct hc_buf *buf,
                                  const struct hc_infer_proto_response *response,
                                  enum hc_infer_proto_form form, struct hc_text message,
                                  size_t *begin, size_t *places, struct hc_error *error) {
    hc_buf_reserve(buf, ROOM);
    hc_buf_commit(buf, ROOM);
    put_response(buf, response, places);
    size_t size = buf->size - ROOM;
    for (size_t i = 0; i < response->n_outputs; i++) {
        if (!hc_size_add(size, response->outputs[i].size, &size)) {
            return too_large(SIZE_MAX, error);
        }
    }
    *begin = ROOM;
    if (form == HC_INFER_PROTO_IN_STREAM) {
        size += wrap(buf, begin, size);
        size_t end = buf->size;
        hc_proto_put_bytes(buf, STREAM_ERROR_MESSAGE, message);
        size += buf->size - end;
    }
    if (size > HC_GRPC_MAX_MESSAGE_SIZE) {
        return too_large(size, error);
    }
    char prefix[HC_GRPC_PREFIX_SIZE];
    hc_grpc_write_prefix(prefix, false, (uint32_t)size);
    put_before(buf, begin, prefix, sizeof prefix);
    return HC_OK;
}
