/* Executions: what an instance has been given, as far as it has not run. */
#include "base/clock.h"
#include "core/schedule.h"
#include "dispatch_internal.h"

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

void executions_add(struct hc_instance *instance, struct hc_list *batch, uint64_t now_ns) {
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

void executions_remove(struct hc_instance *instance, unsigned place) {
    for (unsigned i = place + 1; i < instance->n_executions; i++) {
        move_execution(&instance->executions[i - 1], &instance->executions[i]);
    }
    instance->n_executions--;
}

void executions_fill_up(struct hc_instance *instance, struct hc_execution *execution,
                        uint64_t now_ns) {
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

void executions_detach(struct hc_request *request) {
    hc_list_remove(&request->_job.link);
    hc_list_remove(&request->_instance_link);
    request->_instance = NULL;
}

void executions_requeue(struct hc_model *model, struct hc_execution *execution, uint64_t now_ns) {
    while (!hc_list_empty(&execution->requests)) {
        struct hc_request *request = hc_request_of_job(execution->requests.previous);
        executions_detach(request);
        if (model->has_sequences && request->_job.sequence == NULL) {
            dispatch_fail_later(request, HC_CANCELLED, "");
        } else {
            hc_schedule_put_back(request, now_ns);
        }
    }
}

unsigned executions_find(const struct hc_instance *instance, uint64_t id) {
    unsigned place = 0;
    while (place < instance->n_executions && instance->executions[place].id != id) {
        place++;
    }
    return place;
}

unsigned executions_place_of(const struct hc_request *request) {
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

bool executions_take_back(struct hc_instance *instance, unsigned place, uint64_t now_ns) {
    struct hc_model *model = instance->model;
    if (place == 0 || place >= instance->n_executions ||
        !model->backend->withdraw(instance, &instance->executions[place])) {
        return false;
    }
    executions_requeue(model, &instance->executions[place], now_ns);
    executions_remove(instance, place);
    return true;
}

bool executions_take_back_last(struct hc_instance *instance) {
    unsigned n = instance->n_executions;
    return n > 0 && executions_take_back(instance, n - 1, hc_clock_ns());
}
