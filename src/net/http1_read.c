/* Reading bodies: what the application asks for, and how far it has come. */
#include <assert.h>

#include "http1_conn.h"

static bool wants_all(const struct hc_http1_read *read) {
    return read->kind == HC_HTTP1_READ_ALL || read->kind == HC_HTTP1_READ_DRAIN;
}

static bool is_filled(const struct hc_http_exchange *exchange) {
    if (exchange->read.kind == HC_HTTP1_READ_SOME) {
        return exchange->gathered.size > 0 || exchange->body.done;
    }
    return wants_all(&exchange->read) ? exchange->body.done : exchange->read.left == 0;
}

/* Whether the framing says already that the read asks for too much, or allows too little. */
static enum hc_code check_size(const struct hc_http_exchange *exchange, struct hc_error *error) {
    uint64_t left = exchange->read.left;
    uint64_t run = exchange->body.run;
    if (wants_all(&exchange->read)) {
        return run <= left ? HC_OK
                           : hc_error_set(error, HC_OUT_OF_RANGE, "request body is too large");
    }
    if (exchange->read.kind == HC_HTTP1_READ_SOME) {
        return HC_OK;
    }
    if (exchange->body.done || (run < left && !exchange->head.request.chunked)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "request body ends %ju bytes before what was announced",
                            (uintmax_t)(left - run));
    }
    return HC_OK;
}

/* If everything asked for lies in the buffer already, as small bodies do, it is not copied. */
static bool take_in_place(struct hc_http_exchange *exchange, struct hc_text *bytes) {
    const struct hc_http1_read *read = &exchange->read;
    uint64_t run = exchange->body.run;
    uint64_t size = 0;
    if (read->kind == HC_HTTP1_READ_SOME) {
        size = exchange->in_end - exchange->in_begin;
        size = size < run ? size : run;
        size = size < read->left ? size : read->left;
    } else if (read->kind == HC_HTTP1_READ_SIZE) {
        size = read->left;
    } else if (read->kind == HC_HTTP1_READ_ALL && !exchange->head.request.chunked) {
        size = run;
    }
    if (size == 0 || size > run || size > read->left || exchange->gathered.size > 0 ||
        size > exchange->in_end - exchange->in_begin) {
        return false;
    }
    *bytes = (struct hc_text){exchange->in + exchange->in_begin, size};
    exchange->in_begin += size;
    hc_http1_body_take(&exchange->body, size);
    return true;
}

static enum hc_conn_status fail(struct hc_http_exchange *exchange, struct hc_error *error,
                                enum hc_code code, const char *message) {
    exchange->keep_alive = false;
    hc_error_set(error, code, "%s", message);
    return HC_CONN_ENDED;
}

static enum hc_conn_status read_framing(struct hc_http_exchange *exchange, struct hc_error *error) {
    size_t n_used;
    if (hc_http1_body_read(&exchange->body, exchange->in + exchange->in_begin,
                           exchange->in_end - exchange->in_begin, &n_used) == HC_HTTP1_BAD) {
        return fail(exchange, error, HC_INVALID_ARGUMENT, exchange->body.failure.message);
    }
    exchange->in_begin += n_used;
    return HC_CONN_OK;
}

/* One step towards filling the read. */
static enum hc_conn_status fill_more(struct hc_http_exchange *exchange, struct hc_error *error) {
    if (check_size(exchange, error) != HC_OK) {
        exchange->keep_alive = false;
        return HC_CONN_ENDED;
    }
    if (hc_http1_has_input(exchange) && exchange->body.run == 0) {
        return read_framing(exchange, error);
    }
    if (!hc_http1_prepare_memory(exchange)) {
        return fail(exchange, error, HC_RESOURCE_EXHAUSTED, "no memory for the request body");
    }
    if (hc_http1_has_input(exchange)) {
        hc_http1_copy_input(exchange);
        return HC_CONN_OK;
    }
    enum hc_conn_status status = hc_http1_receive_body(exchange);
    return status != HC_CONN_ENDED
               ? status
               : fail(exchange, error, HC_INVALID_ARGUMENT, "request body ended early");
}

enum hc_conn_status hc_http1_fill(struct hc_http_exchange *exchange, struct hc_text *bytes,
                                  struct hc_error *error) {
    if (exchange->body.failure.status != 0) {
        return fail(exchange, error, HC_INVALID_ARGUMENT, exchange->body.failure.message);
    }
    if (take_in_place(exchange, bytes)) {
        return HC_CONN_OK;
    }
    while (!is_filled(exchange)) {
        enum hc_conn_status status = fill_more(exchange, error);
        if (status != HC_CONN_OK) {
            return status;
        }
    }
    *bytes = hc_buf_text(&exchange->gathered);
    return HC_CONN_OK;
}

static void say_continue(struct hc_http_exchange *exchange) {
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!hc_http1_has_input(exchange) && !exchange->body.done && !exchange->started) {
        hc_outq_copy(&exchange->out, text, sizeof text - 1);
    }
}

static void begin_read(struct hc_http_exchange *exchange, struct hc_http1_read read) {
    assert(exchange->read.kind == HC_HTTP1_READ_NONE);
    hc_buf_clear(&exchange->gathered);
    exchange->read = read;
    if (exchange->head.expects_continue) {
        exchange->head.expects_continue = false;
        say_continue(exchange);
    }
    hc_http1_wake(exchange->conn);
}

void hc_http_read(struct hc_http_exchange *exchange, size_t size, hc_http_body_fn on_body) {
    begin_read(exchange, (struct hc_http1_read){HC_HTTP1_READ_SIZE, on_body, size, NULL, 0});
}

void hc_http_read_some(struct hc_http_exchange *exchange, size_t limit, hc_http_body_fn on_body) {
    begin_read(exchange, (struct hc_http1_read){HC_HTTP1_READ_SOME, on_body, limit, NULL, 0});
}

void hc_http_read_all(struct hc_http_exchange *exchange, size_t limit, hc_http_body_fn on_body) {
    begin_read(exchange, (struct hc_http1_read){HC_HTTP1_READ_ALL, on_body, limit, NULL, 0});
}

void hc_http_drain(struct hc_http_exchange *exchange, size_t limit, hc_http_body_fn on_body) {
    begin_read(exchange, (struct hc_http1_read){HC_HTTP1_READ_DRAIN, on_body, limit, NULL, 0});
}

void hc_http_read_into(struct hc_http_exchange *exchange, const struct iovec *iov, size_t n_iov,
                       hc_http_body_fn on_body) {
    struct hc_http1_read read = {.kind = HC_HTTP1_READ_INTO, .on_body = on_body};
    read.iov = hc_pool_alloc(&exchange->pool, n_iov * sizeof *iov);
    for (size_t i = 0; i < n_iov; i++) {
        if (iov[i].iov_len > 0) {
            read.iov[read.n_iov++] = iov[i];
            read.left += iov[i].iov_len;
        }
    }
    begin_read(exchange, read);
}
