/*
 * When a connection has taken too long.
 *
 * One timer a connection, set to the nearest of its deadlines. It is only ever set, never stopped,
 * while requests come and go (net/loop.h: moving it to a later time costs a store); when it comes
 * too early the deadlines are looked at again.
 */
#include "base/clock.h"
#include "http1_conn.h"

static const uint64_t linger_timeout_ns = 5 * HC_NS_PER_S;

static uint64_t after(uint64_t since_ns, uint64_t timeout_ns) {
    return timeout_ns > 0 ? since_ns + timeout_ns : UINT64_MAX;
}

/* The deadline of what the state itself waits for. */
static uint64_t state_deadline_ns(const struct hc_http1_conn *http) {
    const struct hc_http_config *config = http->shard->config;
    switch (http->state) {
    case HC_HTTP1_IDLE:
        return after(http->since_ns,
                     http->conn.handshaking ? config->head_timeout_ns : config->idle_timeout_ns);
    case HC_HTTP1_HEAD:
        return after(http->since_ns, config->head_timeout_ns);
    case HC_HTTP1_OPEN:
    case HC_HTTP1_ENDING:
        return http->body_waits ? http->body_until_ns : UINT64_MAX;
    case HC_HTTP1_LINGERING:
        return after(http->since_ns, linger_timeout_ns);
    case HC_HTTP1_DEAD:
    case HC_HTTP1_CLOSED:
        break;
    }
    return UINT64_MAX;
}

static uint64_t send_deadline_ns(const struct hc_http1_conn *http) {
    return http->blocked ? after(http->blocked_since_ns, http->shard->config->send_timeout_ns)
                         : UINT64_MAX;
}

void hc_http1_set_timer(struct hc_http1_conn *http) {
    uint64_t state_ns = state_deadline_ns(http);
    uint64_t send_ns = send_deadline_ns(http);
    uint64_t due_ns = state_ns < send_ns ? state_ns : send_ns;
    if (due_ns != UINT64_MAX) {
        hc_timer_start(http->conn.loop, &http->timer, due_ns);
    }
}

static bool send_late(const struct hc_http1_conn *http) {
    return send_deadline_ns(http) <= hc_http1_now_ns(http);
}

static bool state_late(const struct hc_http1_conn *http) {
    return state_deadline_ns(http) <= hc_http1_now_ns(http);
}

/* The patience that is left when the body begins to be waited for, or comes on. */
static uint64_t patience_ns(const struct hc_http1_conn *http) {
    uint64_t now_ns = hc_http1_now_ns(http);
    if (!http->body_waits) {
        return http->body_patience_ns;
    }
    return http->body_until_ns > now_ns ? http->body_until_ns - now_ns : 0;
}

void hc_http1_body_begin(struct hc_http1_conn *http) {
    http->body_waits = false;
    http->body_patience_ns = http->shard->config->body_timeout_ns;
}

void hc_http1_body_wait(struct hc_http1_conn *http) {
    if (!http->body_waits && http->shard->config->body_timeout_ns > 0) {
        http->body_until_ns = hc_http1_now_ns(http) + http->body_patience_ns;
        http->body_waits = true;
    }
}

void hc_http1_body_came(struct hc_http1_conn *http, size_t size) {
    const struct hc_http_config *config = http->shard->config;
    uint64_t most_ns = config->body_timeout_ns;
    uint64_t ns_per_byte = config->body_rate > 0 ? HC_NS_PER_S / config->body_rate : most_ns;
    uint64_t earned_ns = size < most_ns / (ns_per_byte + 1) ? size * ns_per_byte : most_ns;
    uint64_t patience = patience_ns(http) + earned_ns;
    http->body_patience_ns = patience < most_ns ? patience : most_ns;
    http->body_waits = false;
}

/* What was waited for has not come. */
static void expire(struct hc_http1_conn *http) {
    struct hc_http_exchange *exchange = http->exchange;
    if (send_late(http)) {
        hc_http1_break(http);
        return;
    }
    switch (http->state) {
    case HC_HTTP1_HEAD:
        hc_http1_refuse(exchange, 408, "the request's header took too long");
        http->state = HC_HTTP1_ENDING;
        break;
    case HC_HTTP1_OPEN: {
        struct hc_error error;
        hc_error_set(&error, HC_DEADLINE_EXCEEDED, "the request's body took too long");
        exchange->keep_alive = false;
        http->body_patience_ns = 0;
        hc_http1_deliver(exchange, (struct hc_text){0}, &error);
        break;
    }
    case HC_HTTP1_ENDING:
        exchange->keep_alive = false;
        http->body_waits = false;
        break;
    default:
        hc_http1_close(http);
    }
}

void hc_http1_on_due(struct hc_timer *timer) {
    struct hc_http1_conn *http = hc_list_item(timer, struct hc_http1_conn, timer);
    if (send_late(http) || state_late(http)) {
        http->advancing = true;
        expire(http);
        hc_http1_advance(http);
    } else {
        hc_http1_set_timer(http);
    }
}
