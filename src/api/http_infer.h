/*
 * One inference over HTTP, between the files that read it and the one that answers it.
 */
#ifndef HC_API_HTTP_INFER_H
#define HC_API_HTTP_INFER_H

#include "http_body.h"
#include "http_internal.h"
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
    size_t json_size; /* of the JSON part before binary inputs; 0: all is JSON */
};

/* Answer with an error and end the exchange. */
void http_infer_fail(struct http_infer *infer, enum hc_code code, struct hc_text message);
void http_infer_fail_with(struct http_infer *infer, const struct hc_error *error);

/* The same, saying which codings would do. */
void http_infer_refuse_coding(struct http_infer *infer, const struct hc_error *error);

/* The request's on_response; its user is the struct http_infer. */
void http_infer_on_response(struct hc_request *request, struct hc_response *response, bool final);

/* The inputs are in place: have it run. */
void http_infer_run(struct http_infer *infer);

/* Read a body that is nothing but the data of the model's only input. */
void http_infer_read_raw(struct http_infer *infer);

#endif
