/*
 * One request over HTTP/2 and its answer, as the application sees them (RFC 9113).
 *
 * A stream is handed to on_request when the header of a request is complete. It is the
 * application's until it has ended its answer with hc_http2_end() or hc_http2_reset(): exactly one
 * of these is called for every stream, also when the client has gone meanwhile, and the stream must
 * not be touched afterwards. Everything here is for the thread of the stream's loop.
 *
 * The texts of the request and the stream's pool live until then.
 */
#ifndef HC_NET_HTTP2_STREAM_H
#define HC_NET_HTTP2_STREAM_H

#include "base/pool.h"
#include "net/address.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/segment.h"

struct hc_http2_stream;

/* The headers are without those that begin with a colon; `chunked` and `content_length` say
 * nothing: only on_body_end tells that a body is complete. */
const struct hc_http_request *hc_http2_request(const struct hc_http2_stream *stream);
struct hc_pool *hc_http2_pool(struct hc_http2_stream *stream);
struct hc_loop *hc_http2_loop(const struct hc_http2_stream *stream);
const struct hc_address *hc_http2_peer(const struct hc_http2_stream *stream);

/*
 * What happens to a stream. Nothing of this comes inside a call of the functions below, and none of
 * it after the stream was ended.
 */
struct hc_http2_events {
    /* Bytes of the body; they hold while this runs. */
    void (*on_body)(struct hc_http2_stream *stream, struct hc_text bytes);
    /* There are no more of them. */
    void (*on_body_end)(struct hc_http2_stream *stream);
    /* The client has reset the stream, or the connection is broken: no answer will reach it. */
    void (*on_gone)(struct hc_http2_stream *stream);
};

/* By on_request, unless it ends the stream: who is told, and a pointer of the application's. */
void hc_http2_accept(struct hc_http2_stream *stream, const struct hc_http2_events *events,
                     void *data);
void *hc_http2_data(const struct hc_http2_stream *stream);

/*
 * While a stream is held the client is not allowed more bytes of the body than it already is; those
 * still arrive. Holding does not count.
 */
void hc_http2_hold(struct hc_http2_stream *stream, bool held);

/* The header of the answer, whose status is 200. HEADERS are copied; names are lower-case. */
void hc_http2_start(struct hc_http2_stream *stream, const struct hc_http_header *headers,
                    size_t n_headers);

/*
 * More of the answer's body. Segments of more than HC_SEGMENT_COPY_SIZE bytes are sent from where
 * they are. What the client does not take adds up: the sender looks at hc_http2_unsent() and waits
 * with hc_http2_on_writable(), whose callback comes once, as soon as at most MARK bytes are unsent,
 * or never when the client goes.
 */
void hc_http2_send(struct hc_http2_stream *stream, const struct hc_segment *segments,
                   size_t n_segments);

typedef void (*hc_http2_writable_fn)(struct hc_http2_stream *stream);
size_t hc_http2_unsent(const struct hc_http2_stream *stream);
void hc_http2_on_writable(struct hc_http2_stream *stream, size_t mark,
                          hc_http2_writable_fn on_writable);

/*
 * End the answer with TRAILERS, behind the body; when nothing was started they are the header of an
 * answer without body. A client that is still sending is told to stop.
 */
void hc_http2_end(struct hc_http2_stream *stream, const struct hc_http_header *trailers,
                  size_t n_trailers);

/* End it with an error of the protocol's (RFC 9113 §7); what was not sent is not. */
enum hc_http2_error {
    HC_HTTP2_NO_ERROR = 0,
    HC_HTTP2_INTERNAL_ERROR = 2,
    HC_HTTP2_REFUSED_STREAM = 7,
    HC_HTTP2_CANCEL = 8,
    HC_HTTP2_ENHANCE_YOUR_CALM = 11,
};
void hc_http2_reset(struct hc_http2_stream *stream, enum hc_http2_error error);

#endif
