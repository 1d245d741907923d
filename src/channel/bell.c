/* The bell of a pyhost: a futex shared between processes. */
#include "channel/bell.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

void hc_bell_prepare(_Atomic uint32_t *bell) {
    atomic_store(bell, 1);
}

void hc_bell_cancel(_Atomic uint32_t *bell) {
    atomic_store(bell, 0);
}

void hc_bell_wait(_Atomic uint32_t *bell) {
    syscall(SYS_futex, bell, FUTEX_WAIT, 1, NULL, NULL, 0);
    atomic_store(bell, 0);
}

void hc_bell_ring(_Atomic uint32_t *bell) {
    if (atomic_load(bell) != 0 && atomic_exchange(bell, 0) != 0) {
        syscall(SYS_futex, bell, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}
