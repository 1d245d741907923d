/*
 * HTTP/1.1 over a connection: what its files share.
 *
 * A connection in use has an exchange, which is all that it needs beyond the socket: buffers, pool,
 * request and answer. An idle one has none. There is never more than one exchange to a connection.
 */
#ifndef HC_NET_HTTP1_CONN_H
#define HC_NET_HTTP1_CONN_H

#include "conn.h"
#include "net/http_server.h"

/* The part of a server that lives on one loop, and is used by its thread only. */
struct hc_http_shard {
    struct hc_http_server *server;
    const struct hc_http_config *config;
    struct hc_loop *loop;
    struct hc_list conns;
    struct hc_list spares; /* exchanges that are not in use */
    size_t n_spares;
    bool stopping;
    struct hc_task stop_task;
    struct hc_task abort_task;
};

enum hc_http1_state {
    HC_HTTP1_IDLE,      /* between requests, without an exchange */
    HC_HTTP1_HEAD,      /* receiving a head */
    HC_HTTP1_OPEN,      /* the application has the exchange */
    HC_HTTP1_ENDING,    /* it has ended it; answer, and perhaps body, are on their way */
    HC_HTTP1_LINGERING, /* all is sent; reading on, lest the kernel tears up the answer */
    HC_HTTP1_DEAD,      /* the socket is gone, but the application still has the exchange */
    HC_HTTP1_CLOSED,    /* to be freed at the end of the turn */
};

struct hc_http1_conn {
    struct hc_conn conn;
    struct hc_timer timer;
    struct hc_list link; /* the shard's */
    struct hc_http_shard *shard;
    struct hc_http_exchange *exchange;
    enum hc_http1_state state;
    bool advancing;            /* its steps are being taken, further up on the stack */
    bool blocked;              /* the rest of the answer waits for room in the socket */
    bool body_waits;           /* for the client to send more of the body */
    size_t n_received;         /* since on_ready: when it is much, others come first */
    uint64_t since_ns;         /* idle, lingering, or since the head's first byte */
    uint64_t blocked_since_ns; /* or since the client last took something */
    uint64_t body_until_ns;    /* while body_waits: how long it may take */
    uint64_t body_patience_ns; /* otherwise: for how long it may pause */
};

enum hc_http1_read_kind {
    HC_HTTP1_READ_NONE,
    HC_HTTP1_READ_SIZE,
    HC_HTTP1_READ_SOME,
    HC_HTTP1_READ_ALL,
    HC_HTTP1_READ_INTO,
    HC_HTTP1_READ_DRAIN,
};

/* What is to be read from the body. */
struct hc_http1_read {
    enum hc_http1_read_kind kind;
    hc_http_body_fn on_body;
    uint64_t left;     /* bytes still wanted, or (ALL, DRAIN) still allowed */
    struct iovec *iov; /* INTO: what is yet to be filled, in the pool */
    size_t n_iov;
};

struct hc_http_exchange {
    struct hc_http1_conn *conn;
    struct hc_list link; /* among the spares */
    struct hc_pool pool;
    void *data;

    char *in; /* received: a head, which stays, and what was not yet read of the rest */
    size_t in_capacity;
    size_t in_kept;  /* where the head ends, once it has */
    size_t in_begin; /* of what was not yet read */
    size_t in_end;

    struct hc_http1_head head;
    struct hc_http1_body body;
    struct hc_http1_read read;
    struct hc_buf gathered; /* bytes of the body that had to be brought together */

    hc_http_close_fn on_close;
    bool told_half_closed;
    bool told_gone;
    hc_http_writable_fn on_writable;
    size_t writable_mark;

    struct hc_outq out;
    bool started;    /* the answer's head is written */
    bool chunked;    /* the answer is */
    bool bodiless;   /* no body may follow: HEAD, 204, 304 */
    bool keep_alive; /* another request may follow */

    struct hc_http_header headers[];
};

static inline bool hc_http1_has_input(const struct hc_http_exchange *exchange) {
    return exchange->in_begin < exchange->in_end;
}

static inline uint64_t hc_http1_now_ns(const struct hc_http1_conn *http) {
    return hc_loop_now_ns(http->conn.loop);
}

/* http1_conn.c: the life of a connection. */
void hc_http1_conn_accept(struct hc_http_shard *shard, int fd, const struct hc_address *peer);
void hc_http1_conn_stop(struct hc_http1_conn *http); /* the server stops: close if idle */

/* A wait begins whose length is limited. */
void hc_http1_begin_wait(struct hc_http1_conn *http);

/* Steps for as long as there are any. */
void hc_http1_advance(struct hc_http1_conn *http);

/* The application has asked for something: advance, but not inside its call. */
void hc_http1_wake(struct hc_http1_conn *http);

/* The application has ended the exchange, which must not be touched after this. */
void hc_http1_ended(struct hc_http1_conn *http);

/* Finish the read: with BYTES, or with an error. */
void hc_http1_deliver(struct hc_http_exchange *exchange, struct hc_text bytes,
                      const struct hc_error *error);

/* Send what can be sent; false when some is left, or when the connection broke. */
bool hc_http1_flush(struct hc_http1_conn *http);

void hc_http1_give_exchange(struct hc_http1_conn *http);
void hc_http1_go_idle(struct hc_http1_conn *http);

/* Nothing passes any more: close, or, if the application has the exchange, let it know. */
void hc_http1_break(struct hc_http1_conn *http);
void hc_http1_close(struct hc_http1_conn *http);

/* http1_steps.c */
bool hc_http1_step(struct hc_http1_conn *http);

/* http1_timeouts.c: when a connection has taken too long; body_… is told how its body gets on. */
void hc_http1_set_timer(struct hc_http1_conn *http);
void hc_http1_on_due(struct hc_timer *timer);
void hc_http1_body_begin(struct hc_http1_conn *http);
void hc_http1_body_wait(struct hc_http1_conn *http);
void hc_http1_body_came(struct hc_http1_conn *http, size_t size);

/* http1_exchange.c: exchanges come from the shard's spares and go back there. */
struct hc_http_exchange *hc_http1_exchange_take(struct hc_http1_conn *http);
void hc_http1_exchange_give(struct hc_http_exchange *exchange);
void hc_http1_exchange_next(struct hc_http_exchange *exchange); /* for the next request */
void hc_http1_exchange_destroy(struct hc_http_exchange *exchange);

/* http1_input.c: the next bytes, from the socket (receive) or the buffer (copy), for the read. */
bool hc_http1_may_receive(struct hc_http1_conn *http, size_t limit); /* or others come first */
enum hc_conn_status hc_http1_receive_head(struct hc_http_exchange *exchange);
enum hc_http1_result hc_http1_parse_head(struct hc_http_exchange *exchange);
bool hc_http1_prepare_memory(struct hc_http_exchange *exchange);
void hc_http1_copy_input(struct hc_http_exchange *exchange);
enum hc_conn_status hc_http1_receive_body(struct hc_http_exchange *exchange);

/*
 * http1_read.c: get on with the read. *BYTES is what the application gets with HC_CONN_OK;
 * HC_CONN_ENDED is a failure of the body, told by ERROR.
 */
enum hc_conn_status hc_http1_fill(struct hc_http_exchange *exchange, struct hc_text *bytes,
                                  struct hc_error *error);

/* http1_answer.c: an answer of the server's own, after which the connection is closed. */
void hc_http1_refuse(struct hc_http_exchange *exchange, int status, const char *message);

/* http_server.c: the last thing that happens to a connection. */
void hc_http_shard_freed_conn(struct hc_http_shard *shard);

#endif
