/*
 * The HTTP/REST front end: KServe v2 with Triton's extensions, over net/http_server.h.
 *
 *     http_api.c       start and end, what comes first with every request
 *     http_route.c     which handler a path belongs to
 *     http_answer.c    the forms of answers
 *     http_health.c    live, ready
 *     http_metadata.c  server and model metadata, model config
 *     http_repository.c  the index, loading and unloading
 *     http_statistics.c  counters of models
 *     http_infer*.c    infer: reading requests, raw ones, answering
 *     http_generate*.c generate and generate_stream, over the same
 *     http_memory.c    shared memory of clients
 *     http_settings.c  settings of the log
 *     http_body.c      bodies of requests, decompressed where they must be
 *
 * A handler runs on the loop of its connection and answers its exchange, at once or later.
 */
#ifndef HC_API_HTTP_H
#define HC_API_HTTP_H

#include "core/restriction.h"
#include "core/server.h"
#include "net/http_server.h"

struct hc_http_api;

/* Texts may be NULL where nothing else is said. */
struct hc_http_api_options {
    const char *address;
    uint16_t port;
    bool reuse_port;
    size_t max_input_size;  /* of what is not binary tensor data */
    uint64_t max_body_size; /* of whole requests */
    const char
        *forward_pattern;    /* of headers that become parameters: a POSIX extended expression
                                that a part of their name matches, whatever the case; "": none */
    const char *cors_origin; /* that browsers may send requests from, "*": any; "": none */
    const struct hc_restrictions *restrictions; /* NULL: none */
    bool use_tls;
    struct hc_tls_config tls;
};

/* What OPTIONS point to must stay; HC_INVALID_ARGUMENT when they cannot be used. */
enum hc_code hc_http_api_create(struct hc_server *server, const struct hc_http_api_options *options,
                                struct hc_http_api **api, struct hc_error *error);

uint16_t hc_http_api_port(const struct hc_http_api *api);

/* As hc_http_server_stop(), _count() and _abort(). */
void hc_http_api_stop(struct hc_http_api *api, void (*on_stopped)(void *data), void *data);
size_t hc_http_api_count(const struct hc_http_api *api);
void hc_http_api_abort(struct hc_http_api *api);

void hc_http_api_destroy(struct hc_http_api *api);

#endif
