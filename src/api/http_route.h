/*
 * Routes: from a path to what handles it.
 */
#ifndef HC_API_HTTP_ROUTE_H
#define HC_API_HTTP_ROUTE_H

#include "core/restriction.h"
#include "http_internal.h"

struct http_route {
    const char *path; /* what is left of it when names and their prefixes are taken off */
    const char *method;
    enum hc_api api; /* to which it belongs */
    void (*handle)(const struct http_call *call);
};

/*
 * The route for PATH and CALL's method, and what the path says of the model or region in CALL. One
 * for another method if the path has none for this one, NULL if nobody knows the path. Names may be
 * percent-encoded.
 */
const struct http_route *http_route_find(struct hc_text path, struct http_call *call);

/* GET routes take HEAD as well. */
bool http_route_accepts(const struct http_route *route, struct hc_text method);

#endif
