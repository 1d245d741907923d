/* Rings that a loop looks at, how it goes to sleep over them, and how long it spins before. */
#include <sched.h>

#include "base/clock.h"
#include "loop_internal.h"

/* While spinning, the sockets are looked at this often: one system call, half a microsecond. */
static const uint64_t look_interval_ns = 10 * HC_NS_PER_US;

static struct hc_poller *poller_of(struct hc_list *link) {
    return hc_list_item(link, struct hc_poller, _link);
}

void hc_poller_activate(struct hc_loop *loop, struct hc_poller *poller) {
    if (poller->_loop == NULL) {
        poller->_loop = loop;
        hc_list_append(&loop->pollers, &poller->_link);
    }
}

static void disarm(struct hc_poller *poller) {
    if (poller->_armed) {
        poller->_armed = false;
        poller->disarm(poller);
    }
}

void hc_poller_deactivate(struct hc_poller *poller) {
    struct hc_loop *loop = poller->_loop;
    if (loop != NULL) {
        if (loop->next_poller == &poller->_link) {
            loop->next_poller = poller->_link.next;
        }
        hc_list_remove(&poller->_link);
        poller->_loop = NULL;
        disarm(poller);
    }
}

/* The walks over the pollers: callbacks may deactivate any of them. */
#define each_poller(link, loop)                                                                    \
    for (struct hc_list *link = (loop)->pollers.next;                                              \
         (loop)->next_poller = link->next, link != &(loop)->pollers; link = (loop)->next_poller)

bool hc_loop_poll(struct hc_loop *loop) {
    bool found = false;
    each_poller(link, loop) {
        struct hc_poller *poller = poller_of(link);
        found |= poller->poll(poller);
    }
    return found;
}

bool hc_loop_arm(struct hc_loop *loop) {
    bool found = false;
    each_poller(link, loop) {
        struct hc_poller *poller = poller_of(link);
        poller->_armed = true;
        found |= poller->arm(poller);
    }
    return !found;
}

void hc_loop_disarm(struct hc_loop *loop) {
    each_poller(link, loop) {
        disarm(poller_of(link));
    }
}

/*
 * Look at everything that may bring work until something does or it is END_NS. Whoever else wants
 * the core has it first: it may well be the one that is waited for. NOW_NS becomes the time of the
 * last look.
 */
static bool spin_until(struct hc_loop *loop, uint64_t end_ns, uint64_t *now_ns) {
    uint64_t look_ns = *now_ns + look_interval_ns;
    while (*now_ns < end_ns && !hc_list_empty(&loop->pollers)) {
        if (hc_loop_poll(loop) || !hc_inbox_empty(&loop->inbox) ||
            hc_timers_next_ns(&loop->timers) <= *now_ns) {
            return true;
        }
        if (*now_ns >= look_ns) {
            unsigned n_before = loop->n_calls;
            hc_loop_look(loop, false);
            if (loop->n_calls != n_before) {
                return true;
            }
            look_ns = *now_ns + look_interval_ns;
        }
        sched_yield();
        *now_ns = hc_clock_ns();
    }
    return false;
}

bool hc_loop_spin(struct hc_loop *loop) {
    if (loop->spin == NULL || hc_list_empty(&loop->pollers)) {
        return false;
    }
    bool paid = false;
    uint64_t budget_ns = loop->spin->begin(loop->spin);
    if (budget_ns > 0) {
        uint64_t began_ns = hc_clock_ns();
        uint64_t now_ns = began_ns;
        hc_affinity_spin_begins(&loop->affinity, began_ns);
        paid = spin_until(loop, began_ns + budget_ns, &now_ns);
        hc_affinity_spun(&loop->affinity, began_ns, now_ns);
        loop->spin->end(loop->spin, paid);
    }
    loop->spin_waits = true;
    return paid;
}

/* This may happen in the middle of another walk, from a callback that reads. */
static bool is_served_on(struct hc_loop *loop, int core) {
    hc_list_each (link, &loop->pollers) {
        struct hc_poller *poller = poller_of(link);
        if (poller->is_on != NULL && poller->is_on(poller, core)) {
            return true;
        }
    }
    return false;
}

void hc_loop_see_input(struct hc_loop *loop, int fd) {
    if (!loop->affinity.wanted) {
        return;
    }
    loop->affinity.wanted = false;
    int core = hc_affinity_input_core(fd);
    int own_core = sched_getcpu();
    bool apart =
        core >= 0 && core != own_core && (is_served_on(loop, core) || is_served_on(loop, own_core));
    if (hc_affinity_judge(&loop->affinity, apart, loop->now_ns)) {
        hc_affinity_move(core);
    }
}

void hc_loop_set_spin(struct hc_loop *loop, struct hc_spin *spin) {
    loop->spin = spin;
    loop->spin_waits = false;
}
