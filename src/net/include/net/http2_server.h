/*
 * An HTTP/2 server on a set of loops, over TLS or with prior knowledge (no upgrade from HTTP/1.1).
 *
 * It accepts connections and hands each request to on_request (net/http2_stream.h), on the loop
 * that owns the connection. Framing, header compression and flow control are nghttp2's.
 *
 * Clients that make work without any use (floods of pings, settings, empty frames, streams that are
 * reset as soon as they are opened) are sent away with ENHANCE_YOUR_CALM.
 *
 * Bytes of bodies count as consumed as soon as the application was given them, unless it holds the
 * stream, so that the client's windows are always open as wide as they are here.
 */
#ifndef HC_NET_HTTP2_SERVER_H
#define HC_NET_HTTP2_SERVER_H

#include "net/http2_stream.h"
#include "net/tls.h"

struct hc_http2_server;

struct hc_http2_config {
    const char *address;
    uint16_t port;
    bool reuse_port;

    struct hc_tls *tls; /* NULL: connections are not encrypted; must outlive the server */

    void (*on_request)(void *app, struct hc_http2_stream *stream);
    void *app;

    uint32_t max_streams;      /* of a connection at a time */
    uint32_t max_headers_size; /* of a request, as RFC 9113 §6.5.2 counts */
    uint32_t stream_window;    /* bytes that a client may send ahead on a stream */
    uint32_t conn_window;      /* and on all of them */

    /* Timeouts, each 0 for none: */
    uint64_t greeting_timeout_ns; /* for the connection's first frame */
    uint64_t send_timeout_ns;     /* in which the client must take some of what it is sent */

    /*
     * Keepalive, as gRPC has it. A connection on which nothing came for keepalive_ns is asked for a
     * sign of life (0: never), and is broken when none comes in keepalive_timeout_ns. Without
     * streams this is done only if `keepalive_without_streams`, and no more than max_pings times in
     * a row without something else being sent (0: without limit).
     */
    uint64_t keepalive_ns;
    uint64_t keepalive_timeout_ns;
    bool keepalive_without_streams;
    unsigned max_pings;

    /*
     * Pings of the client's that come sooner than min_ping_interval_ns after the last one (two
     * hours, without streams, unless `keepalive_without_streams`) are strikes, which sending
     * headers or data wipes out. More than max_ping_strikes of them (0: any number) end the
     * connection.
     */
    uint64_t min_ping_interval_ns;
    unsigned max_ping_strikes;

    /* How old a connection may get before it is let go of gracefully, and for how long its streams
     * may then go on; each 0 for any time. */
    uint64_t max_age_ns;
    uint64_t age_grace_ns;
};

/*
 * No address, port or callback; 4096 streams, 64 KB of headers, windows of 8 and 64 MB; 20 s for
 * the greeting, 120 s for sending; keepalive as gRPC's own servers have it.
 */
extern const struct hc_http2_config hc_http2_default_config;

/* Listen, and serve as soon as the loops run. CONFIG and LOOPS are copied. Any thread. */
enum hc_code hc_http2_server_create(const struct hc_http2_config *config,
                                    struct hc_loop *const *loops, size_t n_loops,
                                    struct hc_http2_server **server, struct hc_error *error);

uint16_t hc_http2_server_port(const struct hc_http2_server *server);

/*
 * Serve a connection that came about in another way (a socket pair, an inherited socket), closing
 * FD in the end. Any thread, before hc_http2_server_stop().
 */
void hc_http2_server_adopt(struct hc_http2_server *server, int fd);

/* Connections that are open at this moment. Any thread. */
size_t hc_http2_server_count(const struct hc_http2_server *server);

/*
 * Any thread, once: stop accepting, let clients know (GOAWAY), and close each connection when its
 * streams have ended. ON_STOPPED is called, on one of the loops, when all are gone.
 */
void hc_http2_server_stop(struct hc_http2_server *server, void (*on_stopped)(void *data),
                          void *data);

/*
 * Any thread, once, after hc_http2_server_stop(): break all connections that are left. Does nothing
 * when the server has stopped meanwhile, but it must not have been destroyed.
 */
void hc_http2_server_abort(struct hc_http2_server *server);

/* Once on_stopped was called, or when the loops never ran. NULL: nothing. */
void hc_http2_server_destroy(struct hc_http2_server *server);

#endif
