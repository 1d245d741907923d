/*
 * What the files of the HTTP front end know of each other.
 */
#ifndef HC_API_HTTP_INTERNAL_H
#define HC_API_HTTP_INTERNAL_H

#include <regex.h>

#include "api/http.h"
#include "base/buf.h"

struct hc_http_api {
    struct hc_server *server;
    struct hc_http_api_options options;
    struct hc_http_server *http;
    struct hc_tls *tls;            /* NULL: none */
    regex_t *forward;              /* names of headers that become parameters, NULL: none */
    struct hc_http_header cors[3]; /* sent with every answer */
    size_t n_cors;
};

/* What a handler gets: the exchange, and what the path said. */
struct http_call {
    struct hc_http_api *api;
    struct hc_http_exchange *exchange;
    struct hc_context *context; /* of the exchange's loop */
    struct hc_text model;       /* empty: the path names none */
    struct hc_text version;     /* likewise */
    struct hc_text repository;  /* likewise */
    struct hc_text region;      /* of shared memory, likewise */
};

/* ---- http_answer.c: each ends the exchange ---- */

void http_answer_empty(struct hc_http_exchange *exchange, int status);

/* BODY's memory is taken over. */
void http_answer_json(struct hc_http_exchange *exchange, int status, struct hc_buf *body);

/* {"error":"MESSAGE"} with the status of CODE. */
void http_answer_error(struct hc_http_exchange *exchange, enum hc_code code,
                       struct hc_text message);
void http_answer_error_and_header(struct hc_http_exchange *exchange, enum hc_code code,
                                  struct hc_text message, const struct hc_http_header *header);
void http_answer_status(struct hc_http_exchange *exchange, int status, struct hc_text message);

/* To a browser that asks what it may send (https://fetch.spec.whatwg.org/#http-cors-protocol). */
void http_answer_preflight(struct hc_http_exchange *exchange);

/* ---- handlers ---- */

void http_live(const struct http_call *call);
void http_ready(const struct http_call *call);
void http_model_ready(const struct http_call *call);
void http_server_metadata(const struct http_call *call);
void http_model_metadata(const struct http_call *call);
void http_model_config(const struct http_call *call);
void http_infer(const struct http_call *call);
void http_generate(const struct http_call *call);
void http_generate_stream(const struct http_call *call);
void http_statistics(const struct http_call *call); /* of all models when the path names none */
void http_repository_index(const struct http_call *call);
void http_model_load(const struct http_call *call);
void http_model_unload(const struct http_call *call);
void http_system_memory_status(
    const struct http_call *call); /* of all regions when none is named */
void http_register_system_memory(const struct http_call *call);
void http_unregister_system_memory(const struct http_call *call);
void http_cuda_memory_status(const struct http_call *call);
void http_register_cuda_memory(const struct http_call *call);
void http_unregister_cuda_memory(const struct http_call *call);
void http_log_settings(const struct http_call *call);
void http_change_log_settings(const struct http_call *call);
void http_trace_settings(const struct http_call *call);

/*
 * Read a body of the control plane, of at most max_input_size bytes; the exchange's data is a copy
 * of CALL from then on.
 */
void http_read_all(const struct http_call *call, hc_http_body_fn on_body);

/* The version that the path names, -1 for none. */
enum hc_code http_read_version(const struct http_call *call, int64_t *version,
                               struct hc_error *error);

/* The model that the path names, borrowed from the catalog of the loop. */
enum hc_code http_find_model(const struct http_call *call, struct hc_model **model,
                             struct hc_error *error);

#endif
