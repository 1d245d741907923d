/* One loop's side of a Python model: the lives that it knows, and when it listens to them. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "internal.h"

static struct loop_side *side_of(struct hc_poller *poller) {
    return hc_list_item(poller, struct loop_side, poller);
}

static struct pyhost *guest_at(struct hc_list *link) {
    return hc_list_item(link, struct pyhost, guest_link);
}

static bool poll_replies(struct hc_poller *poller) {
    struct loop_side *side = side_of(poller);
    bool any = false;
    for (size_t i = 0; i < side->n_hosts; i++) {
        struct pyhost *host = side->hosts[i].host;
        any = (host != NULL && loop_side_drain(side, host)) || any;
    }
    hc_list_each (link, &side->guests) {
        any = loop_side_drain(side, guest_at(link)) || any;
    }
    return any;
}

static struct hc_ring *replies_of(const struct loop_side *side, struct pyhost *host) {
    return &host->links[side->loop_index].rings.replies;
}

static bool arm_replies(struct hc_poller *poller) {
    struct loop_side *side = side_of(poller);
    bool any = false;
    for (size_t i = 0; i < side->n_hosts; i++) {
        struct pyhost *host = side->hosts[i].host;
        any = (host != NULL && hc_ring_arm(replies_of(side, host))) || any;
    }
    hc_list_each (link, &side->guests) {
        any = hc_ring_arm(replies_of(side, guest_at(link))) || any;
    }
    return any;
}

static void disarm_replies(struct hc_poller *poller) {
    struct loop_side *side = side_of(poller);
    for (size_t i = 0; i < side->n_hosts; i++) {
        struct pyhost *host = side->hosts[i].host;
        if (host != NULL) {
            hc_ring_unarm(replies_of(side, host));
        }
    }
    hc_list_each (link, &side->guests) {
        hc_ring_unarm(replies_of(side, guest_at(link)));
    }
}

static bool is_on(struct hc_poller *poller, int core) {
    struct loop_side *side = side_of(poller);
    for (size_t i = 0; i < side->n_hosts; i++) {
        struct side_host *one = &side->hosts[i];
        if (one->host != NULL && one->n_executions > 0 &&
            atomic_load_explicit(&one->host->header->core, memory_order_relaxed) ==
                (uint32_t)core) {
            return true;
        }
    }
    return false;
}

void loop_side_init(struct loop_side *side, struct python_model *model, unsigned loop_index) {
    *side = (struct loop_side){
        .poller = {.poll = poll_replies,
                   .arm = arm_replies,
                   .disarm = disarm_replies,
                   .is_on = is_on},
        .model = model,
        .loop_index = loop_index,
    };
    hc_list_init(&side->guests);
}

void loop_side_finish(struct loop_side *side) {
    free(side->hosts);
}

void loop_side_expect(struct loop_side *side) {
    if (side->n_expected++ == 0) {
        hc_poller_activate(side->model->server->contexts[side->loop_index].loop, &side->poller);
    }
}

void loop_side_settle(struct loop_side *side) {
    if (--side->n_expected == 0) {
        hc_poller_deactivate(&side->poller);
    }
}

/* The control loop's side always listens: calls may come there at any time. */
static bool always_listens(const struct loop_side *side) {
    return side->loop_index == side->model->n_loops - 1;
}

/* Instances may be added while the model serves. */
static void make_room(struct loop_side *side, size_t index) {
    if (index >= side->n_hosts) {
        side->hosts = hc_realloc(side->hosts, (index + 1) * sizeof *side->hosts);
        memset(side->hosts + side->n_hosts, 0, (index + 1 - side->n_hosts) * sizeof *side->hosts);
        side->n_hosts = index + 1;
    }
}

void loop_side_adopt(struct loop_side *side, struct pyhost *host) {
    pyhost_ref(host);
    make_room(side, host->owner->instance->index);
    if (always_listens(side)) {
        loop_side_expect(side);
    }
    side->hosts[host->owner->instance->index].host = host;
}

/* Nobody waits there for what is on its way. */
static void forget(struct loop_side *side, struct pyhost *host) {
    calls_abandon(&host->links[side->loop_index]);
    hc_timer_stop(&host->links[side->loop_index].flush_timer);
}

void loop_side_drop(struct loop_side *side, struct pyhost *host) {
    struct side_host *side_host = &side->hosts[host->owner->instance->index];
    loop_side_drain_all(side, host);
    for (; side_host->n_executions > 0; side_host->n_executions--) {
        loop_side_settle(side);
    }
    if (always_listens(side)) {
        loop_side_settle(side);
    }
    forget(side, host);
    side_host->host = NULL;
    pyhost_unref(host);
}

void loop_side_adopt_guest(struct loop_side *side, struct pyhost *host) {
    pyhost_ref(host);
    loop_side_expect(side);
    hc_list_append(&side->guests, &host->guest_link);
}

void loop_side_drop_guest(struct loop_side *side, struct pyhost *host) {
    loop_side_drain_all(side, host);
    hc_list_remove(&host->guest_link);
    loop_side_settle(side);
    forget(side, host);
    pyhost_unref(host);
}
