/*
 * Spinning: when a thread may burn cycles instead of going to sleep.
 *
 * A wake-up costs tens of microseconds, looking at a ring again a fraction of one; but a thread
 * that spins takes a core from somebody. So whoever spins yields the core every few looks, which
 * costs little when nobody wants it; only as many threads of the server and all its pyhosts spin at
 * a time as there are *seats* on a board that all of them map; and each waiter keeps an estimate of
 * how long its waits are and does not even ask for a seat when they are long. An idle server
 * therefore uses no CPU.
 *
 * The estimate is the median, which a few waits in a row that are interrupted by something else do
 * not move much. One thing it cannot see: waits may be long only because all the others sleep, too,
 * and each has to be woken. So now and then there is a *trial*, of which the board tells: for a few
 * milliseconds those spin, too, whose waits are a little too long, and if these get shorter by it
 * they go on spinning.
 *
 * The board is in memory that any pyhost may spoil; the worst that comes of it is too much or too
 * little spinning.
 */
#ifndef HC_CHANNEL_SPIN_H
#define HC_CHANNEL_SPIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* In shared memory; zeroed but for n_seats. */
struct hc_spin_board {
    uint32_t n_seats;
    _Alignas(64) _Atomic uint32_t n_taken;
    _Atomic uint64_t trial_began_ns; /* the last one */
};

/* Cores that this process may use: its affinity and its control group's quota, at least 1. */
unsigned hc_spin_usable_cores(void);

/* Seats for them: one a core, but one less under a quota, which spinning uses up like work. */
unsigned hc_spin_seats(void);

/* One waiter. Zeroed apart from the pointers; used by one thread at a time. */
struct hc_spinner {
    struct hc_spin_board *board;
    _Atomic uint32_t *seat; /* set to 1 while this waiter spins; NULL: nobody needs to know */
    uint64_t expected_ns;   /* moving median of the time between the begin and end of a wait */
    uint64_t _began_ns;
    bool _seated;
};

/*
 * A wait begins at NOW_NS. Returns for how many nanoseconds to spin: 0 when waits have been too
 * long of late or no seat is free.
 */
uint64_t hc_spin_begin(struct hc_spinner *spinner, uint64_t now_ns);

/*
 * What is waited for has been announced: whether to spin for it, however long waits have been.
 * False when no seat is free.
 */
bool hc_spin_begin_announced(struct hc_spinner *spinner);

/* No more spinning; the wait may go on asleep. Gives the seat back; harmless without one. */
void hc_spin_stop(struct hc_spinner *spinner);

/* The wait is over: what it waited for came. */
void hc_spin_end(struct hc_spinner *spinner, uint64_t now_ns);

/* Give back the seat that a process held when it died. */
void hc_spin_forget(struct hc_spin_board *board, _Atomic uint32_t *seat);

/* What a spinning thread does between two looks. */
static inline void hc_spin_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
