/*
 * HTTP/1.1 requests: bytes in, a request and the places of its body out (RFC 9112, RFC 9110). No
 * socket, no clock, no memory of its own.
 *
 * Strict, so that nothing which another server on the way may have read differently is accepted:
 * one blank between the parts of the request line, CRLF and nothing else at line ends, no folded
 * lines, no blank before a colon, no control bytes, targets made of URI characters, one valid Host
 * (none needed on 1.0), at most one Content-Length of digits only, no Transfer-Encoding but
 * "chunked" on 1.1 and not beside a Content-Length. One empty line before a request is skipped.
 * Minor versions above 1 are read as 1.1. CONNECT is not implemented; Upgrade, TE and Trailer mean
 * nothing here.
 *
 * A request is read with one struct hc_http1_head, and then its body with one struct hc_http1_body.
 */
#ifndef HC_NET_HTTP1_H
#define HC_NET_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http.h"

enum hc_http1_result {
    HC_HTTP1_MORE, /* all is well so far: call again with more bytes */
    HC_HTTP1_DONE,
    HC_HTTP1_BAD, /* the failure says why; the connection cannot be used any more */
};

/* What to answer to a request that was refused. */
struct hc_http1_failure {
    int status;
    const char *message; /* static */
};

struct hc_http1_limits {
    size_t line_size;   /* of the request line, with its CRLF: 414 beyond */
    size_t fields_size; /* of all header lines, with the empty one that ends them: 431 beyond */
    size_t n_headers;   /* 431 beyond */
};

#define HC_HTTP1_DEFAULT_LIMITS                                                                    \
    ((struct hc_http1_limits){.line_size = 16 << 10, .fields_size = 64 << 10, .n_headers = 100})

/* The request's texts are views of the bytes that the head was read from. */
struct hc_http1_head {
    struct hc_http_request request;
    unsigned minor_version;
    bool keep_alive;       /* as far as the client is concerned */
    bool expects_continue; /* it waits for "100 Continue" */
    struct hc_http1_failure failure;

    const struct hc_http1_limits *_limits;
    const char *_data;
    size_t _line;    /* where the line begins that is being read */
    size_t _scanned; /* no line ends before here */
    size_t _fields;  /* where the header lines begin; 0 before the request line is complete */
    unsigned _n_hosts;
    bool _has_length, _says_close, _says_keep_alive;
};

/* HEADERS has room for LIMITS->n_headers; both stay the caller's. */
void hc_http1_head_init(struct hc_http1_head *head, const struct hc_http1_limits *limits,
                        struct hc_http_header *headers);

/*
 * Read on. DATA are all SIZE bytes that have arrived since the head began, those of earlier calls
 * included; they may have been moved since, and the views follow them. No byte is looked at often,
 * in however small pieces they come. When done, the body begins at DATA + *HEAD_SIZE.
 */
enum hc_http1_result hc_http1_head_read(struct hc_http1_head *head, const char *data, size_t size,
                                        size_t *head_size);

/* The bytes that were read so far now lie at DATA: let the views follow. */
void hc_http1_head_move(struct hc_http1_head *head, const char *data);

enum {
    HC_HTTP1_CHUNK_LINE_SIZE = 1024,   /* of a chunk's size and extensions, or of a trailer */
    HC_HTTP1_CHUNK_EXTRA_SIZE = 65536, /* of all extensions and trailers of a body */
};

/*
 * A body is a series of runs of plain bytes with framing between them. While `run` is not 0, that
 * many bytes of the body come next, and hc_http1_body_take() says that some were received, wherever
 * they were put. Otherwise the body is done, or framing follows and is read by
 * hc_http1_body_read().
 */
struct hc_http1_body {
    uint64_t run;
    bool done;
    struct hc_http1_failure failure;

    unsigned _state;
    size_t _n_extra;
    size_t _n_line;
    char _line[HC_HTTP1_CHUNK_LINE_SIZE];
};

/* The body of a head that was read. */
void hc_http1_body_init(struct hc_http1_body *body, const struct hc_http1_head *head);

/* SIZE is at most the run. */
void hc_http1_body_take(struct hc_http1_body *body, uint64_t size);

/*
 * Read the framing in DATA, new bytes only, up to the next run or the end: *N_USED bytes were read,
 * all of them when the result is HC_HTTP1_MORE. Extensions and trailers are checked and dropped.
 */
enum hc_http1_result hc_http1_body_read(struct hc_http1_body *body, const char *data, size_t size,
                                        size_t *n_used);

#endif
