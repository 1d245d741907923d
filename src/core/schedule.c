/* From a model's config to its queue and its batches. */
#include "core/schedule.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "core/instances.h"
#include "core/request.h"
#include "core/sequence.h"
#include "core/server.h"
#include "core/state.h"

uint64_t hc_schedule_ns(uint64_t us) {
    uint64_t ns;
    return __builtin_mul_overflow(us, HC_NS_PER_US, &ns) ? UINT64_MAX : ns;
}

static struct hc_queue_policy read_policy(const Inference__ModelQueuePolicy *policy) {
    if (policy == NULL) {
        return (struct hc_queue_policy){0};
    }
    return (struct hc_queue_policy){
        .max_size = policy->max_queue_size,
        .timeout_ns = hc_schedule_ns(policy->default_timeout_microseconds),
        .may_shorten = policy->allow_timeout_override,
        .delays = policy->timeout_action == INFERENCE__MODEL_QUEUE_POLICY__TIMEOUT_ACTION__DELAY,
    };
}

static struct hc_queue_settings read_queue(struct hc_pool *memory,
                                           const Inference__ModelDynamicBatching *batching) {
    size_t n = batching->n_priority_queue_policy;
    struct hc_queue_exception *exceptions = hc_pool_alloc(memory, n * sizeof *exceptions);
    for (size_t i = 0; i < n; i++) {
        exceptions[i] = (struct hc_queue_exception){
            .level = batching->priority_queue_policy[i]->key,
            .policy = read_policy(batching->priority_queue_policy[i]->value),
        };
    }
    return (struct hc_queue_settings){
        .n_levels = batching->priority_levels > 0 ? batching->priority_levels : 1,
        .default_level =
            batching->default_priority_level > 0 ? batching->default_priority_level : 1,
        .policy = read_policy(batching->default_queue_policy),
        .exceptions = exceptions,
        .n_exceptions = n,
    };
}

static bool is_plain(const struct hc_queue_settings *queue) {
    const struct hc_queue_policy *policy = &queue->policy;
    return queue->n_levels == 1 && queue->n_exceptions == 0 && policy->max_size == 0 &&
           policy->timeout_ns == 0;
}

static void read_batcher(struct hc_model *model, struct hc_batcher_settings *settings) {
    const Inference__ModelDynamicBatching *batching = model->config->dynamic_batching;
    *settings = (struct hc_batcher_settings){
        .max_rows = (uint64_t)model->max_batch_size,
        .preferred_rows = batching->preferred_batch_size,
        .n_preferred = batching->n_preferred_batch_size,
        .delay_ns = hc_schedule_ns(batching->max_queue_delay_microseconds),
        .queue = read_queue(&model->memory, batching),
    };
}

/* How many executions an instance may have, and room for them; nothing runs yet. */
static void set_depth(struct hc_model *model, bool early) {
    model->depth = early ? HC_INSTANCE_DEPTH : 1;
    if (model->concurrency > model->depth && !model->has_sequences && !model->limited) {
        model->depth = model->concurrency;
    }
    hc_instances_make_room(model);
}

void hc_schedule_configure(struct hc_model *model) {
    struct hc_batcher_settings settings = {.queue = {.n_levels = 1, .default_level = 1}};
    hc_schedule_finish(model);
    model->n_states = 0;
    switch (model->config->scheduling_choice_case) {
    case INFERENCE__MODEL_CONFIG__SCHEDULING_CHOICE_SEQUENCE_BATCHING:
        model->has_sequences = true;
        hc_sequence_configure(model);
        hc_state_configure(model);
        break;
    case INFERENCE__MODEL_CONFIG__SCHEDULING_CHOICE_DYNAMIC_BATCHING:
        read_batcher(model, &settings);
        model->ordered = model->config->dynamic_batching->preserve_ordering;
        break;
    default:
        break;
    }
    model->limited = model->server->rate_limiter != NULL;
    set_depth(model, is_plain(&settings.queue) && !model->has_sequences && !model->limited);
    hc_batcher_init(&model->batcher, &settings);
}

void hc_schedule_finish(struct hc_model *model) {
    hc_batcher_finish(&model->batcher);
    if (model->has_sequences) {
        hc_sequencer_finish(&model->sequencer);
        model->has_sequences = false;
    }
}

static const struct hc_input *find_input(const struct hc_request *request, struct hc_text name) {
    for (size_t i = 0; i < request->n_inputs; i++) {
        if (hc_text_equal(request->inputs[i].name, name)) {
            return &request->inputs[i];
        }
    }
    return NULL;
}

static bool varies(const struct hc_model_io *io) {
    bool varies = io->optional;
    for (size_t i = 0; i < io->n_dims && !io->ragged; i++) {
        varies = varies || io->dims[i] < 0;
    }
    return varies;
}

/*
 * Which inputs the request has and of what shapes, as far as requests to the model can differ: for
 * each such input how many extents follow, 0 when it is not there.
 */
static struct hc_text make_signature(struct hc_request *request) {
    const struct hc_model *model = request->model;
    size_t n_outer = model->max_batch_size > 0 ? 1 : 0;
    size_t n_max = 0;
    for (size_t i = 0; i < request->n_inputs; i++) {
        n_max += request->inputs[i].n_dims;
    }
    int64_t *words = NULL;
    size_t n = 0;
    for (size_t i = 0; i < model->n_inputs; i++) {
        const struct hc_model_io *io = &model->inputs[i];
        if (!varies(io)) {
            continue;
        }
        if (words == NULL) {
            words = hc_pool_alloc(&request->pool, (n_max + model->n_inputs) * sizeof *words);
        }
        const struct hc_input *input = find_input(request, io->name);
        size_t n_dims = input == NULL || io->ragged ? 0 : input->n_dims - n_outer;
        words[n++] = input == NULL ? 0 : (int64_t)n_dims + 1;
        for (size_t j = 0; j < n_dims; j++) {
            words[n++] = input->dims[n_outer + j];
        }
    }
    return (struct hc_text){(const char *)words, n * sizeof *words};
}

void hc_schedule_describe(struct hc_request *request) {
    struct hc_job *job = &request->_job;
    job->rows = request->batch_size > 0 ? request->batch_size : 1;
    job->priority = request->priority;
    job->timeout_ns = hc_schedule_ns(request->timeout_us);
    if (request->model->batcher.max_rows > 0 || request->model->has_sequences) {
        job->signature = make_signature(request);
    }
}

/* ---- The queue ---- */

static enum hc_code add_to_sequence(struct hc_request *request, struct hc_error *error) {
    struct hc_model *model = request->model;
    if (hc_sequencer_add(&model->sequencer, &request->_job, request->queued_ns)) {
        return HC_OK;
    }
    char number[24];
    struct hc_text id = request->correlation.string;
    if (id.size == 0) {
        snprintf(number, sizeof number, "%" PRIu64, request->correlation.number);
        id = hc_text_of(number);
    }
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "inference request for sequence %.*s to model '%s' must specify the START "
                        "flag on the first request of the sequence",
                        HC_TEXT_ARGS(id), model->name);
}

enum hc_code hc_schedule_add(struct hc_request *request, struct hc_error *error) {
    struct hc_model *model = request->model;
    if (model->has_sequences) {
        return add_to_sequence(request, error);
    }
    if (hc_queue_add(&model->batcher.queue, &request->_job, request->queued_ns)) {
        return HC_OK;
    }
    request->failure = HC_FAILURE_REJECTED;
    return hc_request_error(request, HC_UNAVAILABLE, error, "Exceeds maximum queue size");
}

bool hc_schedule_has(const struct hc_request *request) {
    const struct hc_job *job = &request->_job;
    return request->_instance == NULL && (job->level != NULL || job->sequence != NULL);
}

size_t hc_schedule_count(const struct hc_model *model) {
    return model->has_sequences ? model->sequencer.n_jobs : model->batcher.queue.n_jobs;
}

struct hc_request *hc_schedule_first(struct hc_model *model) {
    struct hc_job *job = model->has_sequences ? hc_sequencer_first(&model->sequencer)
                                              : hc_queue_first(&model->batcher.queue);
    return job == NULL ? NULL : hc_request_of_job(&job->link);
}

void hc_schedule_remove(struct hc_request *request, uint64_t now_ns) {
    struct hc_model *model = request->model;
    if (model->has_sequences) {
        hc_sequencer_remove(&model->sequencer, &request->_job, now_ns);
    } else {
        hc_queue_remove(&model->batcher.queue, &request->_job);
    }
}

void hc_schedule_cancel(struct hc_request *request, uint64_t now_ns, struct hc_list *dropped) {
    struct hc_model *model = request->model;
    if (model->has_sequences) {
        hc_sequencer_cancel(&model->sequencer, &request->_job, now_ns, dropped);
    } else {
        hc_queue_remove(&model->batcher.queue, &request->_job);
    }
}

void hc_schedule_put_back(struct hc_request *request, uint64_t now_ns) {
    struct hc_model *model = request->model;
    if (model->has_sequences) {
        hc_sequencer_put_back(&model->sequencer, &request->_job, now_ns);
    } else {
        hc_queue_put_back(&model->batcher.queue, &request->_job);
    }
}

void hc_schedule_done(struct hc_request *request, uint64_t now_ns) {
    if (request->_job.sequence != NULL) {
        hc_sequencer_done(&request->model->sequencer, &request->_job, now_ns);
    }
}

/* There is nothing for INSTANCE before READY_NS; if it has to wake up first, it is told in time. */
static void wait_until(struct hc_instance *instance, uint64_t now_ns, uint64_t ready_ns) {
    struct hc_model *model = instance->model;
    uint64_t notice_ns = instance->n_executions == 0 ? model->backend->notice_ns : 0;
    if (ready_ns != UINT64_MAX && ready_ns - now_ns > notice_ns) {
        ready_ns -= notice_ns;
    } else if (ready_ns != UINT64_MAX) {
        model->noticed = instance;
    }
    hc_alarms_set(&model->alarms, ready_ns);
}

bool hc_schedule_take(struct hc_instance *instance, uint64_t now_ns, struct hc_list *batch) {
    struct hc_model *model = instance->model;
    uint64_t ready_ns;
    size_t n_places;
    if (model->has_sequences) {
        if (hc_sequencer_take(&model->sequencer, instance->index, now_ns, batch, &n_places,
                              &ready_ns)) {
            hc_state_attach(model, batch);
            hc_sequence_fill(model, batch, n_places);
            return true;
        }
    } else if (hc_batcher_take(&model->batcher, now_ns, batch, &ready_ns)) {
        return true;
    }
    wait_until(instance, now_ns, ready_ns);
    return false;
}

bool hc_schedule_has_for(const struct hc_instance *instance) {
    const struct hc_model *model = instance->model;
    return model->has_sequences ? hc_sequencer_has_for(&model->sequencer, instance->index)
                                : model->batcher.queue.n_jobs > 0;
}

struct hc_list *hc_schedule_expire(struct hc_model *model, uint64_t now_ns) {
    struct hc_queue *queue = &model->batcher.queue;
    if (model->has_sequences) {
        hc_sequencer_expire(&model->sequencer, now_ns);
        hc_alarms_set(&model->alarms, hc_sequencer_expiry_ns(&model->sequencer));
        return &model->sequencer.dropped;
    }
    hc_queue_expire(queue, now_ns);
    hc_alarms_set(&model->alarms, hc_queue_deadline_ns(queue));
    return &queue->dropped;
}
