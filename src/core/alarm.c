/* Alarms: one timer a loop for each model. */
#include "core/alarm.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "core/dispatch.h"
#include "core/model.h"

static const uint64_t longest_ns = 250 * HC_NS_PER_MS;

struct hc_alarm {
    struct hc_timer timer;
    struct hc_task turn_task; /* for the end of the turn */
    bool posted;
    struct hc_model *model;
};

static void on_due(struct hc_timer *timer) {
    struct hc_model *model = hc_list_item(timer, struct hc_alarm, timer)->model;
    pthread_mutex_lock(&model->lock);
    model->alarms._due_ns = UINT64_MAX;
    pthread_mutex_unlock(&model->lock);
    hc_dispatch_look(model);
    hc_model_unref(model);
}

static void on_turn_end(struct hc_task *task) {
    struct hc_alarm *alarm = hc_list_item(task, struct hc_alarm, turn_task);
    struct hc_model *model = alarm->model;
    alarm->posted = false;
    hc_dispatch_look(model);
    hc_model_unref(model);
}

void hc_alarms_init(struct hc_alarms *alarms, struct hc_model *model, size_t n_loops) {
    alarms->_due_ns = UINT64_MAX;
    alarms->_alarms = hc_alloc_array(n_loops, sizeof *alarms->_alarms);
    for (size_t i = 0; i < n_loops; i++) {
        alarms->_alarms[i] = (struct hc_alarm){
            .timer = {.on_due = on_due},
            .turn_task = {.run = on_turn_end},
            .model = model,
        };
    }
}

void hc_alarms_finish(struct hc_alarms *alarms) {
    free(alarms->_alarms);
}

void hc_alarms_set(struct hc_alarms *alarms, uint64_t due_ns) {
    if (due_ns >= alarms->_due_ns) {
        return;
    }
    uint64_t latest_ns = hc_clock_ns() + longest_ns;
    struct hc_loop *loop = hc_loop_current();
    struct hc_alarm *alarm = &alarms->_alarms[hc_loop_index(loop)];
    alarms->_due_ns = due_ns < latest_ns ? due_ns : latest_ns;
    if (!hc_timer_started(&alarm->timer)) {
        hc_model_ref(alarm->model);
    }
    hc_timer_start(loop, &alarm->timer, alarms->_due_ns);
}

void hc_alarms_set_for_turn(struct hc_alarms *alarms) {
    struct hc_loop *loop = hc_loop_current();
    struct hc_alarm *alarm = &alarms->_alarms[hc_loop_index(loop)];
    if (!alarm->posted) {
        alarm->posted = true;
        hc_model_ref(alarm->model);
        hc_loop_post(loop, &alarm->turn_task);
    }
}
