/* Dispatch: instances that come, go and die. */
#include "core/dispatch.h"

#include "base/clock.h"
#include "core/rate_limit.h"
#include "core/schedule.h"
#include "dispatch_internal.h"

static struct hc_request *unanswered_item(struct hc_list *link) {
    return hc_list_item(link, struct hc_request, _instance_link);
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
    (void)executions_take_back_last(instance);
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
            executions_requeue(model, &instance->executions[i], now_ns);
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
        dispatch_fail_later(request, code, message);
    }
    dispatch_and_unlock(model, now_ns);
}
