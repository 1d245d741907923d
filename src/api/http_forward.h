/*
 * Headers that are forwarded to models as parameters of their requests.
 */
#ifndef HC_API_HTTP_FORWARD_H
#define HC_API_HTTP_FORWARD_H

#include "http_internal.h"

/* *FORWARD is NULL when PATTERN is NULL or empty: nothing is forwarded. */
enum hc_code http_forward_create(const char *pattern, regex_t **forward, struct hc_error *error);
void http_forward_destroy(regex_t *forward); /* NULL: nothing */

/* Add the headers of the exchange that are to be forwarded to the request's parameters. */
void http_forward_headers(const struct hc_http_api *api, struct hc_http_exchange *exchange,
                          struct hc_request *request);

#endif
