/* One request over HTTP/2 and its answer. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "http2_conn.h"

enum { MAX_SPARES = 256, MAX_SPARE_SIZE = 16 << 10 };

const struct hc_http_request *hc_http2_request(const struct hc_http2_stream *stream) {
    return &stream->request;
}

struct hc_pool *hc_http2_pool(struct hc_http2_stream *stream) {
    return &stream->pool;
}

struct hc_loop *hc_http2_loop(const struct hc_http2_stream *stream) {
    return stream->http->conn.loop;
}

const struct hc_address *hc_http2_peer(const struct hc_http2_stream *stream) {
    return &stream->http->conn.peer;
}

void hc_http2_accept(struct hc_http2_stream *stream, const struct hc_http2_events *events,
                     void *data) {
    stream->events = events;
    stream->data = data;
}

void *hc_http2_data(const struct hc_http2_stream *stream) {
    return stream->data;
}

/* ---- Life ---- */

struct hc_http2_stream *hc_http2_stream_take(struct hc_http2_conn *http, int32_t id) {
    struct hc_list *link = hc_list_pop(&http->side->spares);
    struct hc_http2_stream *stream;
    if (link != NULL) {
        http->side->n_spares--;
        stream = hc_list_item(link, struct hc_http2_stream, link);
        *stream = (struct hc_http2_stream){.pool = stream->pool, .body = stream->body};
    } else {
        stream = hc_new(struct hc_http2_stream);
    }
    stream->http = http;
    stream->id = id;
    stream->open = true;
    hc_list_append(&http->streams, &stream->link);
    return stream;
}

void hc_http2_stream_destroy(struct hc_http2_stream *stream) {
    hc_outq_finish(&stream->body);
    hc_pool_finish(&stream->pool);
    free(stream);
}

static void free_if_unused(struct hc_http2_stream *stream) {
    if (stream->open || stream->owned) {
        return;
    }
    struct hc_http2_conn *http = stream->http;
    struct hc_http2_loop_side *side = http->side;
    hc_list_remove(&stream->link);
    hc_outq_drop_after(&stream->body, &http->out);
    hc_outq_trim(&stream->body, MAX_SPARE_SIZE);
    hc_pool_reset(&stream->pool);
    if (side->n_spares < MAX_SPARES) {
        side->n_spares++;
        hc_list_prepend(&side->spares, &stream->link);
    } else {
        hc_http2_stream_destroy(stream);
    }
    if (hc_list_empty(&http->streams)) {
        hc_http2_wake(http); /* it may be waiting for the last one to go */
    }
}

void hc_http2_stream_closed(struct hc_http2_stream *stream) {
    if (!stream->open) {
        return;
    }
    stream->open = false;
    stream->on_writable = NULL;
    hc_outq_drop_after(&stream->body, &stream->http->out);
    if (stream->owned) {
        stream->events->on_gone(stream);
    } else {
        free_if_unused(stream);
    }
}

static void let_go(struct hc_http2_stream *stream) {
    stream->owned = false;
    if (stream->open) {
        hc_http2_wake(stream->http);
    } else {
        free_if_unused(stream);
    }
}

/* ---- The answer ---- */

void hc_http2_hold(struct hc_http2_stream *stream, bool held) {
    stream->held = held;
    if (!held && stream->n_held > 0) {
        if (stream->open) {
            nghttp2_session_consume_stream(stream->http->session, stream->id, stream->n_held);
            hc_http2_wake(stream->http);
        }
        stream->n_held = 0;
    }
}

void hc_http2_start(struct hc_http2_stream *stream, const struct hc_http_header *headers,
                    size_t n_headers) {
    stream->started = true;
    if (stream->open) {
        hc_http2_submit_header(stream, headers, n_headers, true);
        hc_http2_wake(stream->http);
    }
}

/* There is more of the body, or its end is known. */
static void resume(struct hc_http2_stream *stream) {
    if (stream->idle) {
        stream->idle = false;
        nghttp2_session_resume_data(stream->http->session, stream->id);
    }
    hc_http2_wake(stream->http);
}

void hc_http2_send(struct hc_http2_stream *stream, const struct hc_segment *segments,
                   size_t n_segments) {
    if (stream->body.size == 0) {
        stream->sent_ns = hc_http2_now_ns(stream->http);
    }
    for (size_t i = 0; i < n_segments; i++) {
        hc_outq_add(&stream->body, &segments[i]);
    }
    if (stream->open) {
        resume(stream);
    } else {
        hc_outq_drop(&stream->body);
    }
}

size_t hc_http2_unsent(const struct hc_http2_stream *stream) {
    return stream->body.size;
}

void hc_http2_on_writable(struct hc_http2_stream *stream, size_t mark,
                          hc_http2_writable_fn on_writable) {
    stream->writable_mark = mark;
    stream->on_writable = on_writable;
}

static void keep_trailers(struct hc_http2_stream *stream, const struct hc_http_header *trailers,
                          size_t n_trailers) {
    stream->trailers = hc_pool_alloc(&stream->pool, n_trailers * sizeof *stream->trailers);
    stream->n_trailers = n_trailers;
    for (size_t i = 0; i < n_trailers; i++) {
        stream->trailers[i] = (nghttp2_nv){
            .name = (uint8_t *)hc_pool_copy(&stream->pool, trailers[i].name),
            .value = (uint8_t *)hc_pool_copy(&stream->pool, trailers[i].value),
            .namelen = trailers[i].name.size,
            .valuelen = trailers[i].value.size,
        };
    }
}

void hc_http2_end(struct hc_http2_stream *stream, const struct hc_http_header *trailers,
                  size_t n_trailers) {
    stream->ended = true;
    stream->on_writable = NULL;
    if (stream->open && !stream->started) {
        hc_http2_submit_header(stream, trailers, n_trailers, false);
    } else if (stream->open) {
        keep_trailers(stream, trailers, n_trailers);
        resume(stream);
    }
    let_go(stream);
}

void hc_http2_reset(struct hc_http2_stream *stream, enum hc_http2_error error) {
    stream->on_writable = NULL;
    if (stream->open) {
        nghttp2_submit_rst_stream(stream->http->session, NGHTTP2_FLAG_NONE, stream->id, error);
    }
    let_go(stream);
}
