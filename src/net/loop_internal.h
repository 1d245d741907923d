/* What the files that make up the loop share: loop.c, watch.c, pollers.c. */
#ifndef HC_NET_LOOP_INTERNAL_H
#define HC_NET_LOOP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "affinity.h"
#include "inbox.h"
#include "net/loop.h"
#include "timers.h"

struct event_base;

struct hc_loop {
    struct event_base *base;
    unsigned index;
    uint64_t now_ns;
    bool stopped;     /* leave hc_loop_run() at the end of the turn */
    bool asleep;      /* from before the pollers are armed until the wait has ended */
    bool waited;      /* the current wait has ended: now_ns is fresh */
    unsigned n_calls; /* of watches, wrapping */

    struct hc_inbox inbox;
    struct hc_watch bell; /* an eventfd; edge-triggered, so nobody reads it */

    struct hc_timers timers;
    struct hc_watch alarm; /* a timerfd, edge-triggered */
    uint64_t alarm_due_ns; /* UINT64_MAX: not set */

    struct hc_list pollers;
    struct hc_list *next_poller; /* of the walk over them that is under way */
    struct hc_spin *spin;
    bool spin_waits; /* `begin` was called, and `woke` is to follow */
    struct hc_affinity affinity;

    atomic_uint load;
    atomic_bool stopping;
    struct hc_task stop_task;
    pthread_t thread;
    bool has_thread;
};

/*
 * watch.c: libevent. hc_loop_look() calls the watches that are ready, after waiting for one when it
 * MAY_SLEEP; hc_loop_wait_ended() comes before the first of them.
 */
enum hc_code hc_loop_base_create(struct event_base **base, struct hc_error *error);
void hc_loop_base_destroy(struct event_base *base);
void hc_loop_look(struct hc_loop *loop, bool may_sleep);

/* loop.c */
void hc_loop_wait_ended(struct hc_loop *loop);

/* pollers.c: what `poll` found; what a spin found; whether nothing has come and sleep is safe. */
bool hc_loop_poll(struct hc_loop *loop);
bool hc_loop_spin(struct hc_loop *loop);
bool hc_loop_arm(struct hc_loop *loop);
void hc_loop_disarm(struct hc_loop *loop);

/* pollers.c: socket FD has input. */
void hc_loop_see_input(struct hc_loop *loop, int fd);

#endif
