/* The turns of sequences: which jobs an instance runs next. */
#include "sequencer_internal.h"

static bool is_ready(const struct hc_sequencer_slot *slot) {
    const struct hc_sequence *sequence = slot->sequence;
    return sequence != NULL && !sequence->busy && !hc_list_empty(&sequence->jobs);
}

/* One job of each slot that has any, if enough of them do or one has waited long enough. */
static bool take_direct(struct hc_sequencer *sequencer, struct hc_sequencer_instance *instance,
                        uint64_t now_ns, struct hc_list *batch, size_t *n_places,
                        uint64_t *ready_ns) {
    const struct hc_sequencer_settings *settings = &sequencer->_settings;
    uint64_t oldest_ns = UINT64_MAX;
    size_t n_ready = 0;
    *n_places = 0;
    for (uint32_t i = 0; i < settings->n_slots; i++) {
        if (is_ready(&instance->slots[i])) {
            const struct hc_sequence *sequence = instance->slots[i].sequence;
            uint64_t enqueued_ns = hc_job_of(sequence->jobs.next)->enqueued_ns;
            *n_places = i + 1;
            oldest_ns = enqueued_ns < oldest_ns ? enqueued_ns : oldest_ns;
            n_ready++;
        }
    }
    if (n_ready == 0) {
        return false;
    }
    bool few = (double)n_ready < settings->least_utilization * settings->n_slots;
    if (few && now_ns - oldest_ns < settings->batches.delay_ns) {
        if (__builtin_add_overflow(oldest_ns, settings->batches.delay_ns, ready_ns)) {
            *ready_ns = UINT64_MAX;
        }
        return false;
    }
    for (uint32_t i = 0; i < *n_places; i++) {
        if (is_ready(&instance->slots[i])) {
            struct hc_sequence *sequence = instance->slots[i].sequence;
            struct hc_job *job = hc_job_pop(&sequence->jobs);
            sequence->busy = true;
            job->slot = i;
            hc_list_append(batch, &job->link);
            sequencer->n_jobs--;
        }
    }
    return true;
}

bool hc_sequencer_take(struct hc_sequencer *sequencer, size_t index, uint64_t now_ns,
                       struct hc_list *batch, size_t *n_places, uint64_t *ready_ns) {
    struct hc_sequencer_instance *instance = sequencer->_instances[index];
    *ready_ns = UINT64_MAX;
    if (sequencer->_settings.direct) {
        return take_direct(sequencer, instance, now_ns, batch, n_places, ready_ns);
    }
    if (!hc_batcher_take(&instance->batcher, now_ns, batch, ready_ns)) {
        return false;
    }
    *n_places = 0;
    hc_list_each (link, batch) {
        struct hc_job *job = hc_job_of(link);
        job->slot = (uint32_t)(*n_places)++;
        job->sequence->released = NULL;
    }
    sequencer->n_jobs -= *n_places;
    return true;
}

bool hc_sequencer_has_for(const struct hc_sequencer *sequencer, size_t index) {
    const struct hc_sequencer_instance *instance = sequencer->_instances[index];
    bool any = instance->batcher.queue.n_jobs > 0;
    for (uint32_t i = 0; i < sequencer->_settings.n_slots && !any; i++) {
        any = is_ready(&instance->slots[i]);
    }
    return any;
}

struct hc_job *hc_sequencer_first(const struct hc_sequencer *sequencer) {
    hc_list_each (link, &sequencer->_backlog) {
        const struct hc_sequence *sequence = hc_list_item(link, struct hc_sequence, link);
        if (!hc_list_empty(&sequence->jobs)) {
            return hc_job_of(sequence->jobs.next);
        }
    }
    for (size_t i = 0; i < sequencer->_n_instances; i++) {
        const struct hc_sequencer_instance *instance = sequencer->_instances[i];
        struct hc_job *job = hc_queue_first(&instance->batcher.queue);
        for (uint32_t j = 0; j < sequencer->_settings.n_slots && job == NULL; j++) {
            const struct hc_sequence *sequence = instance->slots[j].sequence;
            if (sequence != NULL && !hc_list_empty(&sequence->jobs)) {
                job = hc_job_of(sequence->jobs.next);
            }
        }
        if (job != NULL) {
            return job;
        }
    }
    return NULL;
}
