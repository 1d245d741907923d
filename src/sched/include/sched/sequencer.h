/*
 * The sequence batcher: jobs of one sequence go to one instance, one after the other.
 *
 * A sequence begins with a job that starts it, ends with one that ends it, or when it has been idle
 * for too long, and has a *slot* of an instance meanwhile. One that finds no slot free waits with
 * its jobs for one (the *backlog*), in the order of arrival; where jobs have a timeout, not longer
 * than the shortest.
 *
 * Direct: an instance runs one job of each of its slots that has any as a batch, in which each
 * slot has its place. Oldest: the next job of each of an instance's sequences goes into a batcher
 * of the instance's own (sched/batcher.h).
 */
#ifndef HC_SCHED_SEQUENCER_H
#define HC_SCHED_SEQUENCER_H

#include "sched/batcher.h"

struct hc_sequencer_settings {
    size_t n_instances;
    uint32_t n_slots; /* of each instance, at least 1 */
    uint64_t idle_ns; /* after so long without a job a sequence is given up */
    bool direct;
    double least_utilization; /* direct: the part of the slots that makes waiting needless */
    bool implicit;            /* every job may start its sequence, whether it says so or not */
    struct hc_batcher_settings batches; /* direct: of which delay_ns counts */
    void (*on_end)(void *user,
                   void *owned); /* a sequence has ended, of which the owner had OWNED */
    void *user;
};

struct hc_sequence;
struct hc_sequencer_instance;

struct hc_sequencer {
    size_t n_jobs;          /* that wait, anywhere */
    struct hc_list dropped; /* jobs that waited for a slot for too long */
    struct hc_sequencer_settings _settings;
    struct hc_sequencer_instance **_instances;
    size_t _n_instances;
    struct hc_sequence *_by_name; /* those that may get more jobs */
    struct hc_heap _free_slots;
    struct hc_heap _deadlines; /* of sequences in the backlog */
    struct hc_list _backlog;
    struct hc_list _idle; /* with a slot and no job, the longest idle first */
};

void hc_sequencer_init(struct hc_sequencer *sequencer,
                       const struct hc_sequencer_settings *settings);

/* No job is in it. */
void hc_sequencer_finish(struct hc_sequencer *sequencer);

/* One more instance, with the next index, which is closed. */
void hc_sequencer_extend(struct hc_sequencer *sequencer);

/*
 * New sequences may come to INSTANCE; or no longer, though those that it has go on. It is vacant
 * when the last of them has ended.
 */
void hc_sequencer_open(struct hc_sequencer *sequencer, size_t instance, uint64_t now_ns);
void hc_sequencer_close(struct hc_sequencer *sequencer, size_t instance);
bool hc_sequencer_is_vacant(const struct hc_sequencer *sequencer, size_t instance);

/* Add a job of the sequence that it names; false when there is none and the job starts none. */
bool hc_sequencer_add(struct hc_sequencer *sequencer, struct hc_job *job, uint64_t now_ns);

/*
 * Move the jobs that INSTANCE is to run next to BATCH, an empty list. False: none now; *READY_NS is
 * when to ask again, if nothing happens. Direct: each job's slot is its place in the batch, which
 * has *N_PLACES, more than jobs where slots before the last of them have nothing to do.
 */
bool hc_sequencer_take(struct hc_sequencer *sequencer, size_t instance, uint64_t now_ns,
                       struct hc_list *batch, size_t *n_places, uint64_t *ready_ns);

/* Whether a job waits for its turn on INSTANCE, now or after a delay. */
bool hc_sequencer_has_for(const struct hc_sequencer *sequencer, size_t instance);

/* A job that was taken is done; the next one of its sequence may be taken. */
void hc_sequencer_done(struct hc_sequencer *sequencer, struct hc_job *job, uint64_t now_ns);

/* A job that was taken wants to run again, before others of its sequence. */
void hc_sequencer_put_back(struct hc_sequencer *sequencer, struct hc_job *job, uint64_t now_ns);

/* A waiting job goes away. */
void hc_sequencer_remove(struct hc_sequencer *sequencer, struct hc_job *job, uint64_t now_ns);

/*
 * What the owner keeps for the sequence of JOB, which has been taken and is not done: any pointer,
 * NULL at first. When the sequence ends and it is not NULL, the settings' on_end() is called.
 */
void **hc_sequencer_owned(struct hc_job *job);

/*
 * A waiting job is given up, and with it its sequence, which cannot go on without it: the other
 * jobs of it that wait are moved to DROPPED, and no more may come unless one starts it again.
 */
void hc_sequencer_cancel(struct hc_sequencer *sequencer, struct hc_job *job, uint64_t now_ns,
                         struct hc_list *dropped);

/* Some job that waits; NULL when there is none. */
struct hc_job *hc_sequencer_first(const struct hc_sequencer *sequencer);

/*
 * Give up idle sequences, so that others get their slots, and those that have waited for one for
 * too long, whose jobs are dropped. Any other call may drop some as well.
 */
void hc_sequencer_expire(struct hc_sequencer *sequencer, uint64_t now_ns);

/* When hc_sequencer_expire() has something to do that others wait for; UINT64_MAX: never. */
uint64_t hc_sequencer_expiry_ns(const struct hc_sequencer *sequencer);

#endif
