/*
 * What the files of the sequence batcher know of each other.
 *
 *   sequencer.c       names, slots, and the lives of sequences
 *   sequencer_take.c  turns: which jobs run next
 */
#ifndef HC_SCHED_SEQUENCER_INTERNAL_H
#define HC_SCHED_SEQUENCER_INTERNAL_H

#include <uthash.h>

#include "sched/sequencer.h"

struct hc_sequence {
    UT_hash_handle hh;
    struct hc_list link;            /* in the backlog, or among the idle */
    struct hc_heap_item deadline;   /* in the backlog, where a job says how long it may wait */
    struct hc_sequencer_slot *slot; /* NULL: in the backlog */
    struct hc_list jobs;            /* that wait for their turn */
    bool named;                     /* more jobs may come */
    bool busy;                      /* a job has been taken, or is in the instance's batcher */
    struct hc_job *released;        /* that one, while it is there */
    uint64_t idle_since_ns;
    void *owned; /* the owner's */
    size_t name_size;
    char name[];
};

struct hc_sequencer_slot {
    struct hc_heap_item item; /* while it is free */
    size_t instance;
    uint32_t index;
    struct hc_sequence *sequence;
};

struct hc_sequencer_instance {
    bool open;          /* new sequences may come to it */
    size_t n_sequences; /* that have a slot of it */
    struct hc_sequencer_slot *slots;
    struct hc_batcher batcher; /* oldest */
};

#endif
