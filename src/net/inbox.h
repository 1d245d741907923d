/*
 * The tasks that were posted to a loop: a stack that any thread pushes to and the loop empties.
 *
 * One atomic word says everything: NULL for empty, a mark for "empty, and the loop sleeps", or the
 * task posted last. The thread that replaces the mark, and no other, has to wake the loop.
 */
#ifndef HC_NET_INBOX_H
#define HC_NET_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>

#include "net/loop.h"

struct hc_inbox {
    _Atomic(struct hc_task *) _last;
};

/* Any thread. True when the loop sleeps and must be woken by the caller. */
bool hc_inbox_push(struct hc_inbox *inbox, struct hc_task *task);

/* The rest is for the loop's thread. All tasks, linked by _next, the one posted first in front. */
struct hc_task *hc_inbox_take(struct hc_inbox *inbox);

bool hc_inbox_empty(const struct hc_inbox *inbox);

/* Declare sleep: false when there are tasks. */
bool hc_inbox_sleep(struct hc_inbox *inbox);
void hc_inbox_wake(struct hc_inbox *inbox);

#endif
