/* Exchanges: where they come from, where they go, and what the application may ask them. */
#include <stdlib.h>

#include "base/alloc.h"
#include "http1_conn.h"

enum {
    IN_CAPACITY = 16 << 10,
    MAX_KEPT_CAPACITY = 64 << 10, /* of a buffer in a spare exchange */
    MAX_SPARES = 256,
};

/* Uninitialised where it can be: pages that are never touched cost nothing. */
static struct hc_http_exchange *create(const struct hc_http_shard *shard) {
    size_t n_headers = shard->config->limits.n_headers;
    struct hc_http_exchange *exchange =
        hc_realloc(NULL, sizeof *exchange + n_headers * sizeof exchange->headers[0]);
    *exchange =
        (struct hc_http_exchange){.in = hc_realloc(NULL, IN_CAPACITY), .in_capacity = IN_CAPACITY};
    return exchange;
}

struct hc_http_exchange *hc_http1_exchange_take(struct hc_http1_conn *http) {
    struct hc_http_shard *shard = http->shard;
    struct hc_list *link = hc_list_pop(&shard->spares);
    struct hc_http_exchange *exchange;
    if (link != NULL) {
        exchange = hc_list_item(link, struct hc_http_exchange, link);
        shard->n_spares--;
    } else {
        exchange = create(shard);
    }
    exchange->conn = http;
    exchange->in_begin = 0;
    exchange->in_end = 0;
    hc_http1_exchange_next(exchange);
    return exchange;
}

void hc_http1_exchange_next(struct hc_http_exchange *exchange) {
    const struct hc_http_config *config = exchange->conn->shard->config;
    hc_http1_head_init(&exchange->head, &config->limits, exchange->headers);
    if (!hc_http1_has_input(exchange)) {
        exchange->in_begin = 0;
        exchange->in_end = 0;
    }
    exchange->in_kept = 0;
    exchange->body.done = true;
    exchange->body.failure = (struct hc_http1_failure){0};
    exchange->read = (struct hc_http1_read){0};
    hc_buf_clear(&exchange->gathered);
    hc_pool_reset(&exchange->pool);
    exchange->data = NULL;
    exchange->on_close = NULL;
    exchange->told_half_closed = false;
    exchange->told_gone = false;
    exchange->on_writable = NULL;
    exchange->started = false;
    exchange->chunked = false;
    exchange->bodiless = false;
    exchange->keep_alive = false;
}

void hc_http1_exchange_destroy(struct hc_http_exchange *exchange) {
    hc_outq_finish(&exchange->out);
    hc_buf_finish(&exchange->gathered);
    hc_pool_finish(&exchange->pool);
    free(exchange->in);
    free(exchange);
}

void hc_http1_exchange_give(struct hc_http_exchange *exchange) {
    struct hc_http_shard *shard = exchange->conn->shard;
    hc_outq_drop(&exchange->out);
    if (shard->n_spares == MAX_SPARES || exchange->in_capacity > MAX_KEPT_CAPACITY) {
        hc_http1_exchange_destroy(exchange);
        return;
    }
    if (exchange->gathered.capacity > MAX_KEPT_CAPACITY) {
        hc_buf_finish(&exchange->gathered);
    }
    hc_outq_trim(&exchange->out, MAX_KEPT_CAPACITY);
    hc_list_prepend(&shard->spares, &exchange->link); /* the warmest first */
    shard->n_spares++;
}

const struct hc_http_request *hc_http_request(const struct hc_http_exchange *exchange) {
    return &exchange->head.request;
}

struct hc_pool *hc_http_pool(struct hc_http_exchange *exchange) {
    return &exchange->pool;
}

struct hc_loop *hc_http_loop(const struct hc_http_exchange *exchange) {
    return exchange->conn->conn.loop;
}

const struct hc_address *hc_http_peer(const struct hc_http_exchange *exchange) {
    return &exchange->conn->conn.peer;
}

void hc_http_set_data(struct hc_http_exchange *exchange, void *data) {
    exchange->data = data;
}

void *hc_http_data(const struct hc_http_exchange *exchange) {
    return exchange->data;
}

bool hc_http_body_left(const struct hc_http_exchange *exchange, uint64_t *size) {
    const struct hc_http1_body *body = &exchange->body;
    if (exchange->head.request.chunked && !body->done) {
        return false;
    }
    *size = body->run;
    return true;
}

void hc_http_on_close(struct hc_http_exchange *exchange, hc_http_close_fn on_close) {
    exchange->on_close = on_close;
    hc_http1_wake(exchange->conn);
}
