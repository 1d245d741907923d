/*
 * Jobs: what a scheduler schedules, one a request.
 *
 * A job is embedded in its request, whose owner fills in the public part, zeroes the rest, and
 * keeps it until the job has left the scheduler. The library is pure logic: nothing here locks,
 * waits or looks at a clock. Times are nanoseconds of a clock that is the caller's; each call gets
 * the time by that clock, which never goes back.
 */
#ifndef HC_SCHED_JOB_H
#define HC_SCHED_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/text.h"
#include "sched/heap.h"

struct hc_queue_level;
struct hc_sequence;

struct hc_job {
    /* The owner's. */
    uint32_t rows;            /* what it adds to the size of a batch, at least 1 */
    uint64_t priority;        /* 1: the most urgent; 0: that of jobs which do not say */
    uint64_t timeout_ns;      /* that the client asks for; 0: none */
    struct hc_text signature; /* jobs with different ones are not for the same batch */
    struct hc_text name;      /* of the sequence that it is part of */
    bool starts;              /* that sequence */
    bool ends;

    /* The scheduler's. */
    uint64_t enqueued_ns;
    struct hc_list link; /* in a queue or an execution; among those that were dropped */
    struct hc_heap_item deadline;
    struct hc_queue_level *level; /* NULL: in no queue */
    struct hc_sequence *sequence; /* NULL: part of none */
    uint32_t slot;                /* of the sequence */
};

static inline struct hc_job *hc_job_of(struct hc_list *link) {
    return hc_list_item(link, struct hc_job, link);
}

/* The first job of a list, taken out of it; NULL when it is empty. */
static inline struct hc_job *hc_job_pop(struct hc_list *list) {
    struct hc_list *link = hc_list_pop(list);
    return link == NULL ? NULL : hc_job_of(link);
}

#endif
