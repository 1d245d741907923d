/*
 * Whether the kernel kills for want of memory.
 */
#ifndef HC_BACKEND_PYTHON_OOM_H
#define HC_BACKEND_PYTHON_OOM_H

#include <stdint.h>

/* How often it has: in this container where it has memory of its own, else on this machine. */
uint64_t oom_count(void);

#endif
