/* What a loop tells a pyhost outside of executions: responses to calls, released memory, pauses. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "channel/bell.h"
#include "internal.h"

static const uint64_t flush_interval_ns = HC_NS_PER_MS;

void loop_side_flush(struct pyhost_link *link) {
    size_t done = 0;
    struct hc_entry entry;
    while (done < link->waiting_events.size) {
        memcpy(&entry, link->waiting_events.data + done, sizeof entry);
        if (!hc_ring_write(&link->rings.events, &entry)) {
            break;
        }
        done += sizeof entry;
    }
    if (done > 0) {
        hc_buf_consume(&link->waiting_events, done);
        hc_ring_publish(&link->rings.events);
    }
}

/* Wake those of the life's threads that wait for a response to a call, or for a pause to end. */
static void announce_response(const struct pyhost *host) {
    struct hc_channel_header *header = host->header;
    hc_bell_announce(&header->event_count, &header->n_event_waiters);
    if (atomic_load(&header->event_fd_armed) != 0 &&
        atomic_exchange(&header->event_fd_armed, 0) != 0) {
        uint64_t one = 1;
        ssize_t n = write(host->events_fd, &one, sizeof one);
        (void)n; /* fails only when the counter is full, and then it is readable */
    }
}

/* Releases wake nobody: the pyhost sees them when it next looks. */
static void send_event(struct pyhost *host, struct pyhost_link *link,
                       const struct hc_entry *entry) {
    loop_side_flush(link);
    if (link->waiting_events.size == 0 && hc_ring_write(&link->rings.events, entry)) {
        hc_ring_publish(&link->rings.events);
    } else {
        hc_buf_append(&link->waiting_events, entry, sizeof *entry);
    }
    if (entry->kind == HC_EVENT_RESPONSE) {
        announce_response(host);
    }
}

static struct pyhost_link *link_of_timer(struct hc_timer *timer) {
    return hc_list_item(timer, struct pyhost_link, flush_timer);
}

/* A full ring of responses that nobody writes to any more is looked at again. */
static void on_flush_due(struct hc_timer *timer) {
    struct pyhost_link *link = link_of_timer(timer);
    loop_side_flush(link);
    announce_response(link->host);
    if (link->waiting_events.size > 0) {
        hc_timer_start(hc_loop_current(), timer, hc_clock_ns() + flush_interval_ns);
    }
}

void loop_side_send_event(struct loop_side *side, struct pyhost *host,
                          const struct hc_entry *entry) {
    struct pyhost_link *link = &host->links[side->loop_index];
    send_event(host, link, entry);
    if (link->waiting_events.size > 0 && !hc_timer_started(&link->flush_timer)) {
        link->flush_timer.on_due = on_flush_due;
        hc_timer_start(hc_loop_current(), &link->flush_timer, hc_clock_ns() + flush_interval_ns);
    }
}

void loop_side_wake(struct loop_side *side, const struct hc_instance *instance) {
    const struct pyhost *host = side->hosts[instance->index].host;
    if (host != NULL) {
        announce_response(host);
    }
}

void loop_side_release(struct pyhost *host, unsigned loop_index, uint32_t block,
                       uint32_t generation) {
    const struct hc_entry entry = {
        .kind = HC_EVENT_RELEASE,
        .arena = HC_ARENA_RESPONSE,
        .block = block,
        .generation = generation,
    };
    send_event(host, &host->links[loop_index], &entry);
}
