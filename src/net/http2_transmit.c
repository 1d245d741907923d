/* What is sent on an HTTP/2 connection: frames by nghttp2, bodies from where they lie. */
#include <string.h>

#include "http2_conn.h"

enum {
    FRAME_HEADER_SIZE = 9,
    MAX_DATA_SIZE = 256 << 10,  /* in one frame */
    MAX_QUEUE_SIZE = 1 << 20,   /* handed to the socket at a time */
    MAX_TRANSMITTED = 16 << 20, /* then others come first */
};

/* ---- The body of an answer ---- */

static void submit_trailers(nghttp2_session *session, const struct hc_http2_stream *stream) {
    nghttp2_submit_trailer(session, stream->id, stream->trailers, stream->n_trailers);
}

/* How much of the body may go into the next frame. */
static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *buf, size_t limit,
                         uint32_t *flags, nghttp2_data_source *source, void *user) {
    (void)id;
    (void)buf;
    (void)user;
    struct hc_http2_stream *stream = source->ptr;
    size_t size = stream->body.size < limit ? stream->body.size : limit;
    bool last = stream->ended && size == stream->body.size;
    if (size == 0 && !last) {
        stream->idle = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (last) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        submit_trailers(session, stream);
    }
    return (ssize_t)size;
}

static void tell_writable(struct hc_http2_stream *stream) {
    if (stream->owned && stream->on_writable != NULL &&
        stream->body.size <= stream->writable_mark) {
        hc_http2_writable_fn on_writable = stream->on_writable;
        stream->on_writable = NULL;
        on_writable(stream);
    }
}

static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *header,
                     size_t size, nghttp2_data_source *source, void *user) {
    (void)session;
    (void)frame;
    struct hc_http2_conn *http = user;
    struct hc_http2_stream *stream = source->ptr;
    if (http->out.size >= MAX_QUEUE_SIZE) {
        return NGHTTP2_ERR_WOULDBLOCK;
    }
    hc_outq_copy(&http->out, header, FRAME_HEADER_SIZE);
    hc_outq_move(&http->out, &stream->body, size);
    stream->sent_ns = hc_http2_now_ns(http);
    tell_writable(stream);
    return 0;
}

static ssize_t data_size(nghttp2_session *session, uint8_t type, int32_t id, int32_t conn_window,
                         int32_t stream_window, uint32_t max_frame_size, void *user) {
    (void)session;
    (void)type;
    (void)id;
    (void)user;
    int32_t window = conn_window < stream_window ? conn_window : stream_window;
    uint32_t size = max_frame_size < MAX_DATA_SIZE ? max_frame_size : MAX_DATA_SIZE;
    return window < (int32_t)size ? window : (int32_t)size;
}

/* The answer is complete, and a client that still sends is told that nobody listens. */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) {
        return 0;
    }
    hc_http2_sent_headers_or_data(user);
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (ends && nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                  NGHTTP2_NO_ERROR);
    }
    return 0;
}

void hc_http2_set_transmit_callbacks(nghttp2_session_callbacks *callbacks) {
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
    nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, data_size);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
}

/* ---- Headers ---- */

static nghttp2_nv make_nv(struct hc_text name, struct hc_text value) {
    return (nghttp2_nv){.name = (uint8_t *)name.data,
                        .value = (uint8_t *)value.data,
                        .namelen = name.size,
                        .valuelen = value.size};
}

enum hc_code hc_http2_submit_header(struct hc_http2_stream *stream,
                                    const struct hc_http_header *headers, size_t n_headers,
                                    bool has_body) {
    nghttp2_nv *nvs = hc_pool_alloc(&stream->pool, (n_headers + 1) * sizeof *nvs);
    nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = read_body};
    nvs[0] = make_nv(HC_TEXT(":status"), HC_TEXT("200"));
    for (size_t i = 0; i < n_headers; i++) {
        nvs[i + 1] = make_nv(headers[i].name, headers[i].value);
    }
    int result = nghttp2_submit_response(stream->http->session, stream->id, nvs, n_headers + 1,
                                         has_body ? &provider : NULL);
    return result == 0 ? HC_OK : HC_INTERNAL;
}

/* ---- The socket ---- */

/* Take frames from nghttp2 until the queue is full; false when it has failed. */
static bool fill_queue(struct hc_http2_conn *http) {
    while (http->out.size < MAX_QUEUE_SIZE) {
        const uint8_t *data;
        ssize_t size = nghttp2_session_mem_send(http->session, &data);
        if (size <= 0) {
            return size == 0;
        }
        hc_outq_copy(&http->out, data, (size_t)size);
    }
    return true;
}

void hc_http2_transmit(struct hc_http2_conn *http) {
    size_t n_sent = 0;
    if (http->conn.handshaking) {
        return; /* on_ready comes when that is done */
    }
    do {
        if (!fill_queue(http)) {
            hc_http2_break(http);
            return;
        }
        size_t size = http->out.size;
        enum hc_conn_status status = hc_conn_flush(&http->conn, &http->out);
        if (status == HC_CONN_BROKEN) {
            hc_http2_break(http);
            return;
        }
        n_sent += size - http->out.size;
        if (status == HC_CONN_OK || http->out.size < size) {
            http->sent_ns = hc_http2_now_ns(http);
        }
        if (size < MAX_QUEUE_SIZE || status == HC_CONN_WAIT) {
            return; /* on_ready comes when the socket has room again */
        }
    } while (n_sent < MAX_TRANSMITTED);
    hc_conn_again(&http->conn);
}
