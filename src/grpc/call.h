/*
 * One call of a method: what its kinds have in common.
 *
 * The body is cut into messages, which are handed to the kind's functions piece by piece as they
 * arrive. A call ends with a status, once; from then on `stream` is NULL and whatever the call
 * still waits for is nobody's business any more. Who has nothing left to do frees it.
 */
#ifndef HC_GRPC_CALL_H
#define HC_GRPC_CALL_H

#include <regex.h>

#include "base/buf.h"
#include "core/server.h"
#include "grpc/grpc.h"
#include "net/http2_server.h"
#include "wire/compress.h"
#include "wire/grpc.h"

struct hc_grpc_api {
    struct hc_server *server;
    struct hc_grpc_api_options options;
    struct hc_http2_server *http;
    struct hc_tls *tls; /* NULL: none */
    regex_t *forward;   /* names of headers that become parameters, NULL: none */
};

struct grpc_call;

/* What a kind of call does. A failure ends the call with that status. */
struct grpc_kind {
    size_t size;       /* of its struct, which begins with a struct grpc_call */
    bool only_message; /* the client sends one, not any number */
    bool compresses;   /* its answers, if the server is set up to */

    /* The call is new; may be NULL. */
    void (*on_start)(struct grpc_call *call);

    /* A message of SIZE bytes begins; some of them; it is complete. */
    enum hc_code (*on_begin)(struct grpc_call *call, size_t size, struct hc_error *error);
    enum hc_code (*on_bytes)(struct grpc_call *call, struct hc_text bytes, struct hc_error *error);
    enum hc_code (*on_message)(struct grpc_call *call, struct hc_error *error);

    /* The client has sent all messages. */
    enum hc_code (*on_end)(struct grpc_call *call, struct hc_error *error);

    /* The call has ended, here or at the client's: stop what goes on, and free it when all has
     * stopped. */
    void (*on_ended)(struct grpc_call *call);
};

struct grpc_method {
    const char *service;
    const char *name;
    enum hc_api api; /* that it belongs to */
    const struct grpc_kind *kind;
    /* Of unary ones: the request, which holds until this returns. Answers, at once or later. */
    enum hc_code (*handle)(struct grpc_call *call, struct hc_text message, struct hc_error *error);
};

struct grpc_call {
    struct hc_grpc_api *api;
    struct hc_http2_stream *stream; /* NULL: the call has ended */
    struct hc_context *context;     /* of the loop */
    const struct grpc_method *method;
    struct hc_grpc_cutter cutter;
    enum hc_coding request_coding; /* of messages that are compressed */
    enum hc_coding response_coding;
    struct hc_inflater *inflater; /* of the message that arrives */
    struct hc_buf inflated;
    struct hc_timer deadline;
    struct hc_timer patience; /* with what the client sends */
    uint64_t patience_until_ns;
    unsigned n_messages; /* that have begun */
    bool started;        /* something of the answer was sent */
    unsigned n_holds;    /* it is not freed while there are any, … */
    bool freed;          /* … but afterwards */
};

/* method.c: NULL for a path that means nothing. */
const struct grpc_method *grpc_method_find(struct hc_text path);

/* method.c: the name of service I; NULL: there are no more. */
const char *grpc_method_service(size_t i);

/* call.c: what the HTTP server calls. */
void grpc_call_begin(void *api, struct hc_http2_stream *stream);

/* patience.c: the call is new, or so many bytes of its body have come. It ends when the client does
 * not go on with a message that it has begun, or has to send. */
void grpc_patience_update(struct grpc_call *call, size_t n_received);

/* Send a message, with its prefix, that consists of SEGMENTS; in the call's coding if it is marked
 * as compressed. */
void grpc_call_send(struct grpc_call *call, const struct hc_segment *segments, size_t n_segments);

/* End the call, if it has not ended. MESSAGE is empty with HC_OK. */
void grpc_call_end(struct grpc_call *call, enum hc_code code, struct hc_text message);
void grpc_call_fail(struct grpc_call *call, const struct hc_error *error);

/* Free it; `stream` is NULL. Whoever goes on with a call that may have ended in between holds it.
 */
void grpc_call_free(struct grpc_call *call);
void grpc_call_hold(struct grpc_call *call);
void grpc_call_release(struct grpc_call *call);

/* Memory of a call that has not ended. */
static inline struct hc_pool *grpc_call_pool(const struct grpc_call *call) {
    return hc_http2_pool(call->stream);
}

/* The value of a header of the call; data NULL: there is none. */
struct hc_text grpc_call_header(const struct grpc_call *call, const char *name);

/* model.c: a version as clients spell it; -1: none in particular. */
enum hc_code grpc_read_version(struct hc_text text, int64_t *version, struct hc_error *error);

/* model.c: the model to serve, borrowed from the loop's catalog; VERSION as clients spell it. */
enum hc_code grpc_find_model(const struct hc_context *context, struct hc_text name,
                             struct hc_text version, struct hc_model **model,
                             struct hc_error *error);

#endif
