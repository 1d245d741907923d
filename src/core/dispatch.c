/* Dispatch: from a model's queue to its instances. */
#include "core/dispatch.h"

#include "base/clock.h"
#include "core/context.h"
#include "core/order.h"
#include "core/rate_limit.h"
#include "core/schedule.h"
#include "dispatch_internal.h"

static void deliver_response(struct hc_task *task) {
    struct hc_request *request = hc_list_item(task, struct hc_request, _task);
    struct hc_response *response = request->_response;
    request->_response = NULL;
    request->model->backend->discard(request);
    hc_request_answer(request, response, true);
}

void dispatch_fail_later(struct hc_request *request, enum hc_code code, const char *message) {
    request->_response = hc_response_error(code, hc_text_of(message));
    request->_task.run = deliver_response;
    hc_loop_post(request->context->loop, &request->_task);
}

/* Answer those that have waited too long. */
static void expire(struct hc_model *model, uint64_t now_ns) {
    struct hc_list *dropped = hc_schedule_expire(model, now_ns);
    const char *message = model->has_sequences
                              ? "timeout of the corresponding sequence has been expired"
                              : "Request timeout expired";
    struct hc_list *link;
    while ((link = hc_list_pop(dropped)) != NULL) {
        struct hc_request *request = hc_request_of_job(link);
        request->failure = HC_FAILURE_REJECTED;
        dispatch_fail_later(request, HC_UNAVAILABLE, message);
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

void dispatch_and_unlock(struct hc_model *model, uint64_t now_ns) {
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
        executions_add(instance, batch, hc_clock_ns());
    }
    pthread_mutex_unlock(&model->lock);
    if (runs) {
        model->backend->kick(instance);
    }
    return runs;
}

bool hc_dispatch_cancel(struct hc_request *request) {
    struct hc_model *model = request->model;
    uint64_t now_ns = hc_clock_ns();
    struct hc_list dropped;
    struct hc_list *link;
    hc_list_init(&dropped);
    pthread_mutex_lock(&model->lock);
    bool handed = request->_instance != NULL;
    bool queued =
        hc_schedule_has(request) ||
        (handed && executions_take_back(request->_instance, executions_place_of(request), now_ns));
    if (queued) {
        hc_schedule_cancel(request, now_ns, &dropped);
    } else if (handed) {
        model->backend->cancel(request);
    }
    while ((link = hc_list_pop(&dropped)) != NULL) {
        dispatch_fail_later(hc_request_of_job(link), HC_CANCELLED, "");
    }
    dispatch_and_unlock(model, now_ns);
    return queued;
}

/* For an instance that has nothing to do: take back what waits behind another's execution. */
static void take_back_waiting(struct hc_model *model) {
    for (size_t i = 0; i < model->n_instances && !executions_take_back_last(model->instances[i]);
         i++) {
    }
}

bool hc_dispatch_executed(struct hc_instance *instance, uint64_t execution_id,
                          const struct hc_stats_times *times) {
    struct hc_model *model = instance->model;
    pthread_mutex_lock(&model->lock);
    unsigned place = executions_find(instance, execution_id);
    if (place == instance->n_executions) {
        pthread_mutex_unlock(&model->lock);
        return false;
    }
    while (hc_list_pop(&instance->executions[place].requests) != NULL) {
    }
    if (instance->executions[place].counted) {
        hc_stats_count_execution(model, instance->executions[place].batch_size, times);
    }
    executions_remove(instance, place);
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

void hc_dispatch_take_back(struct hc_request *request) {
    pthread_mutex_lock(&request->model->lock);
    executions_detach(request);
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
    executions_detach(request);
    if (request->_job.sequence == NULL && model->n_leaving == 0) {
        pthread_mutex_unlock(&model->lock);
        return;
    }
    uint64_t now_ns = hc_clock_ns();
    hc_schedule_done(request, now_ns);
    dispatch_and_unlock(model, now_ns);
}

void hc_dispatch_fail_queue(struct hc_model *model, enum hc_code code, const char *message) {
    pthread_mutex_lock(&model->lock);
    struct hc_request *request;
    while ((request = hc_schedule_first(model)) != NULL) {
        hc_schedule_remove(request, hc_clock_ns());
        dispatch_fail_later(request, code, message);
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
    unsigned n_running = hc_model_concurrency(model);
    for (size_t i = 0; i < model->n_instances; i++) {
        const struct hc_instance *instance = model->instances[i];
        for (unsigned j = n_running; j < instance->n_executions; j++) {
            n += instance->executions[j].n_requests;
        }
    }
    pthread_mutex_unlock(&model->lock);
    return n;
}
