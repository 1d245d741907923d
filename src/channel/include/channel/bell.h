/*
 * The bell of a pyhost: its main thread sleeps on one futex word whichever ring brings it work.
 *
 * hc_bell_prepare() declares sleep; the sleeper then looks at all its rings once more and calls
 * hc_bell_wait() or hc_bell_cancel(). Whoever has published something calls hc_bell_ring(), which
 * costs one load while nobody sleeps. It may be called ahead of the work: to wake up takes a while,
 * so a sleeper that was rung looks for work for some time. Sequentially consistent, as
 * channel/ring.h explains.
 *
 * Events (responses to a pyhost's own calls) may be waited for by any number of its threads. They
 * sleep on a counter: whoever has published an event calls hc_bell_announce(), and a waiter reads
 * the counter, looks for its event, and then calls hc_bell_await() with what it has read.
 */
#ifndef HC_CHANNEL_BELL_H
#define HC_CHANNEL_BELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* How long before its work a sleeper should be rung. */
#define HC_BELL_NOTICE_NS (100 * HC_NS_PER_US)

void hc_bell_prepare(_Atomic uint32_t *bell);
void hc_bell_cancel(_Atomic uint32_t *bell);

/* Sleep until rung, a signal arrives or LIMIT_NS (0: none) is over; false in the last case. */
bool hc_bell_wait(_Atomic uint32_t *bell, uint64_t limit_ns);

void hc_bell_ring(_Atomic uint32_t *bell);

void hc_bell_announce(_Atomic uint32_t *count, _Atomic uint32_t *n_waiters);

/* Sleep unless *COUNT is no longer SEEN; ends at an announcement, or when a signal arrives. */
void hc_bell_await(_Atomic uint32_t *count, _Atomic uint32_t *n_waiters, uint32_t seen);

#endif
