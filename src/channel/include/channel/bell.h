/*
 * The bell of a pyhost: its main thread sleeps on one futex word whichever ring brings it work.
 *
 * hc_bell_prepare() declares sleep; the sleeper then looks at all its rings once more and calls
 * hc_bell_wait() or hc_bell_cancel(). Whoever has published something calls hc_bell_ring(), which
 * costs one load while nobody sleeps. Sequentially consistent, as channel/ring.h explains.
 */
#ifndef HC_CHANNEL_BELL_H
#define HC_CHANNEL_BELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

void hc_bell_prepare(_Atomic uint32_t *bell);
void hc_bell_cancel(_Atomic uint32_t *bell);

/* Sleep until rung, a signal arrives or LIMIT_NS (0: none) is over; false in the last case. */
bool hc_bell_wait(_Atomic uint32_t *bell, uint64_t limit_ns);

void hc_bell_ring(_Atomic uint32_t *bell);

#endif
