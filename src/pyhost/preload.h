/*
 * After a model's preload: whether the process can be forked.
 *
 * fork() copies the calling thread alone, and no state of a GPU. So a preload that leaves threads
 * running, or has opened a GPU, is refused; OpenBLAS, whose threads come back by themselves in a
 * child, may have some.
 */
#ifndef HC_PYHOST_PRELOAD_H
#define HC_PYHOST_PRELOAD_H

#include <stdbool.h>

/* False with an exception that says what is in the way. */
bool hc_preload_check(void);

#endif
