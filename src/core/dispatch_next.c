/* Dispatch: which batch goes to which instance next. */
#include "core/rate_limit.h"
#include "core/schedule.h"
#include "dispatch_internal.h"

static bool has_room(const struct hc_instance *instance) {
    return instance->state == HC_INSTANCE_READY && !instance->passive &&
           instance->n_executions < instance->model->depth;
}

/* The ready instance with the least to do, if it has room. */
static struct hc_instance *pick_instance(struct hc_model *model) {
    struct hc_instance *best = NULL;
    unsigned least = model->depth;
    for (size_t i = 0; i < model->n_instances && least > 0; i++) {
        struct hc_instance *instance = model->instances[i];
        if (has_room(instance) && !instance->closed && instance->n_executions < least) {
            best = instance;
            least = instance->n_executions;
        }
    }
    return best;
}

static void fill_up_all(struct hc_model *model, uint64_t now_ns) {
    for (size_t i = 0; i < model->n_instances; i++) {
        struct hc_instance *instance = model->instances[i];
        if (instance->n_executions > 0 && instance->state == HC_INSTANCE_READY) {
            executions_fill_up(instance, &instance->executions[instance->n_executions - 1], now_ns);
        }
    }
}

/* The next batch, for an instance that has its resources. */
static struct hc_instance *take_limited_batch(struct hc_model *model, uint64_t now_ns,
                                              struct hc_list *batch) {
    struct hc_instance *instance = hc_rate_limit_pick(model, model->batcher.queue.n_jobs);
    if (instance != NULL && !hc_schedule_take(instance, now_ns, batch)) {
        hc_rate_limit_settle(model);
        return NULL;
    }
    return instance;
}

/* The next batch, for an instance with room. NULL: there is no batch now, or no instance for it. */
static struct hc_instance *take_batch(struct hc_model *model, uint64_t now_ns,
                                      struct hc_list *batch) {
    struct hc_instance *instance = pick_instance(model);
    if (instance == NULL || instance->n_executions > 0) {
        fill_up_all(model, now_ns);
    }
    return instance != NULL && hc_schedule_take(instance, now_ns, batch) ? instance : NULL;
}

/* Sequences: each instance has batches of its own, also one that leaves. */
static struct hc_instance *take_own_batch(struct hc_model *model, uint64_t now_ns,
                                          struct hc_list *batch) {
    for (size_t i = 0; i < model->n_instances; i++) {
        struct hc_instance *instance = model->instances[i];
        bool may_run = has_room(instance) && hc_schedule_has_for(instance) &&
                       (!model->limited || hc_rate_limit_acquire(instance));
        if (may_run && hc_schedule_take(instance, now_ns, batch)) {
            return instance;
        }
        if (may_run && model->limited) {
            hc_rate_limit_release(instance);
        }
    }
    return NULL;
}

struct hc_instance *dispatch_next(struct hc_model *model, uint64_t now_ns) {
    if (hc_schedule_count(model) == 0) {
        return NULL;
    }
    struct hc_list batch;
    hc_list_init(&batch);
    struct hc_instance *instance = model->has_sequences ? take_own_batch(model, now_ns, &batch)
                                   : model->limited     ? take_limited_batch(model, now_ns, &batch)
                                                        : take_batch(model, now_ns, &batch);
    if (instance != NULL) {
        executions_add(instance, &batch, now_ns);
    }
    return instance;
}
