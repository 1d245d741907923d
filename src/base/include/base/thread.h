/*
 * Threads beside the main one.
 */
#ifndef HC_BASE_THREAD_H
#define HC_BASE_THREAD_H

#include <stdbool.h>

/* Have RUN(USER) run in a detached thread, which takes no signals; false: there is no room for one.
 */
bool hc_thread_start(void *(*run)(void *user), void *user);

#endif
