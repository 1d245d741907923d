/*
 * The life of an HTTP/1.1 connection, and who may take its next step when. Steps are never taken
 * inside each other, and the application's callbacks are called by steps only, so none of them
 * comes inside a call of the application's.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "http1_conn.h"

static struct hc_http1_conn *http_of(struct hc_conn *conn) {
    return hc_list_item(conn, struct hc_http1_conn, conn);
}

void hc_http1_give_exchange(struct hc_http1_conn *http) {
    if (http->exchange != NULL) {
        hc_http1_exchange_give(hc_take(http->exchange));
    }
}

void hc_http1_close(struct hc_http1_conn *http) {
    http->state = HC_HTTP1_CLOSED;
    http->blocked = false;
    hc_timer_stop(&http->timer);
    hc_http1_give_exchange(http);
    hc_conn_close(&http->conn);
}

void hc_http1_begin_wait(struct hc_http1_conn *http) {
    if (!http->conn.handshaking) { /* which is one wait, however often something comes */
        http->since_ns = hc_http1_now_ns(http);
    }
}

void hc_http1_go_idle(struct hc_http1_conn *http) {
    hc_http1_give_exchange(http);
    http->state = HC_HTTP1_IDLE;
    hc_http1_begin_wait(http);
}

void hc_http1_break(struct hc_http1_conn *http) {
    if (http->state == HC_HTTP1_OPEN) {
        http->state = HC_HTTP1_DEAD;
        http->blocked = false;
        hc_conn_disconnect(&http->conn);
        hc_outq_drop(&http->exchange->out);
        hc_http1_wake(http);
    } else if (http->state != HC_HTTP1_DEAD && http->state != HC_HTTP1_CLOSED) {
        hc_http1_close(http);
    }
}

bool hc_http1_flush(struct hc_http1_conn *http) {
    struct hc_outq *out = &http->exchange->out;
    size_t size = out->size;
    if (http->state == HC_HTTP1_DEAD) {
        hc_outq_drop(out);
        return false;
    }
    enum hc_conn_status status = hc_conn_flush(&http->conn, out);
    if (status == HC_CONN_BROKEN) {
        hc_http1_break(http);
        return false;
    }
    bool progress = !http->blocked || out->size < size;
    http->blocked = status == HC_CONN_WAIT;
    if (http->blocked && progress) {
        http->blocked_since_ns = hc_http1_now_ns(http);
        hc_http1_set_timer(http);
    }
    return !http->blocked;
}

void hc_http1_deliver(struct hc_http_exchange *exchange, struct hc_text bytes,
                      const struct hc_error *error) {
    hc_http_body_fn on_body = exchange->read.on_body;
    exchange->read.kind = HC_HTTP1_READ_NONE;
    exchange->conn->body_waits = false;
    on_body(exchange, bytes, error);
}

void hc_http1_advance(struct hc_http1_conn *http) {
    http->advancing = true;
    while (hc_http1_step(http)) {
    }
    http->advancing = false;
    hc_http1_set_timer(http);
}

void hc_http1_wake(struct hc_http1_conn *http) {
    if (!http->advancing) {
        hc_conn_again(&http->conn);
    }
}

void hc_http1_ended(struct hc_http1_conn *http) {
    if (http->state == HC_HTTP1_DEAD) {
        hc_http1_close(http);
        return;
    }
    http->state = HC_HTTP1_ENDING;
    if (http->advancing) {
        return;
    }
    /* No callbacks from here: the application is on the stack. The next request has to wait. */
    while (http->state == HC_HTTP1_ENDING && hc_http1_step(http)) {
    }
    if (http->state == HC_HTTP1_HEAD || http->state == HC_HTTP1_LINGERING) {
        hc_conn_again(&http->conn);
    }
    hc_http1_set_timer(http);
}

static void on_ready(struct hc_conn *conn) {
    struct hc_http1_conn *http = http_of(conn);
    http->n_received = 0;
    hc_http1_advance(http);
}

static void on_closed(struct hc_conn *conn) {
    struct hc_http1_conn *http = http_of(conn);
    struct hc_http_shard *shard = http->shard;
    hc_list_remove(&http->link);
    hc_loop_add_load(shard->loop, -1);
    free(http);
    hc_http_shard_freed_conn(shard);
}

static enum hc_code open_conn(struct hc_http1_conn *http, struct hc_http_shard *shard, int fd,
                              const struct hc_address *peer, struct hc_error *error) {
    static const struct hc_conn_handler handler = {on_ready, on_closed};
    HC_TRY(hc_conn_init(&http->conn, shard->loop, fd, peer, &handler, error));
    if (shard->config->tls != NULL && !hc_conn_secure(&http->conn, shard->config->tls)) {
        hc_conn_disconnect(&http->conn);
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for TLS");
    }
    return HC_OK;
}

void hc_http1_conn_accept(struct hc_http_shard *shard, int fd, const struct hc_address *peer) {
    struct hc_error error;
    struct hc_http1_conn *http = hc_new(struct hc_http1_conn);
    if (open_conn(http, shard, fd, peer, &error) != HC_OK) {
        hc_log_warning("refused a connection: %s", error.message);
        hc_loop_add_load(shard->loop, -1);
        free(http);
        hc_http_shard_freed_conn(shard);
        return;
    }
    http->shard = shard;
    http->since_ns = hc_http1_now_ns(http);
    http->timer.on_due = hc_http1_on_due;
    hc_list_append(&shard->conns, &http->link);
    hc_http1_go_idle(http);
    hc_http1_set_timer(http);
}

void hc_http1_conn_stop(struct hc_http1_conn *http) {
    if (http->state == HC_HTTP1_IDLE) {
        hc_http1_close(http);
    }
}
