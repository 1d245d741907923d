/*
 * An HTTP/2 server on a set of loops, with prior knowledge (no upgrade from HTTP/1.1).
 *
 * It accepts connections and hands each request to on_request (net/http2_stream.h), on the loop
 * that owns the connection. Framing, header compression and flow control are nghttp2's.
 *
 * Bytes of bodies count as consumed as soon as the application was given them, unless it holds the
 * stream, so that the client's windows are always open as wide as they are here.
 */
#ifndef HC_NET_HTTP2_SERVER_H
#define HC_NET_HTTP2_SERVER_H

#include "net/http2_stream.h"

struct hc_http2_server;

struct hc_http2_config {
    const char *address;
    uint16_t port;
    bool reuse_port;

    void (*on_request)(void *app, struct hc_http2_stream *stream);
    void *app;

    uint32_t max_streams;      /* of a connection at a time */
    uint32_t max_headers_size; /* of a request, as RFC 9113 §6.5.2 counts */
    uint32_t stream_window;    /* bytes that a client may send ahead on a stream */
    uint32_t conn_window;      /* and on all of them */
};

/* No address, port or callback; 4096 streams, 64 KB of headers, windows of 8 and 64 MB. */
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
