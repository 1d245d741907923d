/*
 * The dynamic batcher: which of the waiting jobs run together, and when.
 *
 * A batch is a run of jobs from the head of the queue, of one signature and with no more rows than
 * are allowed. It is ready when waiting would not help, as Triton has it: when it has reached a
 * preferred size, when the next job does not fit, or when its oldest job has waited long enough.
 */
#ifndef HC_SCHED_BATCHER_H
#define HC_SCHED_BATCHER_H

#include "sched/queue.h"

struct hc_batcher_settings {
    uint64_t max_rows;             /* of a batch; 0: every job is a batch of its own */
    const int32_t *preferred_rows; /* sizes that are as good as the largest, in any order */
    size_t n_preferred;
    uint64_t delay_ns; /* that the oldest job may wait for company */
    struct hc_queue_settings queue;
};

struct hc_batcher {
    struct hc_queue queue;
    uint64_t max_rows;
    const int32_t *preferred_rows;
    size_t n_preferred;
    uint64_t largest_preferred;
    uint64_t delay_ns;
};

/* Arrays in SETTINGS must stay. */
void hc_batcher_init(struct hc_batcher *batcher, const struct hc_batcher_settings *settings);
void hc_batcher_finish(struct hc_batcher *batcher);

/*
 * Move the jobs of the next batch to BATCH, an empty list, if it is ready at NOW_NS. If not, say
 * when it will be without further jobs: UINT64_MAX when none waits. Jobs whose time is over should
 * have been dropped before, by hc_queue_expire().
 */
bool hc_batcher_take(struct hc_batcher *batcher, uint64_t now_ns, struct hc_list *batch,
                     uint64_t *ready_ns);

/*
 * The next job, taken out of the queue, if it may join a batch that has been taken and still waits
 * for its turn, with that many rows and FIRST as its first job; else NULL.
 */
struct hc_job *hc_batcher_take_joining(struct hc_batcher *batcher, const struct hc_job *first,
                                       uint64_t rows);

#endif
