/*
 * What an HTTP/1.1 connection does in each of its states. A step returns true when another may
 * follow, and false when there is nothing to do but wait.
 */
#include "base/cleanup.h"
#include "http1_conn.h"

enum {
    MAX_GATHERED = 16 << 10, /* answers to pipelined requests that are sent together */
    WASTE_SIZE = 16 << 10,
    MAX_WASTED = 256 << 10, /* a turn */
};

/* IDLE: the first byte of a request, or the end, has come. */
static bool step_idle(struct hc_http1_conn *http) {
    if (!http->conn.readable) {
        return false;
    }
    http->exchange = hc_http1_exchange_take(http);
    hc_http1_begin_wait(http);
    http->state = HC_HTTP1_HEAD;
    return true;
}

static void begin_exchange(struct hc_http1_conn *http) {
    struct hc_http_exchange *exchange = http->exchange;
    exchange->keep_alive = exchange->head.keep_alive;
    exchange->bodiless = hc_text_is(exchange->head.request.method, "HEAD");
    hc_http1_body_begin(http);
    http->state = HC_HTTP1_OPEN;
    http->shard->config->on_request(http->shard->config->app, exchange);
}

/* Receive more of a head, or of none. */
static bool receive_head(struct hc_http1_conn *http) {
    struct hc_http_exchange *exchange = http->exchange;
    switch (hc_http1_receive_head(exchange)) {
    case HC_CONN_OK:
        return true;
    case HC_CONN_WAIT:
        if (!hc_http1_has_input(exchange) && exchange->out.size == 0) {
            hc_http1_go_idle(http);
        }
        return false;
    case HC_CONN_ENDED:
        http->state = HC_HTTP1_ENDING; /* what is unsent goes out before the end */
        return true;
    case HC_CONN_BROKEN:
        break;
    }
    hc_http1_close(http);
    return false;
}

/* HEAD: from what has arrived to a request. */
static bool step_head(struct hc_http1_conn *http) {
    struct hc_http_exchange *exchange = http->exchange;
    if (hc_http1_has_input(exchange)) {
        switch (hc_http1_parse_head(exchange)) {
        case HC_HTTP1_DONE:
            begin_exchange(http);
            return true;
        case HC_HTTP1_BAD:
            hc_http1_refuse(exchange, exchange->head.failure.status,
                            exchange->head.failure.message);
            http->state = HC_HTTP1_ENDING;
            return true;
        case HC_HTTP1_MORE:
            break;
        }
    }
    hc_http1_flush(http);
    return http->state == HC_HTTP1_HEAD && receive_head(http);
}

static bool step_read(struct hc_http1_conn *http) {
    struct hc_text bytes = {0};
    struct hc_error error;
    switch (hc_http1_fill(http->exchange, &bytes, &error)) {
    case HC_CONN_OK:
        hc_http1_deliver(http->exchange, bytes, NULL);
        return true;
    case HC_CONN_WAIT:
        hc_http1_body_wait(http);
        return false;
    case HC_CONN_ENDED:
        hc_http1_deliver(http->exchange, (struct hc_text){0}, &error);
        return true;
    case HC_CONN_BROKEN:
        break;
    }
    hc_http1_break(http);
    return true;
}

/* While the application is busy: is there still somebody to answer? */
static bool notice_peer(struct hc_http1_conn *http) {
    struct hc_http_exchange *exchange = http->exchange;
    if (http->conn.readable && hc_conn_probe(&http->conn) == HC_CONN_BROKEN) {
        hc_http1_break(http);
        return true;
    }
    if (http->conn.hung_up && exchange->on_close != NULL && !exchange->told_half_closed) {
        exchange->told_half_closed = true;
        exchange->on_close(exchange, HC_HTTP_HALF_CLOSED);
        return true;
    }
    return false;
}

/* OPEN: the application has the exchange; do what it has asked for. */
static bool step_open(struct hc_http1_conn *http) {
    struct hc_http_exchange *exchange = http->exchange;
    hc_http1_flush(http);
    if (http->state != HC_HTTP1_OPEN) {
        return true;
    }
    if (exchange->on_writable != NULL && exchange->out.size <= exchange->writable_mark) {
        hc_take(exchange->on_writable)(exchange);
        return true;
    }
    return exchange->read.kind != HC_HTTP1_READ_NONE ? step_read(http) : notice_peer(http);
}

/* ENDING: drop the rest of the body; true when that is done or given up. */
static bool drain(struct hc_http1_conn *http) {
    struct hc_http_exchange *exchange = http->exchange;
    struct hc_text bytes;
    enum hc_conn_status status = HC_CONN_OK;
    if (exchange->keep_alive && !exchange->body.done) {
        status = hc_http1_fill(exchange, &bytes, NULL);
    }
    if (status == HC_CONN_WAIT) {
        hc_http1_body_wait(http);
    } else if (status != HC_CONN_OK) {
        exchange->keep_alive = false;
    }
    return status != HC_CONN_WAIT;
}

/* Answers to pipelined requests go out together, as long as they are small. */
static bool may_send_later(const struct hc_http_exchange *exchange) {
    return exchange->keep_alive && exchange->body.done && hc_http1_has_input(exchange) &&
           exchange->out.n_references == 0 && exchange->out.size < MAX_GATHERED;
}

static void begin_next(struct hc_http1_conn *http) {
    struct hc_http_exchange *exchange = http->exchange;
    if (!hc_http1_has_input(exchange) && (http->conn.drained || !http->conn.readable)) {
        hc_http1_go_idle(http);
        return;
    }
    hc_http1_exchange_next(exchange);
    http->since_ns = hc_http1_now_ns(http);
    http->state = HC_HTTP1_HEAD;
}

/*
 * The connection ends after this answer. If the client may be sending still, a close would have the
 * kernel answer with a reset, which can overtake the answer: so hang up, and read until it does.
 */
static void end_conn(struct hc_http1_conn *http) {
    struct hc_http_exchange *exchange = http->exchange;
    if (!http->conn.ended && (!exchange->body.done || hc_http1_has_input(exchange) ||
                              (http->conn.readable && !http->conn.drained))) {
        hc_http1_give_exchange(http);
        hc_conn_shut_down(&http->conn);
        http->since_ns = hc_http1_now_ns(http);
        http->state = HC_HTTP1_LINGERING;
    } else {
        hc_http1_close(http);
    }
}

static bool step_ending(struct hc_http1_conn *http) {
    struct hc_http_exchange *exchange = http->exchange;
    bool sent = may_send_later(exchange) || hc_http1_flush(http);
    if (http->state != HC_HTTP1_ENDING) {
        return false;
    }
    bool drained = drain(http);
    if (!sent || !drained) {
        return false;
    }
    if (exchange->keep_alive && !http->shard->stopping) {
        begin_next(http);
    } else {
        end_conn(http);
    }
    return true;
}

static bool step_lingering(struct hc_http1_conn *http) {
    char waste[WASTE_SIZE];
    size_t size;
    struct iovec room = {waste, sizeof waste};
    if (!hc_http1_may_receive(http, MAX_WASTED)) {
        return false;
    }
    enum hc_conn_status status = hc_conn_read(&http->conn, &room, 1, &size);
    if (status == HC_CONN_ENDED || status == HC_CONN_BROKEN) {
        hc_http1_close(http);
    }
    http->n_received += sizeof waste;
    return status == HC_CONN_OK;
}

/* DEAD: tell the application, which has yet to end the exchange. */
static bool step_dead(struct hc_http1_conn *http) {
    struct hc_http_exchange *exchange = http->exchange;
    if (exchange->read.kind != HC_HTTP1_READ_NONE) {
        struct hc_error error;
        hc_error_set(&error, HC_CANCELLED, "the client has gone");
        exchange->told_gone = true;
        hc_http1_deliver(exchange, (struct hc_text){0}, &error);
        return true;
    }
    if (exchange->on_close != NULL && !exchange->told_gone) {
        exchange->told_gone = true;
        exchange->on_close(exchange, HC_HTTP_GONE);
        return true;
    }
    return false;
}

bool hc_http1_step(struct hc_http1_conn *http) {
    switch (http->state) {
    case HC_HTTP1_IDLE:
        return step_idle(http);
    case HC_HTTP1_HEAD:
        return step_head(http);
    case HC_HTTP1_OPEN:
        return step_open(http);
    case HC_HTTP1_ENDING:
        return step_ending(http);
    case HC_HTTP1_LINGERING:
        return step_lingering(http);
    case HC_HTTP1_DEAD:
        return step_dead(http);
    case HC_HTTP1_CLOSED:
        break;
    }
    return false;
}
