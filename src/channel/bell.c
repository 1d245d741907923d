/* The bell of a pyhost: a futex shared between processes. */
#include "channel/bell.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

void hc_bell_prepare(_Atomic uint32_t *bell) {
    atomic_store(bell, 1);
}

void hc_bell_cancel(_Atomic uint32_t *bell) {
    atomic_store(bell, 0);
}

bool hc_bell_wait(_Atomic uint32_t *bell, uint64_t limit_ns) {
    const struct timespec limit = {.tv_sec = (time_t)(limit_ns / HC_NS_PER_S),
                                   .tv_nsec = (long)(limit_ns % HC_NS_PER_S)};
    long result = syscall(SYS_futex, bell, FUTEX_WAIT, 1, limit_ns > 0 ? &limit : NULL, NULL, 0);
    bool over = result != 0 && errno == ETIMEDOUT;
    atomic_store(bell, 0);
    return !over;
}

void hc_bell_ring(_Atomic uint32_t *bell) {
    if (atomic_load(bell) != 0 && atomic_exchange(bell, 0) != 0) {
        syscall(SYS_futex, bell, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

void hc_bell_announce(_Atomic uint32_t *count, _Atomic uint32_t *n_waiters) {
    atomic_fetch_add(count, 1);
    if (atomic_load(n_waiters) != 0) {
        syscall(SYS_futex, count, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    }
}

void hc_bell_await(_Atomic uint32_t *count, _Atomic uint32_t *n_waiters, uint32_t seen) {
    atomic_fetch_add(n_waiters, 1);
    syscall(SYS_futex, count, FUTEX_WAIT, seen, NULL, NULL, 0);
    atomic_fetch_sub(n_waiters, 1);
}
