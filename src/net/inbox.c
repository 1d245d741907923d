/* The tasks that were posted to a loop. */
#include "inbox.h"

#include <stddef.h>

static struct hc_task asleep; /* only its address counts */

bool hc_inbox_push(struct hc_inbox *inbox, struct hc_task *task) {
    struct hc_task *last = atomic_load_explicit(&inbox->_last, memory_order_relaxed);
    do {
        task->_next = last == &asleep ? NULL : last;
        /* Release: pairs with the acquire in hc_inbox_take(). */
    } while (!atomic_compare_exchange_weak_explicit(&inbox->_last, &last, task,
                                                    memory_order_release, memory_order_relaxed));
    return last == &asleep;
}

struct hc_task *hc_inbox_take(struct hc_inbox *inbox) {
    if (hc_inbox_empty(inbox)) {
        return NULL;
    }
    struct hc_task *task = atomic_exchange_explicit(&inbox->_last, NULL, memory_order_acquire);
    struct hc_task *first = NULL;
    while (task != NULL) {
        struct hc_task *earlier = task->_next;
        task->_next = first;
        first = task;
        task = earlier;
    }
    return first;
}

bool hc_inbox_empty(const struct hc_inbox *inbox) {
    struct hc_task *last = atomic_load_explicit(&inbox->_last, memory_order_relaxed);
    return last == NULL || last == &asleep;
}

bool hc_inbox_sleep(struct hc_inbox *inbox) {
    struct hc_task *empty = NULL;
    return atomic_compare_exchange_strong(&inbox->_last, &empty, &asleep);
}

void hc_inbox_wake(struct hc_inbox *inbox) {
    struct hc_task *mark = &asleep;
    atomic_compare_exchange_strong(&inbox->_last, &mark, NULL);
}
