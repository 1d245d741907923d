/* Spinning: seats on a board, an estimate of each waiter's waits, and trials. */
#include "channel/spin.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

/* Waits expected to be longer than this are slept through, */
static const uint64_t spin_worth_ns = 250 * HC_NS_PER_US;

/* and longer than this in trials, too. */
static const uint64_t trial_worth_ns = 800 * HC_NS_PER_US;

/* How long a trial takes, and how often there is one. */
static const uint64_t trial_ns = 5 * HC_NS_PER_MS;
static const uint64_t trial_interval_ns = 25 * HC_NS_PER_MS;

/* Expectations end here, so that a pause does not outweigh a dozen quick requests. */
static const uint64_t most_expected_ns = 1000 * HC_NS_PER_US;

/* The quota of this process's control group in cores, or 0 when it has none (cgroup v2). */
static unsigned quota_cores(void) {
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (file == NULL) {
        return 0;
    }
    char line[64] = "";
    char *period_text = line;
    bool read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    unsigned long quota = strtoul(line, &period_text, 10); /* "max" reads as 0 */
    unsigned long period = strtoul(period_text, NULL, 10);
    if (!read || quota == 0 || period == 0) {
        return 0;
    }
    unsigned long cores = (quota + period - 1) / period;
    return cores > UINT16_MAX ? UINT16_MAX : (unsigned)cores;
}

unsigned hc_spin_usable_cores(void) {
    cpu_set_t cores;
    unsigned n = 1;
    if (sched_getaffinity(0, sizeof cores, &cores) == 0 && CPU_COUNT(&cores) > 0) {
        n = (unsigned)CPU_COUNT(&cores);
    }
    unsigned quota = quota_cores();
    return quota > 0 && quota < n ? quota : n;
}

unsigned hc_spin_seats(void) {
    unsigned cores = hc_spin_usable_cores();
    return quota_cores() == 0 ? cores : cores - 1;
}

static bool take_seat(struct hc_spin_board *board) {
    uint32_t taken = atomic_load_explicit(&board->n_taken, memory_order_relaxed);
    while (taken < board->n_seats) {
        if (atomic_compare_exchange_weak_explicit(&board->n_taken, &taken, taken + 1,
                                                  memory_order_relaxed, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

static void give_seat(struct hc_spin_board *board) {
    uint32_t taken = atomic_load_explicit(&board->n_taken, memory_order_relaxed);
    while (taken > 0 &&
           !atomic_compare_exchange_weak_explicit(&board->n_taken, &taken, taken - 1,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

bool hc_spin_begin_announced(struct hc_spinner *spinner) {
    if (spinner->board == NULL || !take_seat(spinner->board)) {
        return false;
    }
    spinner->_seated = true;
    if (spinner->seat != NULL) {
        atomic_store_explicit(spinner->seat, 1, memory_order_relaxed);
    }
    return true;
}

/* Whether there is a trial, which begins now when the last one is long ago. */
static bool is_trial(struct hc_spin_board *board, uint64_t now_ns) {
    uint64_t since_ns = now_ns - atomic_load_explicit(&board->trial_began_ns, memory_order_relaxed);
    if (since_ns >= trial_interval_ns) {
        atomic_store_explicit(&board->trial_began_ns, now_ns, memory_order_relaxed);
        return true;
    }
    return since_ns < trial_ns;
}

static bool pays(const struct hc_spinner *spinner, uint64_t now_ns) {
    return spinner->expected_ns <= spin_worth_ns ||
           (spinner->board != NULL && spinner->expected_ns <= trial_worth_ns &&
            is_trial(spinner->board, now_ns));
}

uint64_t hc_spin_begin(struct hc_spinner *spinner, uint64_t now_ns) {
    spinner->_began_ns = now_ns;
    if (!pays(spinner, now_ns) || !hc_spin_begin_announced(spinner)) {
        return 0;
    }
    return 2 * spinner->expected_ns + 5 * HC_NS_PER_US;
}

void hc_spin_stop(struct hc_spinner *spinner) {
    if (!spinner->_seated) {
        return;
    }
    spinner->_seated = false;
    if (spinner->seat != NULL) {
        atomic_store_explicit(spinner->seat, 0, memory_order_relaxed);
    }
    give_seat(spinner->board);
}

void hc_spin_end(struct hc_spinner *spinner, uint64_t now_ns) {
    hc_spin_stop(spinner);
    uint64_t *expected_ns = &spinner->expected_ns;
    if (now_ns - spinner->_began_ns > *expected_ns) {
        *expected_ns += *expected_ns / 8 + HC_NS_PER_US;
    } else {
        *expected_ns -= *expected_ns / 8;
    }
    if (*expected_ns > most_expected_ns) {
        *expected_ns = most_expected_ns;
    }
}

void hc_spin_forget(struct hc_spin_board *board, _Atomic uint32_t *seat) {
    if (atomic_exchange_explicit(seat, 0, memory_order_relaxed) == 1) {
        give_seat(board);
    }
}
