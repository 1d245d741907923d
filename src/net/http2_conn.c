/* The life of an HTTP/2 connection. */
#include "http2_conn.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"

static struct hc_http2_conn *http_of(struct hc_conn *conn) {
    return hc_list_item(conn, struct hc_http2_conn, conn);
}

static struct hc_http2_conn *http_of_link(struct hc_list *link) {
    return hc_list_item(link, struct hc_http2_conn, link);
}

static bool is_alive(const struct hc_http2_conn *http) {
    return http->state == HC_HTTP2_OPEN || http->state == HC_HTTP2_DRAINING;
}

static void close_conn(struct hc_http2_conn *http) {
    http->state = HC_HTTP2_CLOSED;
    hc_conn_close(&http->conn);
}

void hc_http2_wake(struct hc_http2_conn *http) {
    if (!http->busy && http->state != HC_HTTP2_CLOSED) {
        hc_conn_again(&http->conn);
    }
}

void hc_http2_break(struct hc_http2_conn *http) {
    if (!is_alive(http)) {
        return;
    }
    http->state = HC_HTTP2_DEAD;
    hc_conn_disconnect(&http->conn);
    hc_outq_drop(&http->out);
    hc_list_each_safe (link, &http->streams) {
        hc_http2_stream_closed(hc_list_item(link, struct hc_http2_stream, link));
    }
    hc_http2_wake(http);
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
    if (is_alive(http)) {
        hc_http2_receive(http);
    }
    if (is_alive(http)) {
        hc_http2_transmit(http);
    }
    if (is_alive(http) && is_over(http)) {
        hc_http2_break(http);
    }
    http->busy = false;
    if (http->state == HC_HTTP2_DEAD && hc_list_empty(&http->streams)) {
        close_conn(http);
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

void hc_http2_conn_accept(struct hc_shard *shard, int fd, const struct hc_address *peer) {
    static const struct hc_conn_handler handler = {on_ready, on_closed};
    struct hc_http2_server *server = shard->shards->server;
    struct hc_error error;
    struct hc_http2_conn *http = hc_new(struct hc_http2_conn);
    if (hc_conn_init(&http->conn, shard->loop, fd, peer, &handler, &error) != HC_OK) {
        hc_log_warning("refused a connection: %s", error.message);
        free(http);
        hc_shard_freed_conn(shard);
        return;
    }
    http->shard = shard;
    http->side = &server->loop_sides[shard - shard->shards->shard];
    http->config = &server->config;
    hc_list_init(&http->streams);
    hc_list_append(&shard->conns, &http->link);
    if (!open_session(http)) {
        hc_log_warning("refused a connection: no memory for HTTP/2");
        close_conn(http);
    } else if (shard->stopping) {
        hc_http2_conn_stop(&http->link);
    }
    hc_http2_wake(http);
}

void hc_http2_conn_stop(struct hc_list *link) {
    struct hc_http2_conn *http = http_of_link(link);
    if (http->state == HC_HTTP2_OPEN) {
        http->state = HC_HTTP2_DRAINING;
        nghttp2_submit_shutdown_notice(http->session);
        nghttp2_submit_goaway(http->session, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(http->session),
                              NGHTTP2_NO_ERROR, NULL, 0);
        hc_http2_wake(http);
    }
}

void hc_http2_conn_abort(struct hc_list *link) {
    hc_http2_break(http_of_link(link));
}
