/*
 * The gRPC front end: inference.GRPCInferenceService with Triton's extensions, over
 * net/http2_server.h.
 *
 *     server.c      start and end
 *     method.c      which method a path belongs to
 *     call.c        one call: messages cut out of its body, its status
 *     patience.c    how long a client may take to send a message
 *     compress.c    codings of messages
 *     unary.c       methods of one small message each way
 *     health.c      live, ready
 *     metadata.c    server and model metadata, model config
 *     statistics.c, repository.c, shared_memory.c, log_settings.c, reflection.c
 *     infer*.c      one inference: taken in, run, answered
 *     model_infer.c, model_stream_infer.c   the calls that carry inferences
 *
 * A call runs on the loop of its connection.
 */
#ifndef HC_GRPC_GRPC_H
#define HC_GRPC_GRPC_H

#include "core/restriction.h"
#include "core/server.h"
#include "net/tls.h"

struct hc_grpc_api;

/* How hard responses of inferences are compressed, for clients that accept it. */
enum hc_grpc_compression {
    HC_GRPC_COMPRESSION_NONE,
    HC_GRPC_COMPRESSION_LOW,
    HC_GRPC_COMPRESSION_MEDIUM,
    HC_GRPC_COMPRESSION_HIGH,
};

struct hc_grpc_api_options {
    const char *address;
    uint16_t port;
    bool reuse_port;
    enum hc_grpc_compression compression;
    const char *forward_pattern;                /* as core/forward.h has it */
    const struct hc_restrictions *restrictions; /* outlive the front end; NULL: none */
    bool use_tls;
    struct hc_tls_config tls;

    /* As net/http2_server.h has them. */
    unsigned keepalive_ms;
    unsigned keepalive_timeout_ms;
    bool keepalive_without_calls;
    unsigned max_pings;
    unsigned min_ping_interval_ms;
    unsigned max_ping_strikes;
    unsigned max_age_ms;
    unsigned age_grace_ms;
};

/* "none", "low", "medium" or "high"; false for other words. */
bool hc_grpc_compression_find(const char *word, enum hc_grpc_compression *compression);

enum hc_code hc_grpc_api_create(struct hc_server *server, const struct hc_grpc_api_options *options,
                                struct hc_grpc_api **api, struct hc_error *error);

uint16_t hc_grpc_api_port(const struct hc_grpc_api *api);

/* As hc_http2_server_stop() and _abort(). */
void hc_grpc_api_stop(struct hc_grpc_api *api, void (*on_stopped)(void *data), void *data);
void hc_grpc_api_abort(struct hc_grpc_api *api);

void hc_grpc_api_destroy(struct hc_grpc_api *api);

#endif
