/* Idle models: what their arenas have not needed for a while goes back to the system. */
#include "base/clock.h"
#include "lifecycle_internal.h"

static const uint64_t interval_ns = 10 * HC_NS_PER_S;

static void start(struct hc_lifecycle *lifecycle) {
    hc_timer_start(lifecycle->server->control, &lifecycle->trim_timer, hc_clock_ns() + interval_ns);
}

static void on_due(struct hc_timer *timer) {
    struct hc_lifecycle *lifecycle = hc_list_item(timer, struct hc_lifecycle, trim_timer);
    hc_list_each (link, &lifecycle->alive) {
        hc_arena_trim_idle(hc_list_item(link, struct hc_model, lifecycle_link)->arena);
    }
    start(lifecycle);
}

void start_trimming(struct hc_lifecycle *lifecycle) {
    lifecycle->trim_timer.on_due = on_due;
    start(lifecycle);
}
