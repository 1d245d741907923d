/*
 * Queues: jobs that wait, in the order in which they are to be run.
 *
 * More urgent levels come first, however long others wait; within a level jobs keep the order in
 * which they were added. Each level has a policy: how many jobs may wait, and what becomes of one
 * that waits too long, which is dropped (put on the list of dropped jobs, for the owner to answer)
 * or put behind all others of its level, for good and without a deadline.
 */
#ifndef HC_SCHED_QUEUE_H
#define HC_SCHED_QUEUE_H

#include "sched/job.h"

struct hc_queue_policy {
    size_t max_size;     /* jobs that may wait; 0: any number */
    uint64_t timeout_ns; /* 0: none */
    bool may_shorten;    /* a job's own timeout counts when it is shorter than this one */
    bool delays;         /* a job that waits too long goes behind the others; else: is dropped */
};

struct hc_queue_exception {
    uint64_t level;
    struct hc_queue_policy policy;
};

struct hc_queue_settings {
    uint64_t n_levels;      /* at least 1 */
    uint64_t default_level; /* of jobs that name none, or one that there is not; at least 1 */
    struct hc_queue_policy policy;
    const struct hc_queue_exception *exceptions; /* levels with a policy of their own */
    size_t n_exceptions;
};

struct hc_queue_level;

struct hc_queue {
    struct hc_queue_settings settings;
    size_t n_jobs;
    struct hc_list dropped;          /* jobs that waited too long */
    struct hc_queue_level **_levels; /* those in use, the most urgent first */
    size_t _n_levels;
    struct hc_heap _deadlines;
};

/* SETTINGS are copied but for the exceptions, which must stay. */
void hc_queue_init(struct hc_queue *queue, const struct hc_queue_settings *settings);

/* Jobs that are still in it are the owner's. */
void hc_queue_finish(struct hc_queue *queue);

/* Add a job at NOW_NS; false when its level is full. */
bool hc_queue_add(struct hc_queue *queue, struct hc_job *job, uint64_t now_ns);

/*
 * Put back a job that was taken out before, in front of the others of its level. Several are put
 * back in reverse order. It is never refused; its deadline is what it was, if it has not been
 * moved behind the others before.
 */
void hc_queue_put_back(struct hc_queue *queue, struct hc_job *job);

/* Take a job out that waits in the queue. */
void hc_queue_remove(struct hc_queue *queue, struct hc_job *job);

/* Drop or move those whose deadline is at or before NOW_NS. */
void hc_queue_expire(struct hc_queue *queue, uint64_t now_ns);

/* The next deadline; UINT64_MAX when there is none. */
static inline uint64_t hc_queue_deadline_ns(const struct hc_queue *queue) {
    return hc_heap_first_key(&queue->_deadlines);
}

/* The waiting jobs in their order; NULL at the end. */
struct hc_job *hc_queue_first(const struct hc_queue *queue);
struct hc_job *hc_queue_next(const struct hc_queue *queue, const struct hc_job *job);

#endif
