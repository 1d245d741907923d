/* Dispatch: from a model's queue to its instances. */
#include "core/dispatch.h"

#include "base/clock.h"
#include "core/context.h"
#include "core/order.h"
#include "core/rate_limit.h"
#include "core/schedule.h"

static struct hc_request *unanswered_item(struct hc_list *link) {
    return hc_list_item(link, struct hc_request, _instance_link);
}

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

static void add_request(struct hc_instance *instance, struct hc_execution *execution,
                        struct hc_request *request, uint64_t now_ns) {
    request->_instance = instance;
    request->dispatched_ns = now_ns;
    hc_list_append(&instance->unanswered, &request->_instance_link);
    hc_list_append(&execution->requests, &request->_job.link);
    execution->n_requests++;
    execution->batch_size += request->batch_size;
    execution->counted = execution->counted || !request->uncounted;
}

static void add_execution(struct hc_instance *instance, struct hc_list *batch, uint64_t now_ns) {
    struct hc_model *model = instance->model;
    struct hc_execution *execution = &instance->executions[instance->n_executions++];
    *execution = (struct hc_execution){
        .id = ++model->last_execution_id,
        .open = model->batcher.max_rows > 0 && model->depth >= HC_INSTANCE_DEPTH,
    };
    hc_list_init(&execution->requests);
    struct hc_list *link;
    while ((link = hc_list_pop(batch)) != NULL) {
        add_request(instance, execution, hc_request_of_job(link), now_ns);
    }
    model->backend->submit(instance, execution);
}

/* Move the execution's list head along with it. */
static void move_execution(struct hc_execution *to, struct hc_execution *from) {
    *to = *from;
    hc_list_init(&to->requests);
    struct hc_list *link;
    while ((link = hc_list_pop(&from->requests)) != NULL) {
        hc_list_append(&to->requests, link);
    }
}

static void remove_execution(struct hc_instance *instance, unsigned place) {
    for (unsigned i = place + 1; i < instance->n_executions; i++) {
        move_execution(&instance->executions[i - 1], &instance->executions[i]);
    }
    instance->n_executions--;
}

/* Let waiting requests join an execution, as long as they may and it has not started. */
static void fill_up(struct hc_instance *instance, struct hc_execution *execution, uint64_t now_ns) {
    struct hc_model *model = instance->model;
    struct hc_job *job;
    while (execution->open && !hc_list_empty(&execution->requests) &&
           (job = hc_batcher_take_joining(&model->batcher, hc_job_of(execution->requests.next),
                                          execution->batch_size)) != NULL) {
        struct hc_request *request = hc_request_of_job(&job->link);
        if (model->backend->extend(instance, execution, request)) {
            add_request(instance, execution, request, now_ns);
        } else {
            execution->open = false;
            hc_queue_put_back(&model->batcher.queue, job);
        }
    }
}

static void fill_up_all(struct hc_model *model, uint64_t now_ns) {
    for (size_t i = 0; i < model->n_instances; i++) {
        struct hc_instance *instance = model->instances[i];
        if (instance->n_executions > 0 && instance->state == HC_INSTANCE_READY) {
            fill_up(instance, &instance->executions[instance->n_executions - 1], now_ns);
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

/* Hand the next batch to an instance. NULL: there is no batch now, or no instance for it. */
static struct hc_instance *dispatch_next(struct hc_model *model, uint64_t now_ns) {
    if (hc_schedule_count(model) == 0) {
        return NULL;
    }
    struct hc_list batch;
    hc_list_init(&batch);
    struct hc_instance *instance = model->has_sequences ? take_own_batch(model, now_ns, &batch)
                                   : model->limited     ? take_limited_batch(model, now_ns, &batch)
                                                        : take_batch(model, now_ns, &batch);
    if (instance != NULL) {
        add_execution(instance, &batch, now_ns);
    }
    return instance;
}

static void deliver_response(struct hc_task *task) {
    struct hc_request *request = hc_list_item(task, struct hc_request, _task);
    struct hc_response *response = request->_response;
    request->_response = NULL;
    request->model->backend->discard(request);
    hc_request_answer(request, response, true);
}

/* Answer a request, which is in no list any more, on its loop. */
static void fail_later(struct hc_request *request, enum hc_code code, const char *message) {
    request->_response = hc_response_error(code, hc_text_of(message));
    request->_task.run = deliver_response;
    hc_loop_post(request->context->loop, &request->_task);
}

/* Answer those that have waited too long. */
static void expire(struct hc_model *model, uint64_t now_ns) {
    struct hc_list dropped;
    struct hc_list *link;
    hc_list_init(&dropped);
    hc_schedule_expire(model, now_ns, &dropped);
    while ((link = hc_list_pop(&dropped)) != NULL) {
        struct hc_request *request = hc_request_of_job(link);
        request->failure = HC_FAILURE_REJECTED;
        fail_later(request, HC_UNAVAILABLE, "Request timeout expired");
    }
}

/* An instance that leaves and has nothing to do any more says so, once. */
static void tell_if_idle(struct hc_instance *instance) {
    struct hc_model *model = instance->model;
    bool idle =
        instance->n_executions == 0 && hc_list_empty(&instance->unanswered) &&
        (!model->has_sequences || hc_sequencer_is_vacant(&model->sequencer, instance->index));
    if (instance->closed && idle && !instance->idle_told) {
        instance->idle_told = true;
        hc_model_ref(model);
        hc_loop_post(model->server->control, &instance->idle_task);
    }
}

/* With the model locked: where nothing is queued, nobody waits for resources to run it. */
static void settle(struct hc_model *model) {
    for (size_t i = 0; i < model->n_instances && model->n_leaving > 0; i++) {
        tell_if_idle(model->instances[i]);
    }
    if (model->limited && hc_schedule_count(model) == 0) {
        hc_rate_limit_settle(model);
    }
}

/* Dispatch what can be, kicking instances without the lock, which the caller holds and loses. */
static void dispatch_and_unlock(struct hc_model *model, uint64_t now_ns) {
    for (;;) {
        expire(model, now_ns);
        struct hc_instance *instance = dispatch_next(model, now_ns);
        bool more = instance != NULL && hc_schedule_count(model) > 0;
        struct hc_instance *noticed = hc_take(model->noticed);
        settle(model);
        pthread_mutex_unlock(&model->lock);
        if (instance != NULL || noticed != NULL) {
            model->backend->kick(instance != NULL ? instance : noticed);
        }
        if (!more) {
            return;
        }
        pthread_mutex_lock(&model->lock);
    }
}

enum hc_code hc_dispatch_enqueue(struct hc_request *request, struct hc_error *error) {
    struct hc_model *model = request->model;
    request->queued_ns = hc_clock_ns();
    hc_schedule_describe(request);
    pthread_mutex_lock(&model->lock);
    enum hc_code code = hc_schedule_add(request, error);
    if (code != HC_OK) {
        pthread_mutex_unlock(&model->lock);
        return code;
    }
    if (model->ordered) {
        hc_order_add(request);
    }
    if (hc_schedule_batches(model)) {
        pthread_mutex_unlock(&model->lock);
        hc_alarms_set_for_turn(&model->alarms);
    } else {
        dispatch_and_unlock(model, request->queued_ns);
    }
    return HC_OK;
}

void hc_dispatch_look(struct hc_model *model) {
    pthread_mutex_lock(&model->lock);
    dispatch_and_unlock(model, hc_clock_ns());
}

bool hc_dispatch_run(struct hc_instance *instance, struct hc_list *batch) {
    struct hc_model *model = instance->model;
    pthread_mutex_lock(&model->lock);
    bool runs = instance->state == HC_INSTANCE_READY && instance->n_executions < HC_INSTANCE_DEPTH;
    if (runs) {
        add_execution(instance, batch, hc_clock_ns());
    }
    pthread_mutex_unlock(&model->lock);
    if (runs) {
        model->backend->kick(instance);
    }
    return runs;
}

/* Put the requests of an execution that was taken back where the next batch is taken from; null
 * requests have nothing to wait for. */
static void requeue(struct hc_model *model, struct hc_execution *execution, uint64_t now_ns) {
    while (!hc_list_empty(&execution->requests)) {
        struct hc_request *request = hc_request_of_job(execution->requests.previous);
        hc_list_remove(&request->_job.link);
        hc_list_remove(&request->_instance_link);
        request->_instance = NULL;
        if (model->has_sequences && request->_job.sequence == NULL) {
            fail_later(request, HC_CANCELLED, "");
        } else {
            hc_schedule_put_back(request, now_ns);
        }
    }
}

/* The place of the execution that REQUEST is in among its instance's, or their number. */
static unsigned place_of(const struct hc_request *request) {
    const struct hc_instance *instance = request->_instance;
    unsigned place = 0;
    for (; place < instance->n_executions; place++) {
        hc_list_each (link, &instance->executions[place].requests) {
            if (link == &request->_job.link) {
                return place;
            }
        }
    }
    return place;
}

/*
 * Take back the execution at PLACE, if it waits behind another and has not begun; its requests
 * queue again.
 */
static bool take_back(struct hc_instance *instance, unsigned place, uint64_t now_ns) {
    struct hc_model *model = instance->model;
    if (place == 0 || place >= instance->n_executions ||
        !model->backend->withdraw(instance, &instance->executions[place])) {
        return false;
    }
    requeue(model, &instance->executions[place], now_ns);
    remove_execution(instance, place);
    return true;
}

/* Take back the last execution of INSTANCE, likewise. */
static bool take_back_last(struct hc_instance *instance) {
    unsigned n = instance->n_executions;
    return n > 0 && take_back(instance, n - 1, hc_clock_ns());
}

bool hc_dispatch_cancel(struct hc_request *request) {
    struct hc_model *model = request->model;
    uint64_t now_ns = hc_clock_ns();
    struct hc_list dropped;
    struct hc_list *link;
    hc_list_init(&dropped);
    pthread_mutex_lock(&model->lock);
    bool handed = request->_instance != NULL;
    bool queued = hc_schedule_has(request) ||
                  (handed && take_back(request->_instance, place_of(request), now_ns));
    if (queued) {
        hc_schedule_cancel(request, now_ns, &dropped);
    } else if (handed) {
        model->backend->cancel(request);
    }
    while ((link = hc_list_pop(&dropped)) != NULL) {
        fail_later(hc_request_of_job(link), HC_CANCELLED, "");
    }
    dispatch_and_unlock(model, now_ns);
    return queued;
}

/* For an instance that has nothing to do: take back what waits behind another's execution. */
static void take_back_waiting(struct hc_model *model) {
    for (size_t i = 0; i < model->n_instances && !take_back_last(model->instances[i]); i++) {
    }
}

bool hc_dispatch_executed(struct hc_instance *instance, uint64_t execution_id,
                          const struct hc_stats_times *times) {
    struct hc_model *model = instance->model;
    pthread_mutex_lock(&model->lock);
    unsigned place = 0;
    while (place < instance->n_executions && instance->executions[place].id != execution_id) {
        place++;
    }
    if (place == instance->n_executions) {
        pthread_mutex_unlock(&model->lock);
        return false;
    }
    while (hc_list_pop(&instance->executions[place].requests) != NULL) {
    }
    if (instance->executions[place].counted) {
        hc_stats_count_execution(model, instance->executions[place].batch_size, times);
    }
    remove_execution(instance, place);
    if (model->limited) {
        hc_rate_limit_ran(instance, hc_schedule_has_for(instance));
    }
    if (instance->n_executions == 0 && hc_schedule_count(model) == 0 && model->n_instances > 1) {
        take_back_waiting(model);
    }
    dispatch_and_unlock(model, hc_clock_ns());
    return true;
}

bool hc_dispatch_has(const struct hc_request *request, const struct hc_instance *instance) {
    struct hc_model *model = request->model;
    if (model != instance->model) {
        return false;
    }
    pthread_mutex_lock(&model->lock);
    bool has = request->_instance == instance;
    pthread_mutex_unlock(&model->lock);
    return has;
}

/* With the model locked: the instance has nothing to do with the request any more. */
static void detach(struct hc_request *request) {
    hc_list_remove(&request->_job.link);
    hc_list_remove(&request->_instance_link);
    request->_instance = NULL;
}

void hc_dispatch_take_back(struct hc_request *request) {
    pthread_mutex_lock(&request->model->lock);
    detach(request);
    request->_job.starts = false; /* its sequence has begun */
    pthread_mutex_unlock(&request->model->lock);
}

void hc_dispatch_again(struct hc_request *request) {
    struct hc_model *model = request->model;
    uint64_t now_ns = hc_clock_ns();
    pthread_mutex_lock(&model->lock);
    hc_schedule_put_back(request, now_ns);
    dispatch_and_unlock(model, now_ns);
}

void hc_dispatch_answered(struct hc_request *request) {
    struct hc_model *model = request->model;
    pthread_mutex_lock(&model->lock);
    detach(request);
    if (request->_job.sequence == NULL && model->n_leaving == 0) {
        pthread_mutex_unlock(&model->lock);
        return;
    }
    uint64_t now_ns = hc_clock_ns();
    hc_schedule_done(request, now_ns);
    dispatch_and_unlock(model, now_ns);
}

void hc_dispatch_open(struct hc_instance *instance) {
    struct hc_model *model = instance->model;
    uint64_t now_ns = hc_clock_ns();
    pthread_mutex_lock(&model->lock);
    instance->closed = false;
    if (model->has_sequences) {
        hc_sequencer_open(&model->sequencer, instance->index, now_ns);
    }
    dispatch_and_unlock(model, now_ns);
}

void hc_dispatch_close(struct hc_instance *instance) {
    struct hc_model *model = instance->model;
    uint64_t now_ns = hc_clock_ns();
    pthread_mutex_lock(&model->lock);
    instance->closed = true;
    instance->idle_told = false;
    model->n_leaving++;
    if (model->has_sequences) {
        hc_sequencer_close(&model->sequencer, instance->index);
    }
    if (model->limited) {
        hc_rate_limit_settle_one(instance);
    }
    for (unsigned i = 0; i < instance->n_executions; i++) {
        instance->executions[i].open = false;
    }
    (void)take_back_last(instance);
    dispatch_and_unlock(model, now_ns);
}

void hc_dispatch_up(struct hc_instance *instance) {
    struct hc_model *model = instance->model;
    pthread_mutex_lock(&model->lock);
    instance->state = HC_INSTANCE_READY;
    dispatch_and_unlock(model, hc_clock_ns());
}

void hc_dispatch_down(struct hc_instance *instance) {
    pthread_mutex_lock(&instance->model->lock);
    instance->state = HC_INSTANCE_DOWN;
    if (instance->model->limited) {
        hc_rate_limit_settle_one(instance);
    }
    pthread_mutex_unlock(&instance->model->lock);
}

void hc_dispatch_recover(struct hc_instance *instance, enum hc_code code, const char *message) {
    struct hc_model *model = instance->model;
    uint64_t now_ns = hc_clock_ns();
    pthread_mutex_lock(&model->lock);
    for (unsigned i = instance->n_executions; i-- > 0;) {
        if (model->backend->withdraw(instance, &instance->executions[i])) {
            requeue(model, &instance->executions[i], now_ns);
        }
        while (hc_list_pop(&instance->executions[i].requests) != NULL) {
        }
    }
    instance->n_executions = 0;
    if (model->limited) {
        hc_rate_limit_ran(instance, false);
    }
    struct hc_list *link;
    while ((link = hc_list_pop(&instance->unanswered)) != NULL) {
        struct hc_request *request = unanswered_item(link);
        request->_instance = NULL;
        hc_schedule_done(request, now_ns);
        fail_later(request, code, message);
    }
    dispatch_and_unlock(model, now_ns);
}

void hc_dispatch_fail_queue(struct hc_model *model, enum hc_code code, const char *message) {
    pthread_mutex_lock(&model->lock);
    struct hc_request *request;
    while ((request = hc_schedule_first(model)) != NULL) {
        hc_schedule_remove(request, hc_clock_ns());
        fail_later(request, code, message);
    }
    settle(model);
    pthread_mutex_unlock(&model->lock);
}

size_t hc_dispatch_in_flight(struct hc_model *model) {
    pthread_mutex_lock(&model->lock);
    size_t n = hc_schedule_count(model);
    for (size_t i = 0; i < model->n_instances; i++) {
        hc_list_each (link, &model->instances[i]->unanswered) {
            n++;
        }
    }
    pthread_mutex_unlock(&model->lock);
    return n;
}

size_t hc_dispatch_pending(struct hc_model *model) {
    pthread_mutex_lock(&model->lock);
    size_t n = hc_schedule_count(model);
    unsigned n_running = model->concurrency > 1 ? model->concurrency : 1;
    for (size_t i = 0; i < model->n_instances; i++) {
        const struct hc_instance *instance = model->instances[i];
        for (unsigned j = n_running; j < instance->n_executions; j++) {
            n += instance->executions[j].n_requests;
        }
    }
    pthread_mutex_unlock(&model->lock);
    return n;
}
