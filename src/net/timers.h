/*
 * The timers of a loop: a heap by time, and no clock of its own.
 *
 * A timer that is moved to a later time stays where it is; it is put right when its old time comes.
 * So a timeout that every request pushes back costs the request a store, and the heap one move per
 * timeout.
 */
#ifndef HC_NET_TIMERS_H
#define HC_NET_TIMERS_H

#include "net/loop.h"

struct hc_timers_entry;

/* Zeroed is empty. */
struct hc_timers {
    struct hc_timers_entry *_entries;
    size_t _n;
    size_t _capacity;
};

void hc_timers_finish(struct hc_timers *timers);

/* The timer's _loop says whether it is among them, and is the caller's to set. */
void hc_timers_add(struct hc_timers *timers, struct hc_timer *timer, uint64_t due_ns);
void hc_timers_move(struct hc_timers *timers, struct hc_timer *timer, uint64_t due_ns);
void hc_timers_remove(struct hc_timers *timers, struct hc_timer *timer);

/* When to look next: no timer is due before. UINT64_MAX without timers. */
uint64_t hc_timers_next_ns(const struct hc_timers *timers);

/*
 * Take out a timer that is due at NOW_NS, the earliest first; NULL when there is none. *N_LOOKS
 * bounds how many entries are looked at and counts down, so that a caller who begins with
 * hc_timers_count() comes to an end even when callbacks start timers that are due already.
 */
struct hc_timer *hc_timers_pop(struct hc_timers *timers, uint64_t now_ns, size_t *n_looks);

static inline size_t hc_timers_count(const struct hc_timers *timers) {
    return timers->_n;
}

#endif
