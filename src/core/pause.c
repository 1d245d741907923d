/* Back-pressure. */
#include "core/pause.h"

#include "core/context.h"
#include "core/infer.h"
#include "core/model.h"

static void tell_backend(struct hc_request *request) {
    struct hc_model *model = request->model;
    if (model->backend->pause == NULL) {
        return;
    }
    if (model->backend->infer != NULL) {
        model->backend->pause(request, request->_paused);
        return;
    }
    pthread_mutex_lock(&model->lock);
    if (request->_instance != NULL) {
        model->backend->pause(request, request->_paused);
    }
    pthread_mutex_unlock(&model->lock);
}

static void on_overdue(struct hc_timer *timer) {
    struct hc_request *request = hc_list_item(timer, struct hc_request, _pause_timer);
    request->overdue = true;
    hc_pause_end(request);
    hc_infer_cancel(request);
}

void hc_pause_begin(struct hc_request *request) {
    if (request->_paused || request->_cancelled) {
        return;
    }
    request->_paused = true;
    request->_pause_timer.on_due = on_overdue;
    hc_timer_start(request->context->loop, &request->_pause_timer,
                   hc_clock_ns() + HC_LONGEST_PAUSE_NS);
    tell_backend(request);
}

void hc_pause_end(struct hc_request *request) {
    if (request->_paused) {
        request->_paused = false;
        hc_timer_stop(&request->_pause_timer);
        tell_backend(request);
    }
}
