/*
 * An HTTP/1.1 server on a set of loops.
 *
 * It accepts connections, reads requests (net/http1.h says how strictly) and hands each to
 * on_request, on the loop that owns the connection. Requests of one connection are answered in
 * order, the next being read when the previous answer is on its way. What is not HTTP is answered
 * with a status and {"error":"…"}, and the connection closed.
 *
 * An idle connection holds no buffers (about half a kilobyte); an exchange in progress holds one of
 * 16 KB, which its loop lends to the next, so that a small request costs no allocation.
 */
#ifndef HC_NET_HTTP_SERVER_H
#define HC_NET_HTTP_SERVER_H

#include "net/http1.h"
#include "net/http_exchange.h"
#include "net/tls.h"

struct hc_http_server;

struct hc_http_config {
    const char *address;
    uint16_t port;
    bool reuse_port;
    struct hc_tls *tls; /* NULL: connections are not encrypted; must outlive the server */

    void (*on_request)(void *app, struct hc_http_exchange *exchange);
    void *app;

    const char *server_name; /* the Server header, none when NULL; must outlive the server */
    const struct hc_http_header *headers; /* sent with every answer; must outlive the server */
    size_t n_headers;
    struct hc_http1_limits limits;

    /* An answered request's body is read to its end when no more than this is left of it. */
    size_t drain_limit;

    /* Timeouts, each 0 for none: */
    uint64_t idle_timeout_ns; /* of a connection between requests */
    uint64_t head_timeout_ns; /* from the first byte of a request to the end of its header; of TLS's
                                 handshake */
    /* A body may pause for body_timeout_ns, once; every body_rate bytes earn it a second more. */
    uint64_t body_timeout_ns;
    uint32_t body_rate;
    uint64_t send_timeout_ns; /* in which the client must take some of what it is sent */
};

/*
 * No address, port or callback; the limits of HTTP/1.1; 64 KB drained; an hour idle, 60 s for the
 * header, 60 s and 500 bytes a second for bodies, 120 s for sending.
 */
extern const struct hc_http_config hc_http_default_config;

/* Listen, and serve as soon as the loops run. CONFIG and LOOPS are copied. Any thread. */
enum hc_code hc_http_server_create(const struct hc_http_config *config,
                                   struct hc_loop *const *loops, size_t n_loops,
                                   struct hc_http_server **server, struct hc_error *error);

uint16_t hc_http_server_port(const struct hc_http_server *server);

/*
 * Serve a connection that came about in another way (a socket pair, an inherited socket), closing
 * FD in the end. Any thread, before hc_http_server_stop().
 */
void hc_http_server_adopt(struct hc_http_server *server, int fd);

/* Connections that are open at this moment. Any thread. */
size_t hc_http_server_count(const struct hc_http_server *server);

/*
 * Any thread, once: stop accepting, close idle connections, and the others when the request that
 * they are at is answered. ON_STOPPED is called, on one of the loops, when all are gone and every
 * exchange was ended.
 */
void hc_http_server_stop(struct hc_http_server *server, void (*on_stopped)(void *data), void *data);

/*
 * Any thread, once, after hc_http_server_stop(): break all connections that are left. Does nothing
 * when the server has stopped meanwhile, but it must not have been destroyed.
 */
void hc_http_server_abort(struct hc_http_server *server);

/* Once on_stopped was called, or when the loops never ran. NULL: nothing. */
void hc_http_server_destroy(struct hc_http_server *server);

#endif
