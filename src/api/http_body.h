/*
 * The body of a request as handlers read it: as it comes, or decompressed as a whole first.
 *
 * A handler that reads by these functions has the exchange's data point to a struct of its own
 * whose first member is the struct http_body. Callbacks are those of hc_http_read() and its kin,
 * and may come before the read returns, so that nothing follows a read in the function that asks
 * for it.
 */
#ifndef HC_API_HTTP_BODY_H
#define HC_API_HTTP_BODY_H

#include "api/http.h"
#include "wire/compress.h"

/* Zeroed but for `exchange` at first. */
struct http_body {
    struct hc_http_exchange *exchange;
    struct hc_inflater *_inflater;
    bool _decoded;
    struct hc_buf _content; /* decompressed */
    size_t _place;          /* in it: what was not yet read */
    uint64_t _limit;        /* how much more there may be of what is compressed */
    hc_http_body_fn _on_body;
};

/* What Content-Encoding says; HC_UNIMPLEMENTED for what nobody here knows. */
enum hc_code http_body_coding(const struct http_body *body, enum hc_coding *coding,
                              struct hc_error *error);

/*
 * Decompress the body, of at most COMPRESSED_LIMIT bytes that become at most LIMIT; other reads
 * follow when ON_BODY has come, which gets no bytes.
 */
void http_body_decode(struct http_body *body, enum hc_coding coding, uint64_t compressed_limit,
                      size_t limit, hc_http_body_fn on_body);

/* As the functions of net/http_exchange.h. What is read of a decompressed body stays in place. */
bool http_body_left(const struct http_body *body, uint64_t *size);
void http_body_read(struct http_body *body, size_t size, hc_http_body_fn on_body);
void http_body_read_all(struct http_body *body, size_t limit, hc_http_body_fn on_body);
void http_body_read_into(struct http_body *body, const struct iovec *iov, size_t n_iov,
                         hc_http_body_fn on_body);

/* Give back what decompressing took. */
void http_body_finish(struct http_body *body);

#endif
