/* The timers of a loop: a heap of four children a node, whose entries hold the times themselves. */
#include "timers.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { N_CHILDREN = 4, MIN_CAPACITY = 64 };

struct hc_timers_entry {
    uint64_t key_ns; /* at most the timer's _due_ns */
    struct hc_timer *timer;
};

void hc_timers_finish(struct hc_timers *timers) {
    free(timers->_entries);
    *timers = (struct hc_timers){0};
}

static void put(struct hc_timers *timers, size_t place, struct hc_timers_entry entry) {
    timers->_entries[place] = entry;
    entry.timer->_place = place;
}

static void rise(struct hc_timers *timers, size_t place, struct hc_timers_entry entry) {
    while (place > 0) {
        size_t parent = (place - 1) / N_CHILDREN;
        if (timers->_entries[parent].key_ns <= entry.key_ns) {
            break;
        }
        put(timers, place, timers->_entries[parent]);
        place = parent;
    }
    put(timers, place, entry);
}

/* The child of PLACE with the earliest time; the heap's size when it has none. */
static size_t first_child(const struct hc_timers *timers, size_t place) {
    size_t child = place * N_CHILDREN + 1;
    if (child >= timers->_n) {
        return timers->_n;
    }
    size_t end = child + N_CHILDREN < timers->_n ? child + N_CHILDREN : timers->_n;
    size_t first = child;
    for (size_t i = child + 1; i < end; i++) {
        if (timers->_entries[i].key_ns < timers->_entries[first].key_ns) {
            first = i;
        }
    }
    return first;
}

static void sink(struct hc_timers *timers, size_t place, struct hc_timers_entry entry) {
    for (;;) {
        size_t child = first_child(timers, place);
        if (child == timers->_n || timers->_entries[child].key_ns >= entry.key_ns) {
            break;
        }
        put(timers, place, timers->_entries[child]);
        place = child;
    }
    put(timers, place, entry);
}

void hc_timers_add(struct hc_timers *timers, struct hc_timer *timer, uint64_t due_ns) {
    if (timers->_n == timers->_capacity) {
        size_t capacity = timers->_capacity > 0 ? timers->_capacity * 2 : MIN_CAPACITY;
        timers->_entries = hc_realloc(timers->_entries, capacity * sizeof(struct hc_timers_entry));
        timers->_capacity = capacity;
    }
    timer->_due_ns = due_ns;
    rise(timers, timers->_n++, (struct hc_timers_entry){due_ns, timer});
}

void hc_timers_move(struct hc_timers *timers, struct hc_timer *timer, uint64_t due_ns) {
    timer->_due_ns = due_ns;
    if (due_ns < timers->_entries[timer->_place].key_ns) {
        rise(timers, timer->_place, (struct hc_timers_entry){due_ns, timer});
    }
}

void hc_timers_remove(struct hc_timers *timers, struct hc_timer *timer) {
    size_t place = timer->_place;
    assert(place < timers->_n && timers->_entries[place].timer == timer);
    struct hc_timers_entry last = timers->_entries[--timers->_n];
    if (last.timer == timer) {
        return;
    }
    if (last.key_ns < timers->_entries[place].key_ns) {
        rise(timers, place, last);
    } else {
        sink(timers, place, last);
    }
}

uint64_t hc_timers_next_ns(const struct hc_timers *timers) {
    return timers->_n > 0 ? timers->_entries[0].key_ns : UINT64_MAX;
}

struct hc_timer *hc_timers_pop(struct hc_timers *timers, uint64_t now_ns, size_t *n_looks) {
    while (hc_timers_next_ns(timers) <= now_ns && *n_looks > 0) {
        --*n_looks;
        struct hc_timer *timer = timers->_entries[0].timer;
        if (timer->_due_ns == timers->_entries[0].key_ns) {
            hc_timers_remove(timers, timer);
            return timer;
        }
        sink(timers, 0, (struct hc_timers_entry){timer->_due_ns, timer});
    }
    return NULL;
}
