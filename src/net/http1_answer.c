/* Answers: their heads, whole bodies, streams, and the server's own refusals. */
#include <assert.h>

#include "base/json_escape.h"
#include "http1_conn.h"
#include "http1_text.h"

/* Answers whose body has no length that is known beforehand. */
#define STREAMED UINT64_MAX

static char *put(char *place, struct hc_text text) {
    memcpy(place, text.data, text.size);
    return place + text.size;
}

/* What must not be in a header would end it, or begin another. */
static char *put_value(char *place, struct hc_text text) {
    for (size_t i = 0; i < text.size; i++) {
        *place++ = hc_http1_is(text.data[i], HC_HTTP1_FIELD) ? text.data[i] : ' ';
    }
    return place;
}

enum { NUMBER_SIZE = 20 };

static char *put_number(char *place, uint64_t number, unsigned base) {
    char digits[NUMBER_SIZE];
    size_t n = 0;
    do {
        digits[NUMBER_SIZE - ++n] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    return put(place, (struct hc_text){digits + NUMBER_SIZE - n, n});
}

/* Whether the rest of the body may be dropped after the answer, so that the connection lives on. */
static bool can_drain(const struct hc_http_exchange *exchange) {
    return exchange->body.failure.status == 0 && !exchange->head.expects_continue &&
           exchange->body.run <= exchange->conn->shard->config->drain_limit;
}

static struct hc_text connection_header(const struct hc_http_exchange *exchange) {
    if (!exchange->keep_alive) {
        return HC_TEXT("Connection: close\r\n");
    }
    return exchange->head.minor_version > 0 ? HC_TEXT("") : HC_TEXT("Connection: keep-alive\r\n");
}

static struct hc_text framing_header(const struct hc_http_exchange *exchange, int status,
                                     uint64_t size) {
    if (status == 204 || status == 304 || (size == STREAMED && !exchange->chunked)) {
        return HC_TEXT("");
    }
    return size == STREAMED ? HC_TEXT("Transfer-Encoding: chunked\r\n")
                            : HC_TEXT("Content-Length: ");
}

static size_t headers_size(const struct hc_http_header *headers, size_t n) {
    size_t size = 0;
    for (size_t i = 0; i < n; i++) {
        size += headers[i].name.size + headers[i].value.size + 4;
    }
    return size;
}

static char *put_headers(char *place, const struct hc_http_header *headers, size_t n) {
    for (size_t i = 0; i < n; i++) {
        place = put(place, headers[i].name);
        place = put(place, HC_TEXT(": "));
        place = put_value(place, headers[i].value);
        place = put(place, HC_TEXT("\r\n"));
    }
    return place;
}

static void put_head(struct hc_http_exchange *exchange, int status,
                     const struct hc_http_header *headers, size_t n_headers, uint64_t size) {
    const struct hc_http_config *config = exchange->conn->shard->config;
    struct hc_text server = hc_text_of(config->server_name);
    struct hc_text reason = hc_text_of(hc_http_reason(status));
    struct hc_text framing = framing_header(exchange, status, size);
    size_t room = 256 + reason.size + headers_size(headers, n_headers) +
                  headers_size(config->headers, config->n_headers) + server.size;
    char *begin = hc_outq_reserve(&exchange->out, room);
    char *place = put(begin, HC_TEXT("HTTP/1.1 "));
    place = put_number(place, (uint64_t)status, 10);
    place = put(place, HC_TEXT(" "));
    place = put(place, reason);
    place = put(place, HC_TEXT("\r\n"));
    place = put_headers(place, headers, n_headers);
    place = put_headers(place, config->headers, config->n_headers);
    place = put(place, framing);
    if (framing.size > 0 && size != STREAMED) {
        place = put(put_number(place, size, 10), HC_TEXT("\r\n"));
    }
    if (server.size > 0) {
        place = put(put_value(put(place, HC_TEXT("Server: ")), server), HC_TEXT("\r\n"));
    }
    place = put(place, connection_header(exchange));
    place = put(place, HC_TEXT("\r\n"));
    hc_outq_commit(&exchange->out, (size_t)(place - begin));
}

static void begin_answer(struct hc_http_exchange *exchange, int status,
                         const struct hc_http_header *headers, size_t n_headers, uint64_t size) {
    assert(!exchange->started && status >= 200 && status <= 999);
    exchange->started = true;
    exchange->bodiless |= status == 204 || status == 304;
    exchange->chunked = size == STREAMED && exchange->head.minor_version > 0;
    if (exchange->conn->shard->stopping || (!exchange->body.done && !can_drain(exchange)) ||
        (size == STREAMED && !exchange->chunked)) {
        exchange->keep_alive = false;
    }
    put_head(exchange, status, headers, n_headers, size);
}

static size_t segments_size(const struct hc_segment *segments, size_t n) {
    size_t size = 0;
    for (size_t i = 0; i < n; i++) {
        size += segments[i].size;
    }
    return size;
}

static void add_segments(struct hc_http_exchange *exchange, const struct hc_segment *segments,
                         size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (!exchange->bodiless) {
            hc_outq_add(&exchange->out, &segments[i]);
        } else if (segments[i].release != NULL) {
            segments[i].release(segments[i].context);
        }
    }
}

static void end_exchange(struct hc_http_exchange *exchange) {
    exchange->read = (struct hc_http1_read){.kind = HC_HTTP1_READ_DRAIN,
                                            .left = exchange->conn->shard->config->drain_limit};
    hc_http1_ended(exchange->conn);
}

void hc_http_respond(struct hc_http_exchange *exchange, int status,
                     const struct hc_http_header *headers, size_t n_headers,
                     const struct hc_segment *segments, size_t n_segments) {
    begin_answer(exchange, status, headers, n_headers, segments_size(segments, n_segments));
    add_segments(exchange, segments, n_segments);
    end_exchange(exchange);
}

void hc_http_start(struct hc_http_exchange *exchange, int status,
                   const struct hc_http_header *headers, size_t n_headers) {
    begin_answer(exchange, status, headers, n_headers, STREAMED);
    hc_http1_flush(exchange->conn);
}

void hc_http_send(struct hc_http_exchange *exchange, const struct hc_segment *segments,
                  size_t n_segments) {
    assert(exchange->started);
    size_t size = segments_size(segments, n_segments);
    bool framed = exchange->chunked && !exchange->bodiless && size > 0;
    if (framed) {
        char *begin = hc_outq_reserve(&exchange->out, NUMBER_SIZE + 2);
        char *end = put(put_number(begin, size, 16), HC_TEXT("\r\n"));
        hc_outq_commit(&exchange->out, (size_t)(end - begin));
    }
    add_segments(exchange, segments, n_segments);
    if (framed) {
        hc_outq_copy(&exchange->out, "\r\n", 2);
    }
    hc_http1_flush(exchange->conn);
}

void hc_http_end(struct hc_http_exchange *exchange) {
    assert(exchange->started);
    if (exchange->chunked && !exchange->bodiless) {
        hc_outq_copy(&exchange->out, "0\r\n\r\n", 5);
    }
    end_exchange(exchange);
}

void hc_http_probe(struct hc_http_exchange *exchange) {
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!exchange->started && exchange->head.minor_version > 0) {
        hc_outq_copy(&exchange->out, text, sizeof text - 1);
        hc_http1_flush(exchange->conn);
    }
}

void hc_http_abort(struct hc_http_exchange *exchange) {
    hc_http1_close(exchange->conn);
}

size_t hc_http_unsent(const struct hc_http_exchange *exchange) {
    return exchange->out.size;
}

void hc_http_on_writable(struct hc_http_exchange *exchange, size_t mark,
                         hc_http_writable_fn on_writable) {
    exchange->writable_mark = mark;
    exchange->on_writable = on_writable;
    hc_http1_wake(exchange->conn);
}

void hc_http1_refuse(struct hc_http_exchange *exchange, int status, const char *message) {
    static const struct hc_http_header header = {
        {"Content-Type", sizeof "Content-Type" - 1},
        {"application/json", sizeof "application/json" - 1}};
    hc_auto_buf body = {0};
    hc_buf_append_string(&body, "{\"error\":");
    hc_json_append_string(&body, hc_text_of(message));
    hc_buf_append_char(&body, '}');
    exchange->keep_alive = false;
    begin_answer(exchange, status, &header, 1, body.size);
    hc_outq_copy(&exchange->out, body.data, body.size);
}
