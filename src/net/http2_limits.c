/*
 * What a client may do so and so often: frames without use, streams that are reset, pings. A client
 * that gets on with its work does not come near any of these.
 */
#include "base/clock.h"
#include "http2_conn.h"

/* At once, and for each second that passes. */
enum { MAX_IDLE_FRAMES = 10000, IDLE_FRAMES_PER_S = 1000, MAX_RESETS = 1000, RESETS_PER_S = 100 };

/* And for each frame of use, either way: for every message that gRPC's clients get they open two
 * windows and ask how far away the server is. */
enum { IDLE_FRAMES_PER_FRAME = 8 };

static const uint64_t streamless_ping_interval_ns = 7200 * HC_NS_PER_S;

/* Use it once; false when there is none left. */
static bool use(struct hc_http2_allowance *allowance, uint64_t now_ns, uint32_t limit,
                uint32_t per_s) {
    uint64_t earned = (now_ns - allowance->since_ns) / (HC_NS_PER_S / per_s);
    if (earned > 0) {
        allowance->n_used = earned < allowance->n_used ? allowance->n_used - (uint32_t)earned : 0;
        allowance->since_ns = now_ns;
    }
    return ++allowance->n_used <= limit;
}

static bool is_idle(const nghttp2_frame_hd *head) {
    switch (head->type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
    case NGHTTP2_RST_STREAM:
        return false;
    case NGHTTP2_DATA:
        return head->length == 0 && (head->flags & NGHTTP2_FLAG_END_STREAM) == 0;
    default:
        return true;
    }
}

static void earn_idle_frames(struct hc_http2_conn *http) {
    struct hc_http2_allowance *allowance = &http->idle_frames;
    allowance->n_used -=
        allowance->n_used < IDLE_FRAMES_PER_FRAME ? allowance->n_used : IDLE_FRAMES_PER_FRAME;
}

static void count_reset(struct hc_http2_conn *http) {
    if (!use(&http->resets, hc_http2_now_ns(http), MAX_RESETS, RESETS_PER_S)) {
        hc_http2_condemn(http, NGHTTP2_ENHANCE_YOUR_CALM, "too_many_resets");
    }
}

void hc_http2_count_frame(struct hc_http2_conn *http, const nghttp2_frame_hd *head) {
    if (head->type == NGHTTP2_RST_STREAM) {
        count_reset(http);
    } else if (!is_idle(head)) {
        earn_idle_frames(http);
    } else if (!use(&http->idle_frames, hc_http2_now_ns(http), MAX_IDLE_FRAMES,
                    IDLE_FRAMES_PER_S)) {
        hc_http2_condemn(http, NGHTTP2_ENHANCE_YOUR_CALM, "too_many_idle_frames");
    }
}

void hc_http2_count_refusal(struct hc_http2_conn *http) {
    count_reset(http);
}

void hc_http2_count_ping(struct hc_http2_conn *http) {
    const struct hc_http2_config *config = http->config;
    bool streamless = hc_list_empty(&http->streams) && !config->keepalive_without_streams;
    uint64_t interval_ns = streamless ? streamless_ping_interval_ns : config->min_ping_interval_ns;
    uint64_t now_ns = hc_http2_now_ns(http);
    bool early = http->ping_received_ns != 0 && now_ns - http->ping_received_ns < interval_ns;
    http->ping_received_ns = now_ns;
    http->n_ping_strikes += early;
    if (config->max_ping_strikes > 0 && http->n_ping_strikes > config->max_ping_strikes) {
        hc_http2_condemn(http, NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings");
    }
}

void hc_http2_sent_headers_or_data(struct hc_http2_conn *http) {
    http->ping_received_ns = 0;
    http->n_ping_strikes = 0;
    http->n_pings = 0;
    earn_idle_frames(http);
}
