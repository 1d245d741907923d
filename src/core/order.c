/* Responses that are held back until those before them have left. */
#include "core/order.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "core/context.h"
#include "core/model.h"

struct held {
    struct hc_list link;
    struct hc_response *response;
    bool final;
};

void hc_order_add(struct hc_request *request) {
    hc_list_init(&request->_held);
    hc_list_append(&request->model->order, &request->_order_link);
}

static void on_turn(struct hc_task *task);

/* It is the turn of the next one, which may have been waiting for that. */
static void pass_on(struct hc_model *model) {
    if (hc_list_empty(&model->order)) {
        return;
    }
    struct hc_request *next = hc_list_item(model->order.next, struct hc_request, _order_link);
    if (!hc_list_empty(&next->_held)) {
        next->_order_task.run = on_turn;
        next->_order_posted = true;
        hc_loop_post(next->context->loop, &next->_order_task);
    }
}

/* The first of the request's held responses; the last one ends its turn. NULL: there is none. */
static struct held *take(struct hc_request *request) {
    struct hc_model *model = request->model;
    pthread_mutex_lock(&model->lock);
    struct hc_list *link = hc_list_pop(&request->_held);
    struct held *held = link == NULL ? NULL : hc_list_item(link, struct held, link);
    if (held != NULL && held->final) {
        hc_list_remove(&request->_order_link);
        pass_on(model);
    }
    request->_order_posted = false;
    pthread_mutex_unlock(&model->lock);
    return held;
}

/* On the loop of the request whose turn it is. */
static void deliver_held(struct hc_request *request) {
    struct held *held;
    bool final = false;
    while (!final && (held = take(request)) != NULL) {
        struct hc_response *response = held->response;
        final = held->final;
        free(held);
        hc_request_deliver(request, response, final);
    }
}

static void on_turn(struct hc_task *task) {
    deliver_held(hc_list_item(task, struct hc_request, _order_task));
}

void hc_order_answer(struct hc_request *request, struct hc_response *response, bool final) {
    struct hc_model *model = request->model;
    struct held *held = hc_new(struct held);
    held->response = response;
    held->final = final;
    pthread_mutex_lock(&model->lock);
    hc_list_append(&request->_held, &held->link);
    bool turn = model->order.next == &request->_order_link && !request->_order_posted;
    pthread_mutex_unlock(&model->lock);
    if (turn) {
        deliver_held(request);
    }
}
