/*
 * HTTP/2 over a connection: what its files share.
 *
 * nghttp2 keeps the state of the protocol: received bytes go in (http2_receive.c) and come out as
 * callbacks, frames to be sent come out of it when there is room for them (http2_transmit.c). It
 * must not be asked for frames inside one of its callbacks; whoever wants something sent calls
 * hc_http2_wake(), and it is, together with what else there is, at the end of the turn.
 *
 * A stream is freed when neither nghttp2 nor the application has it.
 */
#ifndef HC_NET_HTTP2_CONN_H
#define HC_NET_HTTP2_CONN_H

#include <nghttp2/nghttp2.h>

#include "conn.h"
#include "net/http2_server.h"
#include "shards.h"

enum { HC_HTTP2_RECEIVE_SIZE = 256 << 10 };

struct hc_http2_server {
    struct hc_http2_config config;
    struct hc_shards shards;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
    struct hc_http2_loop_side *loop_sides; /* one a shard */
};

/* What the connections of one loop share. */
struct hc_http2_loop_side {
    struct hc_http2_server *server;
    struct hc_list spares; /* streams that are not in use, whose pools are warm */
    size_t n_spares;
    char received[HC_HTTP2_RECEIVE_SIZE]; /* is all used before the next connection's turn */
};

enum hc_http2_state {
    HC_HTTP2_OPEN,
    HC_HTTP2_DRAINING,  /* GOAWAY is sent: to be closed when the streams have ended */
    HC_HTTP2_CONDEMNED, /* likewise, but the streams are not waited for */
    HC_HTTP2_LINGERING, /* all is sent; reading on, lest the kernel tears up the GOAWAY */
    HC_HTTP2_DEAD,      /* the socket is gone, but the application still has streams */
    HC_HTTP2_CLOSED,    /* to be freed at the end of the turn */
};

/* Something that a client may do so often, and more only as time passes. */
struct hc_http2_allowance {
    uint32_t n_used;
    uint64_t since_ns; /* when it was counted down last */
};

struct hc_http2_conn {
    struct hc_conn conn;
    struct hc_list link; /* the shard's */
    struct hc_shard *shard;
    struct hc_http2_loop_side *side;
    const struct hc_http2_config *config;
    nghttp2_session *session;
    enum hc_http2_state state;
    bool busy; /* receiving and transmitting: what is to be sent will be */
    struct hc_list streams;
    struct hc_outq out;

    struct hc_timer timer;
    bool greeted;
    uint64_t opened_ns;
    uint64_t received_ns;      /* anything, last */
    uint64_t sent_ns;          /* taken by the socket, last; or when there began to be something */
    uint64_t stalls_ns;        /* no stream's body has waited for too long before then */
    uint64_t ended_ns;         /* when draining, or lingering, began */
    uint64_t pinged_ns;        /* a ping of ours is unanswered since then; 0: none is */
    unsigned n_pings;          /* sent since the last headers or data */
    uint64_t ping_received_ns; /* last, since the last headers or data were sent; 0: none */
    unsigned n_ping_strikes;
    struct hc_http2_allowance idle_frames;
    struct hc_http2_allowance resets;
};

struct hc_http2_stream {
    struct hc_http2_conn *http;
    struct hc_list link; /* the connection's, or among the spares */
    struct hc_pool pool;
    int32_t id;
    bool open;    /* nghttp2 has it */
    bool owned;   /* the application has it */
    bool started; /* the header of the answer was submitted */
    bool ended;   /* the end of the answer was submitted */
    bool idle;    /* nghttp2 asked for more of the body, and there was none */

    struct hc_http_request request;
    size_t headers_capacity;
    size_t headers_size; /* as the limit counts */

    const struct hc_http2_events *events;
    void *data;
    bool held;
    size_t n_held; /* bytes that were received meanwhile */

    struct hc_outq body; /* of the answer, yet to be sent */
    uint64_t sent_ns;    /* some of it, last; or when there began to be some */
    nghttp2_nv *trailers;
    size_t n_trailers;
    hc_http2_writable_fn on_writable;
    size_t writable_mark;
};

/* http2_conn.c: the life of a connection. */
void hc_http2_conn_accept(struct hc_shard *shard, int fd, const struct hc_address *peer);
void hc_http2_conn_stop(struct hc_list *link);
void hc_http2_conn_abort(struct hc_list *link);

/* Something is to be sent. */
void hc_http2_wake(struct hc_http2_conn *http);

/* Nothing passes any more: tell the application, and close when it has let go of the streams. */
void hc_http2_break(struct hc_http2_conn *http);

/* End the connection, with a GOAWAY that says so: streams are not waited for. */
void hc_http2_condemn(struct hc_http2_conn *http, uint32_t code, const char *reason);

/* Let the client know that no more streams are taken. */
void hc_http2_drain(struct hc_http2_conn *http);

static inline bool hc_http2_is_alive(const struct hc_http2_conn *http) {
    return http->state == HC_HTTP2_OPEN || http->state == HC_HTTP2_DRAINING;
}

static inline uint64_t hc_http2_now_ns(const struct hc_http2_conn *http) {
    return hc_loop_now_ns(http->conn.loop);
}

/* http2_limits.c: how much use a client makes of what it may do. */
void hc_http2_count_frame(struct hc_http2_conn *http, const nghttp2_frame_hd *head);
void hc_http2_count_ping(struct hc_http2_conn *http);
void hc_http2_count_refusal(struct hc_http2_conn *http);
void hc_http2_sent_headers_or_data(struct hc_http2_conn *http);

/* http2_timeouts.c */
void hc_http2_set_timer(struct hc_http2_conn *http);
void hc_http2_on_due(struct hc_timer *timer);

/* http2_receive.c: read what has arrived; nghttp2's callbacks for it. */
void hc_http2_receive(struct hc_http2_conn *http);
void hc_http2_set_receive_callbacks(nghttp2_session_callbacks *callbacks);

/* http2_transmit.c: send what can be sent; nghttp2's callbacks for it. */
void hc_http2_transmit(struct hc_http2_conn *http);
void hc_http2_set_transmit_callbacks(nghttp2_session_callbacks *callbacks);
enum hc_code hc_http2_submit_header(struct hc_http2_stream *stream,
                                    const struct hc_http_header *headers, size_t n_headers,
                                    bool has_body);

/* http2_stream.c */
struct hc_http2_stream *hc_http2_stream_take(struct hc_http2_conn *http, int32_t id);
void hc_http2_stream_destroy(struct hc_http2_stream *stream);

/* nghttp2 has let go of it, or will not be asked any more. */
void hc_http2_stream_closed(struct hc_http2_stream *stream);

#endif
