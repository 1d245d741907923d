/* What HTTP messages consist of: headers and the names of statuses. */
#include "net/http.h"

const struct hc_http_header *hc_http_find(const struct hc_http_header *headers, size_t n_headers,
                                          const char *name) {
    for (size_t i = 0; i < n_headers; i++) {
        if (hc_text_is_nocase(headers[i].name, name)) {
            return &headers[i];
        }
    }
    return NULL;
}

const char *hc_http_reason(int status) {
    static const char *const reasons[] = {
        [100] = "Continue",
        [200] = "OK",
        [201] = "Created",
        [202] = "Accepted",
        [204] = "No Content",
        [206] = "Partial Content",
        [301] = "Moved Permanently",
        [302] = "Found",
        [304] = "Not Modified",
        [400] = "Bad Request",
        [401] = "Unauthorized",
        [403] = "Forbidden",
        [404] = "Not Found",
        [405] = "Method Not Allowed",
        [406] = "Not Acceptable",
        [408] = "Request Timeout",
        [409] = "Conflict",
        [411] = "Length Required",
        [412] = "Precondition Failed",
        [413] = "Content Too Large",
        [414] = "URI Too Long",
        [415] = "Unsupported Media Type",
        [417] = "Expectation Failed",
        [422] = "Unprocessable Content",
        [426] = "Upgrade Required",
        [429] = "Too Many Requests",
        [431] = "Request Header Fields Too Large",
        [500] = "Internal Server Error",
        [501] = "Not Implemented",
        [502] = "Bad Gateway",
        [503] = "Service Unavailable",
        [504] = "Gateway Timeout",
        [505] = "HTTP Version Not Supported",
    };
    enum { N_REASONS = sizeof reasons / sizeof reasons[0] };
    const char *reason = status >= 0 && status < N_REASONS ? reasons[status] : NULL;
    return reason != NULL ? reason : "Unknown";
}
