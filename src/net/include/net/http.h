/*
 * What HTTP messages consist of, whichever version of the protocol carries them (RFC 9110).
 */
#ifndef HC_NET_HTTP_H
#define HC_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct hc_http_header {
    struct hc_text name;
    struct hc_text value; /* without blanks around it */
};

/* A request without its body. Texts are views; whoever hands out the request says for how long. */
struct hc_http_request {
    struct hc_text method;
    struct hc_text target; /* as sent */
    struct hc_text path;   /* as sent, not decoded; "*" for OPTIONS * */
    struct hc_text query;  /* what follows the first '?' */
    struct hc_http_header *headers;
    size_t n_headers;
    bool chunked;            /* the body says itself where it ends */
    uint64_t content_length; /* of the body, 0 without one; meaningless when chunked */
};

/* The first header called NAME, whatever the case of its letters; NULL when there is none. */
const struct hc_http_header *hc_http_find(const struct hc_http_header *headers, size_t n_headers,
                                          const char *name);

/* The phrase that goes with a status: "OK", "Not Found", …; "Unknown" for those it does not know.
 */
const char *hc_http_reason(int status);

#endif
