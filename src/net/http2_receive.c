/* What arrives on an HTTP/2 connection, and what nghttp2 makes of it. */
#include <string.h>

#include "base/alloc.h"
#include "http2_conn.h"

enum {
    MAX_RECEIVED = 4 * HC_HTTP2_RECEIVE_SIZE, /* then others come first */
    HEADER_OVERHEAD = 32,                     /* RFC 9113 §6.5.2 */
    MIN_HEADERS = 16,
};

static struct hc_http2_stream *find_stream(nghttp2_session *session, int32_t id) {
    return nghttp2_session_get_stream_user_data(session, id);
}

static bool is_request(const nghttp2_frame *frame) {
    return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *user) {
    (void)session;
    hc_http2_count_frame(user, head);
    return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    struct hc_http2_conn *http = user;
    if (is_request(frame) && hc_http2_is_alive(http)) {
        struct hc_http2_stream *stream = hc_http2_stream_take(http, frame->hd.stream_id);
        nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    }
    return 0;
}

static void add_header(struct hc_http2_stream *stream, struct hc_http_header header) {
    struct hc_http_request *request = &stream->request;
    if (request->n_headers == stream->headers_capacity) {
        size_t capacity = stream->headers_capacity > 0 ? 2 * stream->headers_capacity : MIN_HEADERS;
        struct hc_http_header *grown = hc_pool_alloc(&stream->pool, capacity * sizeof *grown);
        if (request->n_headers > 0) {
            memcpy(grown, request->headers, request->n_headers * sizeof *grown);
        }
        request->headers = grown;
        stream->headers_capacity = capacity;
    }
    request->headers[request->n_headers++] = header;
}

static void set_path(struct hc_http_request *request, struct hc_text target) {
    const char *mark = memchr(target.data, '?', target.size);
    size_t path_size = mark != NULL ? (size_t)(mark - target.data) : target.size;
    request->target = target;
    request->path = (struct hc_text){target.data, path_size};
    if (mark != NULL) {
        request->query = (struct hc_text){mark + 1, target.size - path_size - 1};
    }
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *user) {
    (void)flags;
    struct hc_http2_conn *http = user;
    struct hc_http2_stream *stream = find_stream(session, frame->hd.stream_id);
    if (stream == NULL) {
        return 0;
    }
    stream->headers_size += name_size + value_size + HEADER_OVERHEAD;
    if (stream->headers_size > http->config->max_headers_size) {
        hc_http2_count_refusal(http);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* the stream is reset */
    }
    if (!is_request(frame)) {
        return 0; /* trailers, which mean nothing here */
    }
    const struct hc_text given_name = {(const char *)name, name_size};
    const struct hc_text given_value = {(const char *)value, value_size};
    const struct hc_http_header header = {
        {hc_pool_copy(&stream->pool, given_name), name_size},
        {hc_pool_copy(&stream->pool, given_value), value_size},
    };
    if (hc_text_is(given_name, ":method")) {
        stream->request.method = header.value;
    } else if (hc_text_is(given_name, ":path")) {
        set_path(&stream->request, header.value);
    } else if (name[0] != ':') {
        add_header(stream, header);
    }
    return 0;
}

static void on_request(struct hc_http2_conn *http, struct hc_http2_stream *stream) {
    stream->owned = true;
    http->config->on_request(http->config->app, stream);
}

static void on_body_end(struct hc_http2_stream *stream) {
    if (stream->owned) {
        stream->events->on_body_end(stream);
    }
}

static void on_ping(struct hc_http2_conn *http, const nghttp2_frame *frame) {
    if (frame->hd.flags & NGHTTP2_FLAG_ACK) {
        http->pinged_ns = 0;
    } else {
        hc_http2_count_ping(http);
    }
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    struct hc_http2_conn *http = user;
    http->greeted = true;
    if (frame->hd.type == NGHTTP2_PING) {
        on_ping(http, frame);
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) {
        return 0;
    }
    struct hc_http2_stream *stream = find_stream(session, frame->hd.stream_id);
    if (stream == NULL) {
        return 0;
    }
    if (is_request(frame)) {
        on_request(http, stream);
    }
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        on_body_end(stream);
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t size, void *user) {
    (void)flags;
    (void)user;
    struct hc_http2_stream *stream = find_stream(session, id);
    nghttp2_session_consume_connection(session, size);
    if (stream == NULL) {
        return 0;
    }
    if (stream->held) {
        stream->n_held += size;
    } else {
        nghttp2_session_consume_stream(session, id, size);
    }
    if (stream->owned) {
        stream->events->on_body(stream, (struct hc_text){(const char *)data, size});
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user) {
    (void)code;
    (void)user;
    struct hc_http2_stream *stream = find_stream(session, id);
    if (stream != NULL) {
        nghttp2_session_set_stream_user_data(session, id, NULL);
        hc_http2_stream_closed(stream);
    }
    return 0;
}

void hc_http2_set_receive_callbacks(nghttp2_session_callbacks *callbacks) {
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
}

void hc_http2_receive(struct hc_http2_conn *http) {
    size_t n_received = 0;
    while (http->conn.readable && !http->conn.drained) {
        if (n_received >= MAX_RECEIVED) {
            hc_conn_again(&http->conn);
            return;
        }
        struct iovec iov = {http->side->received, HC_HTTP2_RECEIVE_SIZE};
        size_t size = 0;
        enum hc_conn_status status = hc_conn_read(&http->conn, &iov, 1, &size);
        if (status == HC_CONN_WAIT) {
            return;
        }
        if (status != HC_CONN_OK) {
            hc_http2_break(http);
            return;
        }
        n_received += size;
        http->received_ns = hc_http2_now_ns(http);
        if (hc_http2_is_alive(http) &&
            nghttp2_session_mem_recv(http->session, (const uint8_t *)http->side->received, size) <
                0) {
            hc_http2_break(http); /* this is not HTTP/2, or a flood */
            return;
        }
    }
}
