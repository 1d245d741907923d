/*
 * When a connection has taken too long: for its greeting, for taking what it is sent, for a sign of
 * life, for its age. One timer a connection, set to the nearest of its deadlines; when it comes too
 * early the deadlines are looked at again.
 */
#include "base/clock.h"
#include "http2_conn.h"

/* For the client to notice that it is sent away. */
static const uint64_t linger_timeout_ns = 2 * HC_NS_PER_S;

static uint64_t after(uint64_t since_ns, uint64_t timeout_ns) {
    return timeout_ns > 0 ? since_ns + timeout_ns : UINT64_MAX;
}

static uint64_t earlier(uint64_t a_ns, uint64_t b_ns) {
    return a_ns < b_ns ? a_ns : b_ns;
}

static bool may_ping(const struct hc_http2_conn *http) {
    const struct hc_http2_config *config = http->config;
    bool wanted = config->keepalive_without_streams || !hc_list_empty(&http->streams);
    return wanted && (config->max_pings == 0 || http->n_pings < config->max_pings);
}

static uint64_t keepalive_deadline_ns(const struct hc_http2_conn *http) {
    const struct hc_http2_config *config = http->config;
    if (http->pinged_ns != 0) {
        return after(http->pinged_ns, config->keepalive_timeout_ns);
    }
    return may_ping(http) ? after(http->received_ns, config->keepalive_ns) : UINT64_MAX;
}

static uint64_t age_deadline_ns(const struct hc_http2_conn *http) {
    return http->state == HC_HTTP2_OPEN ? after(http->opened_ns, http->config->max_age_ns)
                                        : after(http->ended_ns, http->config->age_grace_ns);
}

static uint64_t greeting_deadline_ns(const struct hc_http2_conn *http) {
    return http->greeted ? UINT64_MAX : after(http->opened_ns, http->config->greeting_timeout_ns);
}

/* Of the socket, and of the streams whose windows the client keeps closed. */
static uint64_t send_deadline_ns(const struct hc_http2_conn *http) {
    uint64_t timeout_ns = http->config->send_timeout_ns;
    uint64_t socket_ns = http->out.size > 0 ? after(http->sent_ns, timeout_ns) : UINT64_MAX;
    uint64_t streams_ns = hc_list_empty(&http->streams) ? UINT64_MAX : http->stalls_ns;
    return earlier(socket_ns, streams_ns);
}

static uint64_t deadline_ns(const struct hc_http2_conn *http) {
    switch (http->state) {
    case HC_HTTP2_OPEN:
    case HC_HTTP2_DRAINING:
        return earlier(earlier(greeting_deadline_ns(http), send_deadline_ns(http)),
                       earlier(keepalive_deadline_ns(http), age_deadline_ns(http)));
    case HC_HTTP2_CONDEMNED:
    case HC_HTTP2_LINGERING:
        return after(http->ended_ns, linger_timeout_ns);
    case HC_HTTP2_DEAD:
    case HC_HTTP2_CLOSED:
        break;
    }
    return UINT64_MAX;
}

void hc_http2_set_timer(struct hc_http2_conn *http) {
    uint64_t due_ns = deadline_ns(http);
    if (due_ns != UINT64_MAX) {
        hc_timer_start(http->conn.loop, &http->timer, due_ns);
    } else {
        hc_timer_stop(&http->timer);
    }
}

/* There may be thousands of streams, so they are looked at only when one may have stalled. */
static void reset_stalled_streams(struct hc_http2_conn *http, uint64_t now_ns) {
    uint64_t timeout_ns = http->config->send_timeout_ns;
    http->stalls_ns = after(now_ns, timeout_ns);
    hc_list_each_safe (link, &http->streams) {
        struct hc_http2_stream *stream = hc_list_item(link, struct hc_http2_stream, link);
        if (!stream->open || stream->body.size == 0) {
            continue;
        }
        if (after(stream->sent_ns, timeout_ns) <= now_ns) {
            nghttp2_submit_rst_stream(http->session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_CANCEL);
            stream->sent_ns = now_ns;
        }
        http->stalls_ns = earlier(http->stalls_ns, after(stream->sent_ns, timeout_ns));
    }
}

static void ping(struct hc_http2_conn *http, uint64_t now_ns) {
    http->pinged_ns = now_ns;
    http->n_pings++;
    nghttp2_submit_ping(http->session, NGHTTP2_FLAG_NONE, NULL);
}

static void act(struct hc_http2_conn *http, uint64_t now_ns) {
    bool unanswered = http->pinged_ns != 0 && keepalive_deadline_ns(http) <= now_ns;
    bool unread =
        http->out.size > 0 && after(http->sent_ns, http->config->send_timeout_ns) <= now_ns;
    bool overdue = http->state != HC_HTTP2_OPEN && age_deadline_ns(http) <= now_ns;
    if (greeting_deadline_ns(http) <= now_ns || unanswered || unread || overdue) {
        hc_http2_break(http);
        return;
    }
    if (keepalive_deadline_ns(http) <= now_ns) {
        ping(http, now_ns);
    }
    if (age_deadline_ns(http) <= now_ns) {
        hc_http2_drain(http);
    }
    reset_stalled_streams(http, now_ns);
    hc_http2_wake(http);
}

void hc_http2_on_due(struct hc_timer *timer) {
    struct hc_http2_conn *http = hc_list_item(timer, struct hc_http2_conn, timer);
    uint64_t now_ns = hc_http2_now_ns(http);
    if (hc_http2_is_alive(http) && deadline_ns(http) <= now_ns) {
        act(http, now_ns);
    } else if (deadline_ns(http) <= now_ns) {
        hc_http2_break(http);
    }
    hc_http2_set_timer(http);
}
