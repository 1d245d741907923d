/*
 * Headers that are forwarded to models as parameters of their requests.
 */
#ifndef HC_CORE_FORWARD_H
#define HC_CORE_FORWARD_H

#include <regex.h>

#include "core/request.h"
#include "net/http.h"

/*
 * A regular expression for names, whatever the case of their letters; *FORWARD is NULL when PATTERN
 * is NULL or empty: nothing is forwarded.
 */
enum hc_code hc_forward_create(const char *pattern, regex_t **forward, struct hc_error *error);
void hc_forward_destroy(regex_t *forward); /* NULL: nothing */

/* Add those of HEADERS that are to be forwarded to the request's parameters, copied. */
void hc_forward_headers(const regex_t *forward, const struct hc_http_header *headers,
                        size_t n_headers, struct hc_request *request);

#endif
