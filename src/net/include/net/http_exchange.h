/*
 * One request over HTTP and its answer, as the application sees them.
 *
 * An exchange is handed to on_request when the header of a request is complete. It is the
 * application's until it has ended its answer with hc_http_respond(), hc_http_end() or
 * hc_http_abort(): exactly one of these is called for every exchange, also when the client has gone
 * meanwhile, and the exchange must not be touched afterwards. Everything here is for the thread of
 * the exchange's loop. Callbacks run on a stack of their own making: never inside a call of these
 * functions.
 *
 * The texts of the request, the bytes that a read delivered and the exchange's pool live until the
 * answer has ended. What an answer is made of may lie in any of them: they are kept until the
 * socket has taken it.
 */
#ifndef HC_NET_HTTP_EXCHANGE_H
#define HC_NET_HTTP_EXCHANGE_H

#include <sys/uio.h>

#include "base/error.h"
#include "base/pool.h"
#include "net/address.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/segment.h"

struct hc_http_exchange;

const struct hc_http_request *hc_http_request(const struct hc_http_exchange *exchange);
struct hc_pool *hc_http_pool(struct hc_http_exchange *exchange);
struct hc_loop *hc_http_loop(const struct hc_http_exchange *exchange);
const struct hc_address *hc_http_peer(const struct hc_http_exchange *exchange);

/* A pointer of the application's, NULL at first. */
void hc_http_set_data(struct hc_http_exchange *exchange, void *data);
void *hc_http_data(const struct hc_http_exchange *exchange);

/*
 * Bytes of the body, or the ERROR (NULL: none) why there are none:
 *   HC_INVALID_ARGUMENT   the body ended early or is malformed
 *   HC_OUT_OF_RANGE       it is larger than the limit
 *   HC_DEADLINE_EXCEEDED  it came too slowly
 *   HC_CANCELLED          the client has gone
 *   HC_RESOURCE_EXHAUSTED there is no memory to bring it together in
 * The exchange is still to be answered, and its connection ends with it.
 */
typedef void (*hc_http_body_fn)(struct hc_http_exchange *exchange, struct hc_text bytes,
                                const struct hc_error *error);

/*
 * Reads, one at a time, in any order. Ending the answer cancels the one that is under way, without
 * its callback. A client that waits for "100 Continue" gets it with the first of them.
 *
 * hc_http_read() delivers the next SIZE bytes, in one piece, which hold until the next read begins.
 * hc_http_read_some() delivers what comes next, at most LIMIT bytes, and none at the body's end.
 * hc_http_read_all() delivers all the rest of the body if it is of at most LIMIT bytes, and refuses
 * it as soon as that is known. hc_http_read_into() fills the N_IOV vectors (copied; the memory is
 * the caller's) with the next bytes: straight from the socket but for those that had arrived with
 * the header or the framing. hc_http_drain() drops all the rest, up to LIMIT bytes. The last two
 * deliver no bytes. Nobody needs to know whether the body is chunked.
 */
void hc_http_read(struct hc_http_exchange *exchange, size_t size, hc_http_body_fn on_body);
void hc_http_read_some(struct hc_http_exchange *exchange, size_t limit, hc_http_body_fn on_body);
void hc_http_read_all(struct hc_http_exchange *exchange, size_t limit, hc_http_body_fn on_body);
void hc_http_read_into(struct hc_http_exchange *exchange, const struct iovec *iov, size_t n_iov,
                       hc_http_body_fn on_body);
void hc_http_drain(struct hc_http_exchange *exchange, size_t limit, hc_http_body_fn on_body);

/* How many bytes of the body have not been read; false when only its end will tell. */
bool hc_http_body_left(const struct hc_http_exchange *exchange, uint64_t *size);

/*
 * Have ON_CLOSE called while the exchange is not ended and no read is under way (a read reports an
 * error instead):
 *   HC_HTTP_HALF_CLOSED  The client will send no more. It may be waiting for its answer, and gets
 *                        it: a client that shuts down its sending side must not lose it. It may
 *                        also have closed its socket, which looks the same until something is sent.
 *   HC_HTTP_GONE         The connection is broken: no answer will reach the client.
 */
enum hc_http_loss { HC_HTTP_HALF_CLOSED, HC_HTTP_GONE };
typedef void (*hc_http_close_fn)(struct hc_http_exchange *exchange, enum hc_http_loss loss);
void hc_http_on_close(struct hc_http_exchange *exchange, hc_http_close_fn on_close);

/*
 * After HC_HTTP_HALF_CLOSED: find out whether the client still waits, by an interim answer that
 * those who do skip ("100 Continue"). If it has closed its socket HC_HTTP_GONE follows. Does
 * nothing for HTTP/1.0, nor once the answer has begun.
 */
void hc_http_probe(struct hc_http_exchange *exchange);

/*
 * Answer, and end the exchange. HEADERS are sent as they are, but control bytes in their values
 * become blanks; Content-Length, Server and Connection are added. Segments of more than
 * HC_SEGMENT_COPY_SIZE bytes are sent from where they are. The body of an answer to HEAD is counted
 * and released, not sent.
 *
 * A body that was not read to its end is dropped after the answer when what is left of it is small
 * (the server's drain_limit); otherwise the connection ends with the answer, after which the client
 * has five seconds to notice.
 */
void hc_http_respond(struct hc_http_exchange *exchange, int status,
                     const struct hc_http_header *headers, size_t n_headers,
                     const struct hc_segment *segments, size_t n_segments);

/*
 * A streamed answer: chunked, or on HTTP/1.0 delimited by the end of the connection. Each
 * hc_http_send() is one chunk and is sent at once. When the client does not read, what is unsent
 * adds up: the sender looks at hc_http_unsent() and waits with hc_http_on_writable(), whose
 * callback comes once, as soon as at most MARK bytes are unsent, or never when the client goes.
 */
void hc_http_start(struct hc_http_exchange *exchange, int status,
                   const struct hc_http_header *headers, size_t n_headers);
void hc_http_send(struct hc_http_exchange *exchange, const struct hc_segment *segments,
                  size_t n_segments);
void hc_http_end(struct hc_http_exchange *exchange);

typedef void (*hc_http_writable_fn)(struct hc_http_exchange *exchange);
size_t hc_http_unsent(const struct hc_http_exchange *exchange);
void hc_http_on_writable(struct hc_http_exchange *exchange, size_t mark,
                         hc_http_writable_fn on_writable);

/*
 * End the exchange by closing the connection: the client sees no answer, or a torn one (which a
 * stream on HTTP/1.0 does not show).
 */
void hc_http_abort(struct hc_http_exchange *exchange);

#endif
