/* Responses of inferences: a head, and the outputs from where they lie. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "compress.h"
#include "infer.h"

enum { VERSION_ROOM = 24 };

/* A message that is being sent. */
struct sending {
    struct hc_response *response;
    struct hc_buf head;
    size_t n_left; /* segments that refer to it */
};

static void release_segment(void *context) {
    struct sending *sending = context;
    if (--sending->n_left == 0) {
        struct hc_response *response = sending->response;
        hc_buf_finish(&sending->head);
        if (response != NULL) {
            hc_response_release(response); /* which SENDING lies in */
        } else {
            free(sending);
        }
    }
}

static void describe_outputs(const struct grpc_infer *infer, const struct hc_response *response,
                             struct hc_infer_proto_tensor *tensors) {
    for (size_t i = 0; i < response->n_outputs; i++) {
        const struct hc_output *output = &response->outputs[i];
        tensors[i] = (struct hc_infer_proto_tensor){
            .name = output->name,
            .dtype = output->dtype,
            .dims = output->dims,
            .n_dims = output->n_dims,
            .size = grpc_infer_is_shared(infer, output->name) ? 0 : output->size,
        };
    }
}

/* The head, cut where the outputs belong, and the outputs. */
static void send_message(struct grpc_call *call, struct sending *sending,
                         const struct hc_infer_proto_tensor *tensors, size_t begin,
                         const size_t *places, struct hc_pool *pool) {
    const struct hc_response *response = sending->response;
    size_t n_outputs = response != NULL ? response->n_outputs : 0;
    struct hc_segment *segments = hc_pool_alloc(pool, (2 * n_outputs + 1) * sizeof *segments);
    size_t n = 0;
    for (size_t i = 0; i <= n_outputs; i++) {
        size_t end = i < n_outputs ? places[i] : sending->head.size;
        segments[n++] =
            (struct hc_segment){sending->head.data + begin, end - begin, release_segment, sending};
        begin = end;
        if (i < n_outputs && tensors[i].size > 0) {
            const struct hc_output *output = &response->outputs[i];
            segments[n++] =
                (struct hc_segment){output->data, output->size, release_segment, sending};
        }
    }
    sending->n_left = n;
    struct hc_buf compressed = {0};
    if (call->response_coding != HC_CODING_IDENTITY &&
        grpc_compress(call->response_coding, segments, n, &compressed)) {
        const struct hc_segment whole = {compressed.data, compressed.size, free, compressed.data};
        grpc_call_send(call, &whole, 1);
        sending->n_left = 1;
        release_segment(sending);
    } else {
        grpc_call_send(call, segments, n);
    }
}

static void set_version(struct hc_infer_proto_response *proto, int64_t version,
                        char room[VERSION_ROOM]) {
    int size = snprintf(room, VERSION_ROOM, "%" PRId64, version);
    proto->model_version = (struct hc_text){room, (size_t)size};
}

/* Write PROTO around the outputs of RESPONSE (NULL: none), which is handed over, and send it. */
static enum hc_code send_response(struct grpc_infer *infer, struct grpc_call *call,
                                  struct hc_response *response,
                                  struct hc_infer_proto_response *proto,
                                  enum hc_infer_proto_form form, struct hc_text message,
                                  struct hc_error *error) {
    struct hc_pool *pool = &infer->request->pool;
    size_t n_outputs = response != NULL ? response->n_outputs : 0;
    struct hc_infer_proto_tensor *tensors = hc_pool_alloc(pool, n_outputs * sizeof *tensors);
    size_t *places = hc_pool_alloc(pool, n_outputs * sizeof *places);
    if (response != NULL && grpc_infer_convert(infer, response, error) != HC_OK) {
        hc_response_release(response);
        return error->code;
    }
    if (response != NULL) {
        describe_outputs(infer, response, tensors);
    }
    proto->outputs = tensors;
    proto->n_outputs = n_outputs;
    size_t begin;
    hc_auto_buf head = {0};
    enum hc_code code = hc_infer_proto_write(&head, proto, form, message, &begin, places, error);
    if (code != HC_OK) {
        hc_response_release(response);
        return code;
    }
    struct sending *sending = response != NULL ? hc_pool_alloc(&response->pool, sizeof *sending)
                                               : hc_alloc(sizeof *sending);
    *sending = (struct sending){.response = response, .head = head};
    head = (struct hc_buf){0};
    send_message(call, sending, tensors, begin, places, pool);
    return HC_OK;
}

static struct hc_infer_proto_response begin_response(const struct grpc_infer *infer,
                                                     char version[VERSION_ROOM]) {
    const struct hc_model *model = infer->request->model;
    struct hc_infer_proto_response proto = {
        .id = infer->proto.id,
        .model_name = hc_text_of(model->name),
    };
    set_version(&proto, model->version, version);
    return proto;
}

enum hc_code grpc_infer_respond(struct grpc_infer *infer, struct grpc_call *call,
                                struct hc_response *response, struct hc_error *error) {
    char version[VERSION_ROOM];
    struct hc_infer_proto_response proto = begin_response(infer, version);
    proto.parameters = response->parameters;
    proto.n_parameters = response->n_parameters;
    return send_response(infer, call, response, &proto, HC_INFER_PROTO_ALONE, (struct hc_text){0},
                         error);
}

/* The parameters of RESPONSE (NULL: none), and FINAL. */
static void add_final(struct hc_infer_proto_response *proto, const struct hc_response *response,
                      bool final, struct hc_pool *pool) {
    size_t n = response != NULL ? response->n_parameters : 0;
    struct hc_wire_parameter *all = hc_pool_alloc(pool, (n + 1) * sizeof *all);
    for (size_t i = 0; i < n; i++) {
        all[i] = response->parameters[i];
    }
    all[n] = (struct hc_wire_parameter){
        .name = HC_TEXT("triton_final_response"), .kind = HC_WIRE_BOOL, .boolean = final};
    proto->parameters = all;
    proto->n_parameters = n + 1;
}

enum hc_code grpc_infer_respond_in_stream(struct grpc_infer *infer, struct grpc_call *call,
                                          struct hc_response *response, bool final,
                                          struct hc_error *error) {
    char version[VERSION_ROOM];
    struct hc_infer_proto_response proto = begin_response(infer, version);
    if (response == NULL) {
        proto.model_version = infer->proto.model_version;
    }
    add_final(&proto, response, final, &infer->request->pool);
    return send_response(infer, call, response, &proto, HC_INFER_PROTO_IN_STREAM,
                         (struct hc_text){0}, error);
}

void grpc_infer_fail_in_stream(struct grpc_infer *infer, struct grpc_call *call,
                               struct hc_text message, bool ran, bool final) {
    char version[VERSION_ROOM];
    struct hc_infer_proto_response proto = {.id = infer->proto.id};
    if (ran) {
        proto = begin_response(infer, version);
        proto.model_version = infer->proto.model_version;
        add_final(&proto, NULL, final, &infer->request->pool);
    }
    send_response(infer, call, NULL, &proto, HC_INFER_PROTO_IN_STREAM, message, NULL);
}
