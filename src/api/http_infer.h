/*
 * One inference over HTTP, between the files that read it and those that answer it.
 */
#ifndef HC_API_HTTP_INFER_H
#define HC_API_HTTP_INFER_H

#include "http_body.h"
#include "http_internal.h"
#include "shm/shm.h"
#include "wire/infer_json.h"

enum { HTTP_TENSOR_ALIGNMENT = 64 };

/* Lives in the exchange's pool. */
struct http_infer {
    struct http_body body; /* first, as http_body.h wants it */
    struct hc_http_api *api;
    struct hc_http_exchange *exchange;
    struct hc_request *request; /* released with the answer */
    struct hc_infer_json_request json;
    struct iovec *vectors; /* where binary inputs go */
    size_t n_vectors;
    struct hc_shm_region **input_regions;  /* by input, NULL for those that are elsewhere */
    struct hc_shm_region **output_regions; /* by output of `json`, likewise */
    size_t json_size;             /* of the JSON part before binary inputs; 0: all is JSON */
    struct hc_response *response; /* the first, until the last has come; not of streams */
    size_t n_responses;
    bool streaming; /* a stream's head has been sent */
    bool overrun;   /* its client takes too little of it */
};

/* ---- http_infer.c ---- */

/* A request of MODEL, and the exchange's data. ON_RESPONSE finds the struct as its user. */
struct http_infer *http_infer_create(const struct http_call *call, struct hc_model *model,
                                     hc_on_response *on_response);

/* The inputs are in place: have it run. */
void http_infer_run(struct http_infer *infer);

/* ---- http_infer_raw.c: read a body that is nothing but the data of the model's only input ---- */

void http_infer_read_raw(struct http_infer *infer);

/* ---- http_infer_inputs.c ---- */

/*
 * Fill in the request with what `json` says and the data that it has; `vectors` is where the data
 * that is still to come belongs.
 */
enum hc_code http_infer_take(struct http_infer *infer, struct hc_error *error);

/* ---- http_infer_response.c ---- */

/* Nothing of it is needed any more, but for what the exchange's pool holds. */
void http_infer_finish(struct http_infer *infer);

/* Answer with an error and end the exchange. */
void http_infer_fail(struct http_infer *infer, enum hc_code code, struct hc_text message);
void http_infer_fail_with(struct http_infer *infer, const struct hc_error *error);

/* The same, saying which codings would do. */
void http_infer_refuse_coding(struct http_infer *infer, const struct hc_error *error);

/*
 * Keep RESPONSE if it is the first, for those who want one only; a second ends the interest in what
 * the model does. True: it was the last.
 */
bool http_infer_collect(struct http_infer *infer, struct hc_response *response, bool final);

void http_infer_on_response(struct hc_request *request, struct hc_response *response, bool final);

/* ---- http_infer_outputs.c ---- */

/* What is sent where JSON has no word for a value. */
extern const struct hc_infer_json_policy http_json_policy;

/*
 * Replace the outputs whose classes are asked for by those, in memory of the exchange's pool, and
 * copy those that the client wants in its shared memory to there.
 */
enum hc_code http_infer_convert(const struct http_infer *infer, struct hc_response *response,
                                struct hc_error *error);

/* What there is to write of RESPONSE, in memory of POOL. */
struct hc_infer_json_response http_infer_describe(const struct http_infer *infer,
                                                  const struct hc_response *response,
                                                  struct hc_pool *pool);

/* ---- http_generate_response.c ---- */

void http_generate_on_response(struct hc_request *request, struct hc_response *response,
                               bool final);
void http_generate_on_event(struct hc_request *request, struct hc_response *response, bool final);

/* As hc_http_probe(), for a stream that has started: sends a comment, which readers skip. */
void http_generate_probe(struct hc_http_exchange *exchange);

#endif
