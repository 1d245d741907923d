/* The sequence batcher: names, slots and the lives of sequences. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "sequencer_internal.h"

/* Slots with low numbers come first, so that sequences spread over the instances. */
static void free_slot(struct hc_sequencer *sequencer, struct hc_sequencer_slot *slot) {
    slot->sequence = NULL;
    if (!sequencer->_instances[slot->instance]->open) {
        return;
    }
    hc_heap_put(&sequencer->_free_slots, &slot->item,
                (uint64_t)slot->index << 32 | (uint64_t)slot->instance);
}

void hc_sequencer_init(struct hc_sequencer *sequencer,
                       const struct hc_sequencer_settings *settings) {
    *sequencer = (struct hc_sequencer){._settings = *settings};
    hc_list_init(&sequencer->_backlog);
    hc_list_init(&sequencer->_idle);
    hc_list_init(&sequencer->dropped);
    for (size_t i = 0; i < settings->n_instances; i++) {
        hc_sequencer_extend(sequencer);
        hc_sequencer_open(sequencer, i, 0);
    }
}

void hc_sequencer_extend(struct hc_sequencer *sequencer) {
    size_t n = sequencer->_n_instances;
    sequencer->_instances =
        hc_realloc(sequencer->_instances, (n + 1) * sizeof(struct hc_sequencer_instance *));
    struct hc_sequencer_instance *instance = hc_new(struct hc_sequencer_instance);
    sequencer->_instances[n] = instance;
    sequencer->_n_instances++;
    hc_batcher_init(&instance->batcher, &sequencer->_settings.batches);
    instance->slots = hc_alloc_array(sequencer->_settings.n_slots, sizeof *instance->slots);
    for (uint32_t i = 0; i < sequencer->_settings.n_slots; i++) {
        instance->slots[i].instance = n;
        instance->slots[i].index = i;
    }
}

static void unname(struct hc_sequencer *sequencer, struct hc_sequence *sequence) {
    if (sequence->named) {
        sequence->named = false;
        HASH_DEL(sequencer->_by_name, sequence);
    }
}

static void destroy(struct hc_sequencer *sequencer, struct hc_sequence *sequence) {
    assert(hc_list_empty(&sequence->jobs) && !sequence->busy);
    unname(sequencer, sequence);
    hc_list_remove(&sequence->link);
    hc_heap_remove(&sequencer->_deadlines, &sequence->deadline);
    if (sequence->owned != NULL) {
        sequencer->_settings.on_end(sequencer->_settings.user, sequence->owned);
    }
    free(sequence);
}

void hc_sequencer_finish(struct hc_sequencer *sequencer) {
    while (!hc_list_empty(&sequencer->_idle)) {
        destroy(sequencer, hc_list_item(sequencer->_idle.next, struct hc_sequence, link));
    }
    for (size_t i = 0; i < sequencer->_n_instances; i++) {
        hc_batcher_finish(&sequencer->_instances[i]->batcher);
        free(sequencer->_instances[i]->slots);
        free(sequencer->_instances[i]);
    }
    free(sequencer->_instances);
    hc_heap_finish(&sequencer->_free_slots);
    hc_heap_finish(&sequencer->_deadlines);
}

static struct hc_batcher *batcher_of(const struct hc_sequencer *sequencer,
                                     const struct hc_sequence *sequence) {
    return &sequencer->_instances[sequence->slot->instance]->batcher;
}

/* Oldest: the next job of a sequence with a slot and no job under way goes to its instance. */
static void release_next(struct hc_sequencer *sequencer, struct hc_sequence *sequence,
                         uint64_t now_ns) {
    if (sequence->slot == NULL || sequence->busy || sequencer->_settings.direct ||
        hc_list_empty(&sequence->jobs)) {
        return;
    }
    struct hc_job *job = hc_job_pop(&sequence->jobs);
    sequence->busy = true;
    sequence->released = job;
    hc_queue_add(&batcher_of(sequencer, sequence)->queue, job, now_ns); /* has no limit */
}

/* Give free slots to those that wait for one. */
static void place_waiting(struct hc_sequencer *sequencer, uint64_t now_ns) {
    struct hc_heap_item *first;
    while (!hc_list_empty(&sequencer->_backlog) &&
           (first = hc_heap_first(&sequencer->_free_slots)) != NULL) {
        struct hc_list *link = hc_list_pop(&sequencer->_backlog);
        struct hc_sequence *sequence = hc_list_item(link, struct hc_sequence, link);
        hc_heap_remove(&sequencer->_free_slots, first);
        hc_heap_remove(&sequencer->_deadlines, &sequence->deadline);
        sequence->slot = hc_list_item(first, struct hc_sequencer_slot, item);
        sequence->slot->sequence = sequence;
        sequencer->_instances[sequence->slot->instance]->n_sequences++;
        release_next(sequencer, sequence, now_ns);
    }
}

void hc_sequencer_open(struct hc_sequencer *sequencer, size_t index, uint64_t now_ns) {
    struct hc_sequencer_instance *instance = sequencer->_instances[index];
    instance->open = true;
    for (uint32_t i = 0; i < sequencer->_settings.n_slots; i++) {
        if (instance->slots[i].sequence == NULL) {
            free_slot(sequencer, &instance->slots[i]);
        }
    }
    place_waiting(sequencer, now_ns);
}

void hc_sequencer_close(struct hc_sequencer *sequencer, size_t index) {
    struct hc_sequencer_instance *instance = sequencer->_instances[index];
    instance->open = false;
    for (uint32_t i = 0; i < sequencer->_settings.n_slots; i++) {
        hc_heap_remove(&sequencer->_free_slots, &instance->slots[i].item);
    }
}

bool hc_sequencer_is_vacant(const struct hc_sequencer *sequencer, size_t index) {
    return sequencer->_instances[index]->n_sequences == 0;
}

static void end(struct hc_sequencer *sequencer, struct hc_sequence *sequence, uint64_t now_ns) {
    if (sequence->slot != NULL) {
        sequencer->_instances[sequence->slot->instance]->n_sequences--;
        free_slot(sequencer, sequence->slot);
    }
    destroy(sequencer, sequence);
    place_waiting(sequencer, now_ns);
}

/* Take a waiting job out of its sequence. */
static void take_out(struct hc_sequencer *sequencer, struct hc_job *job) {
    struct hc_sequence *sequence = hc_take(job->sequence);
    if (job->level != NULL) {
        hc_queue_remove(&batcher_of(sequencer, sequence)->queue, job);
        sequence->released = NULL;
        sequence->busy = false;
    } else {
        hc_list_remove(&job->link);
    }
    sequencer->n_jobs--;
}

static void drop(struct hc_sequencer *sequencer, struct hc_job *job, struct hc_list *dropped) {
    take_out(sequencer, job);
    hc_list_append(dropped, &job->link);
}

/* The sequence that has been idle for so long that it is given up; NULL: none has. */
static struct hc_sequence *find_idle(const struct hc_sequencer *sequencer, uint64_t now_ns) {
    if (hc_list_empty(&sequencer->_idle)) {
        return NULL;
    }
    struct hc_sequence *first = hc_list_item(sequencer->_idle.next, struct hc_sequence, link);
    return now_ns - first->idle_since_ns >= sequencer->_settings.idle_ns ? first : NULL;
}

/* A sequence has waited for a slot for too long: it has no future. */
static void refuse(struct hc_sequencer *sequencer, struct hc_sequence *sequence, uint64_t now_ns) {
    while (!hc_list_empty(&sequence->jobs)) {
        drop(sequencer, hc_job_of(sequence->jobs.next), &sequencer->dropped);
    }
    end(sequencer, sequence, now_ns);
}

void hc_sequencer_expire(struct hc_sequencer *sequencer, uint64_t now_ns) {
    struct hc_sequence *idle;
    while ((idle = find_idle(sequencer, now_ns)) != NULL) {
        end(sequencer, idle, now_ns);
    }
    while (hc_heap_first_key(&sequencer->_deadlines) <= now_ns) {
        struct hc_heap_item *first = hc_heap_first(&sequencer->_deadlines);
        refuse(sequencer, hc_list_item(first, struct hc_sequence, deadline), now_ns);
    }
}

/* Somebody waits for the end of the sequences on an instance. */
static bool is_any_closing(const struct hc_sequencer *sequencer) {
    bool any = false;
    for (size_t i = 0; i < sequencer->_n_instances && !any; i++) {
        any = !sequencer->_instances[i]->open && !hc_sequencer_is_vacant(sequencer, i);
    }
    return any;
}

static uint64_t idle_expiry_ns(const struct hc_sequencer *sequencer) {
    uint64_t expiry_ns;
    bool awaited = !hc_list_empty(&sequencer->_backlog) || is_any_closing(sequencer);
    if (!awaited || hc_list_empty(&sequencer->_idle)) {
        return UINT64_MAX;
    }
    const struct hc_sequence *sequence =
        hc_list_item(sequencer->_idle.next, struct hc_sequence, link);
    return __builtin_add_overflow(sequence->idle_since_ns, sequencer->_settings.idle_ns, &expiry_ns)
               ? UINT64_MAX
               : expiry_ns;
}

uint64_t hc_sequencer_expiry_ns(const struct hc_sequencer *sequencer) {
    uint64_t idle_ns = idle_expiry_ns(sequencer);
    uint64_t deadline_ns = hc_heap_first_key(&sequencer->_deadlines);
    return idle_ns < deadline_ns ? idle_ns : deadline_ns;
}

static struct hc_sequence *find(const struct hc_sequencer *sequencer, struct hc_text name) {
    struct hc_sequence *sequence;
    HASH_FIND(hh, sequencer->_by_name, name.data, name.size, sequence);
    return sequence;
}

static struct hc_sequence *create(struct hc_sequencer *sequencer, struct hc_text name,
                                  uint64_t now_ns) {
    struct hc_sequence *sequence = hc_alloc(sizeof *sequence + name.size);
    memcpy(sequence->name, name.data, name.size);
    sequence->name_size = name.size;
    sequence->named = true;
    hc_list_init(&sequence->jobs);
    HASH_ADD_KEYPTR(hh, sequencer->_by_name, sequence->name, sequence->name_size, sequence);
    hc_list_append(&sequencer->_backlog, &sequence->link);
    place_waiting(sequencer, now_ns);
    return sequence;
}

/* In the backlog the shortest time that one of its jobs may wait counts for the sequence. */
static void limit_wait(struct hc_sequencer *sequencer, struct hc_sequence *sequence,
                       const struct hc_job *job, uint64_t now_ns) {
    uint64_t deadline_ns;
    bool limited =
        job->timeout_ns > 0 && !__builtin_add_overflow(now_ns, job->timeout_ns, &deadline_ns);
    if (limited && (sequence->deadline.key == 0 || deadline_ns < sequence->deadline.key)) {
        hc_heap_put(&sequencer->_deadlines, &sequence->deadline, deadline_ns);
    }
}

bool hc_sequencer_add(struct hc_sequencer *sequencer, struct hc_job *job, uint64_t now_ns) {
    hc_sequencer_expire(sequencer, now_ns);
    struct hc_sequence *sequence = find(sequencer, job->name);
    if (sequence == NULL && !job->starts && !sequencer->_settings.implicit) {
        return false;
    }
    if (sequence == NULL) {
        sequence = create(sequencer, job->name, now_ns);
    }
    if (sequence->slot != NULL) {
        hc_list_remove(&sequence->link); /* idle no longer */
    } else {
        limit_wait(sequencer, sequence, job, now_ns);
    }
    job->sequence = sequence;
    job->enqueued_ns = now_ns;
    hc_list_append(&sequence->jobs, &job->link);
    sequencer->n_jobs++;
    if (job->ends) {
        unname(sequencer, sequence);
    }
    release_next(sequencer, sequence, now_ns);
    return true;
}

void **hc_sequencer_owned(struct hc_job *job) {
    return &job->sequence->owned;
}

/* No job of the sequence is under way any more. */
static void go_on(struct hc_sequencer *sequencer, struct hc_sequence *sequence, bool ended,
                  uint64_t now_ns) {
    if (!hc_list_empty(&sequence->jobs)) {
        release_next(sequencer, sequence, now_ns);
    } else if (ended || sequence->slot == NULL) {
        end(sequencer, sequence, now_ns);
    } else {
        sequence->idle_since_ns = now_ns;
        hc_list_append(&sequencer->_idle, &sequence->link);
    }
}

void hc_sequencer_done(struct hc_sequencer *sequencer, struct hc_job *job, uint64_t now_ns) {
    struct hc_sequence *sequence = hc_take(job->sequence);
    sequence->busy = false;
    go_on(sequencer, sequence, !sequence->named && hc_list_empty(&sequence->jobs), now_ns);
}

void hc_sequencer_put_back(struct hc_sequencer *sequencer, struct hc_job *job, uint64_t now_ns) {
    struct hc_sequence *sequence = job->sequence;
    sequence->busy = false;
    hc_list_prepend(&sequence->jobs, &job->link);
    sequencer->n_jobs++;
    release_next(sequencer, sequence, now_ns);
}

void hc_sequencer_cancel(struct hc_sequencer *sequencer, struct hc_job *job, uint64_t now_ns,
                         struct hc_list *dropped) {
    struct hc_sequence *sequence = job->sequence;
    unname(sequencer, sequence);
    take_out(sequencer, job);
    if (sequence->released != NULL) {
        drop(sequencer, sequence->released, dropped);
    }
    while (!hc_list_empty(&sequence->jobs)) {
        drop(sequencer, hc_job_of(sequence->jobs.next), dropped);
    }
    if (!sequence->busy) {
        end(sequencer, sequence, now_ns);
    }
}

void hc_sequencer_remove(struct hc_sequencer *sequencer, struct hc_job *job, uint64_t now_ns) {
    struct hc_sequence *sequence = job->sequence;
    take_out(sequencer, job);
    if (!sequence->busy) {
        go_on(sequencer, sequence, !sequence->named, now_ns);
    }
}
