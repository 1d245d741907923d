/*
 * Time: monotonic nanoseconds for durations and deadlines, wall-clock time for logs and statistics.
 */
#ifndef HC_BASE_CLOCK_H
#define HC_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define HC_NS_PER_S  UINT64_C(1000000000)
#define HC_NS_PER_MS UINT64_C(1000000)
#define HC_NS_PER_US UINT64_C(1000)

static inline uint64_t hc_clock_read_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * HC_NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Since an arbitrary start; comparable between the processes of one machine. */
static inline uint64_t hc_clock_ns(void) {
    return hc_clock_read_ns(CLOCK_MONOTONIC);
}

/* Since 1970. */
static inline uint64_t hc_clock_wall_ns(void) {
    return hc_clock_read_ns(CLOCK_REALTIME);
}

#endif
