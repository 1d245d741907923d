/* The life of an HTTP/2 connection. */
#include "http2_conn.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"

static struct hc_http2_conn *http_of(struct hc_conn *conn) {
    return hc_list_item(conn, struct hc_http2_conn, conn);
}

static struct hc_http2_conn *http_of_link(struct hc_list *link) {
    return hc_list_item(link, struct hc_http2_conn, link);
}

static void close_conn(struct hc_http2_conn *http) {
    http->state = HC_HTTP2_CLOSED;
    hc_timer_stop(&http->timer);
    hc_conn_close(&http->conn);
}

void hc_http2_wake(struct hc_http2_conn *http) {
    if (!http->busy && http->state != HC_HTTP2_CLOSED) {
        hc_conn_again(&http->conn);
    }
}

/* Tell the application that its streams are gone. */
static void lose_streams(struct hc_http2_conn *http) {
    hc_list_each_safe (link, &http->streams) {
        hc_http2_stream_closed(hc_list_item(link, struct hc_http2_stream, link));
    }
}

void hc_http2_break(struct hc_http2_conn *http) {
    if (http->state == HC_HTTP2_DEAD || http->state == HC_HTTP2_CLOSED) {
        return;
    }
    http->state = HC_HTTP2_DEAD;
    hc_conn_disconnect(&http->conn);
    hc_outq_drop(&http->out);
    lose_streams(http);
    hc_http2_wake(http);
}

void hc_http2_condemn(struct hc_http2_conn *http, uint32_t code, const char *reason) {
    if (hc_http2_is_alive(http)) {
        http->state = HC_HTTP2_CONDEMNED;
        http->ended_ns = hc_http2_now_ns(http);
        nghttp2_submit_goaway(http->session, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(http->session), code,
                              (const uint8_t *)reason, strlen(reason));
        hc_http2_wake(http);
    }
}

void hc_http2_drain(struct hc_http2_conn *http) {
    if (http->state == HC_HTTP2_OPEN) {
        http->state = HC_HTTP2_DRAINING;
        http->ended_ns = hc_http2_now_ns(http);
        nghttp2_submit_shutdown_notice(http->session);
        nghttp2_submit_goaway(http->session, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(http->session),
                              NGHTTP2_NO_ERROR, NULL, 0);
        hc_http2_wake(http);
    }
}

/* The GOAWAY of a condemned connection is sent: end the rest. */
static void linger(struct hc_http2_conn *http) {
    http->state = HC_HTTP2_LINGERING;
    hc_conn_shut_down(&http->conn);
    lose_streams(http);
}

/* Whether both sides have said all that there is to say. */
static bool is_over(const struct hc_http2_conn *http) {
    return http->out.size == 0 && !nghttp2_session_want_read(http->session) &&
           !nghttp2_session_want_write(http->session);
}

static void on_ready(struct hc_conn *conn) {
    struct hc_http2_conn *http = http_of(conn);
    if (http->state == HC_HTTP2_CLOSED) {
        return;
    }
    http->busy = true;
    if (http->state != HC_HTTP2_DEAD) {
        hc_http2_receive(http);
    }
    if (hc_http2_is_alive(http) || http->state == HC_HTTP2_CONDEMNED) {
        hc_http2_transmit(http);
    }
    if (hc_http2_is_alive(http) && is_over(http)) {
        hc_http2_break(http);
    } else if (http->state == HC_HTTP2_CONDEMNED && http->out.size == 0) {
        linger(http);
    }
    http->busy = false;
    if (http->state == HC_HTTP2_DEAD && hc_list_empty(&http->streams)) {
        close_conn(http);
    } else {
        hc_http2_set_timer(http);
    }
}

static void free_conn(struct hc_http2_conn *http) {
    nghttp2_session_del(http->session);
    hc_outq_finish(&http->out);
    free(http);
}

static void on_closed(struct hc_conn *conn) {
    struct hc_http2_conn *http = http_of(conn);
    struct hc_shard *shard = http->shard;
    hc_list_remove(&http->link);
    free_conn(http);
    hc_shard_freed_conn(shard);
}

static bool open_session(struct hc_http2_conn *http) {
    const struct hc_http2_server *server = http->side->server;
    const struct hc_http2_config *config = &server->config;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, config->max_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, config->stream_window},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, HC_HTTP2_RECEIVE_SIZE},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, config->max_headers_size},
    };
    return nghttp2_session_server_new2(&http->session, server->callbacks, http, server->options) ==
               0 &&
           nghttp2_submit_settings(http->session, NGHTTP2_FLAG_NONE, settings,
                                   sizeof settings / sizeof settings[0]) == 0 &&
           nghttp2_session_set_local_window_size(http->session, NGHTTP2_FLAG_NONE, 0,
                                                 (int32_t)config->conn_window) == 0;
}

static enum hc_code open_conn(struct hc_http2_conn *http, struct hc_loop *loop, int fd,
                              const struct hc_address *peer, struct hc_error *error) {
    static const struct hc_conn_handler handler = {on_ready, on_closed};
    HC_TRY(hc_conn_init(&http->conn, loop, fd, peer, &handler, error));
    bool secured = http->config->tls == NULL || hc_conn_secure(&http->conn, http->config->tls);
    if (!secured || !open_session(http)) {
        hc_conn_disconnect(&http->conn);
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for HTTP/2");
    }
    return HC_OK;
}

void hc_http2_conn_accept(struct hc_shard *shard, int fd, const struct hc_address *peer) {
    struct hc_http2_server *server = shard->shards->server;
    struct hc_error error;
    struct hc_http2_conn *http = hc_new(struct hc_http2_conn);
    http->shard = shard;
    http->side = &server->loop_sides[shard - shard->shards->shard];
    http->config = &server->config;
    if (open_conn(http, shard->loop, fd, peer, &error) != HC_OK) {
        hc_log_warning("refused a connection: %s", error.message);
        free_conn(http);
        hc_shard_freed_conn(shard);
        return;
    }
    http->timer.on_due = hc_http2_on_due;
    http->opened_ns = hc_http2_now_ns(http);
    http->received_ns = http->opened_ns;
    http->stalls_ns = http->opened_ns + http->config->send_timeout_ns;
    hc_list_init(&http->streams);
    hc_list_append(&shard->conns, &http->link);
    if (shard->stopping) {
        hc_http2_drain(http);
    }
    hc_http2_wake(http);
}

void hc_http2_conn_stop(struct hc_list *link) {
    hc_http2_drain(http_of_link(link));
}

void hc_http2_conn_abort(struct hc_list *link) {
    hc_http2_break(http_of_link(link));
}
