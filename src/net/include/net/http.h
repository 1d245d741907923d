/*
 * What HTTP messages consist of, whichever version of the protocol carries them (RFC 9110).
 */
#ifndef HC_NET_HTTP_H
#define HC_NET_HTTP_H

#include <stddef.h>

#include "base/text.h"

struct hc_http_header {
    struct hc_text name;
    struct hc_text value; /* without blanks around it */
};

/* The first header called NAME, whatever the case of its letters; NULL when there is none. */
const struct hc_http_header *hc_http_find(const struct hc_http_header *headers, size_t n_headers,
                                          const char *name);

/* The phrase that goes with a status: "OK", "Not Found", …; "Unknown" for those it does not know.
 */
const char *hc_http_reason(int status);

#endif
