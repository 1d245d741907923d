/*
 * Event loops: one a thread, each with the connections, timers and rings that it owns.
 *
 * A loop turns: it waits for its descriptors, then calls what is ready in this order: watches,
 * timers, pollers, tasks. Everything but hc_loop_post(), hc_loop_stop(), hc_loop_index() and the
 * load belongs to the loop's thread (or, before the loop runs, to the thread that sets it up).
 * Nothing is allocated for watches, timers, pollers and tasks: callers embed the structs, zeroed
 * but for the fields without underscore, and keep them until they are stopped or have run. All of
 * them may be started, changed, stopped and, once stopped, freed from inside any callback, their
 * own included.
 */
#ifndef HC_NET_LOOP_H
#define HC_NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"

struct hc_loop;

/* INDEX is the caller's number for the loop. */
enum hc_code hc_loop_create(unsigned index, struct hc_loop **loop, struct hc_error *error);

/* Run in the calling thread until hc_loop_stop(). A loop runs once. */
void hc_loop_run(struct hc_loop *loop);

/* Run in a thread of its own, called NAME (cut after 15 bytes), in which all signals are blocked.
 */
enum hc_code hc_loop_start(struct hc_loop *loop, const char *name, struct hc_error *error);

/* Any thread: tasks posted before are still run. Those posted later may never be. */
void hc_loop_stop(struct hc_loop *loop);

/* Wait for the thread of hc_loop_start() to end; does nothing when there is none. */
void hc_loop_join(struct hc_loop *loop);

/* Not while it runs. What it watches and times must have been stopped. */
void hc_loop_destroy(struct hc_loop *loop);

/* The loop that runs in the calling thread, or NULL. */
struct hc_loop *hc_loop_current(void);

unsigned hc_loop_index(const struct hc_loop *loop);

/* The monotonic time when this turn's wait ended: costs nothing, exact enough for timeouts. */
uint64_t hc_loop_now_ns(const struct hc_loop *loop);

/*
 * Load: how many connections a loop has, counted by those who open and close them. Any thread.
 * hc_loop_least_loaded() picks the first of the N_LOOPS > 0 loops with the least.
 */
void hc_loop_add_load(struct hc_loop *loop, int difference);
unsigned hc_loop_load(const struct hc_loop *loop);
struct hc_loop *hc_loop_least_loaded(struct hc_loop *const *loops, size_t n_loops);

/*
 * Tasks: functions to be called once in the loop's thread, in the order in which they were posted.
 * One that is posted from the loop's own thread runs at the end of the turn, when no caller's frame
 * is left on the stack; this is the place to free what a callback may be part of. A task may be
 * posted again, or freed, as soon as its function was entered. Posting takes no lock, and a system
 * call only when the loop sleeps.
 */
struct hc_task {
    void (*run)(struct hc_task *task);
    struct hc_task *_next;
};

void hc_loop_post(struct hc_loop *loop, struct hc_task *task);

/*
 * Watches: a callback while (or, edge-triggered, when) a descriptor is ready. A failed descriptor
 * is reported readable and writable, so that reading or writing shows what is the matter. One watch
 * a descriptor. Stop it before closing the descriptor.
 */
enum {
    HC_WATCH_READ = 1,
    HC_WATCH_WRITE = 2,
    HC_WATCH_HANGUP = 4, /* the peer will send no more: readable, with the end in sight */
    HC_WATCH_EDGE = 8,   /* report changes, not states; not reported itself */
};

enum { HC_WATCH_EVENT_SIZE = 128 };

struct hc_watch {
    int fd;
    void (*on_ready)(struct hc_watch *watch, unsigned events);
    struct hc_loop *_loop; /* NULL: not started */
    _Alignas(16) unsigned char _event[HC_WATCH_EVENT_SIZE];
};

enum hc_code hc_watch_start(struct hc_loop *loop, struct hc_watch *watch, unsigned events,
                            struct hc_error *error);

/* Watch for other events; on failure the watch is stopped. */
enum hc_code hc_watch_change(struct hc_watch *watch, unsigned events, struct hc_error *error);

void hc_watch_stop(struct hc_watch *watch);

/*
 * Timers: one call at an absolute time of hc_clock_ns(), some microseconds late. Starting a started
 * timer moves it; moving it to a later time, as timeouts do with every sign of life, costs a store.
 * on_due may start the timer again; a time in the past is due in the next turn.
 */
struct hc_timer {
    void (*on_due)(struct hc_timer *timer);
    uint64_t _due_ns;
    struct hc_loop *_loop; /* NULL: not started */
    size_t _place;
};

void hc_timer_start(struct hc_loop *loop, struct hc_timer *timer, uint64_t due_ns);
void hc_timer_stop(struct hc_timer *timer);

static inline bool hc_timer_started(const struct hc_timer *timer) {
    return timer->_loop != NULL;
}

/*
 * Pollers: rings in shared memory, filled by others. While one is active its `poll` is called once
 * a turn and says whether it found work; as long as one does, the loop does not sleep. Before it
 * sleeps, `arm` asks the others to ring (a descriptor that the loop watches), and says whether work
 * turned up meanwhile, in which case the loop does not sleep either. `disarm` follows every `arm`,
 * when the loop is awake again or the poller is deactivated. `is_on` (may be NULL) says whether
 * somebody who works for the loop does so on that core, and changes nothing.
 */
struct hc_poller {
    bool (*poll)(struct hc_poller *poller);
    bool (*arm)(struct hc_poller *poller);
    void (*disarm)(struct hc_poller *poller);
    bool (*is_on)(struct hc_poller *poller, int core);
    struct hc_loop *_loop; /* NULL: not active */
    struct hc_list _link;
    bool _armed;
};

void hc_poller_activate(struct hc_loop *loop, struct hc_poller *poller);
void hc_poller_deactivate(struct hc_poller *poller);

/*
 * Spinning: between finding nothing and arming, a loop with active pollers may look again and again
 * for a while, which costs less than falling asleep and being woken. `begin` says for how many
 * nanoseconds at most, 0 for not at all. When it did not say 0, `end` follows as soon as the loop
 * spins no more, with whether anything turned up. `woke` (may be NULL) follows every `begin` when
 * the wait is over, whether the loop slept or not.
 */
struct hc_spin {
    uint64_t (*begin)(struct hc_spin *spin);
    void (*end)(struct hc_spin *spin, bool paid);
    void (*woke)(struct hc_spin *spin);
};

/* NULL, as at the start: never spin. SPIN is the caller's and outlives its use here. */
void hc_loop_set_spin(struct hc_loop *loop, struct hc_spin *spin);

#endif
