/* Handing a life to the loops, or taking it back: a task for each of them, then one for the caller.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "internal.h"

struct handover {
    struct pyhost *host;
    void (*step)(struct loop_side *side, struct pyhost *host);
    void (*done)(
        struct pyhost *host); /* on the control thread, when every loop has done its step */
    atomic_size_t n_left;
    struct hc_task finish;
    struct handover_task {
        struct hc_task task;
        struct handover *handover;
        struct loop_side *side;
    } tasks[];
};

static void finish_handover(struct hc_task *task) {
    struct handover *handover = hc_list_item(task, struct handover, finish);
    struct pyhost *host = handover->host;
    void (*done)(struct pyhost *) = handover->done;
    free(handover);
    done(host);
    pyhost_unref(host);
}

static void run_step(struct hc_task *task) {
    struct handover_task *own = hc_list_item(task, struct handover_task, task);
    struct handover *handover = own->handover;
    handover->step(own->side, handover->host);
    if (atomic_fetch_sub(&handover->n_left, 1) == 1) {
        hc_loop_post(handover->host->owner->model->server->control, &handover->finish);
    }
}

void pyhost_hand_over(struct pyhost *host,
                      void (*step)(struct loop_side *side, struct pyhost *host),
                      void (*done)(struct pyhost *host)) {
    struct python_model *model = host->owner->model;
    struct handover *handover =
        hc_alloc(sizeof *handover + model->n_loops * sizeof handover->tasks[0]);
    pyhost_ref(host);
    handover->host = host;
    handover->step = step;
    handover->done = done;
    handover->finish.run = finish_handover;
    atomic_init(&handover->n_left, model->n_loops);
    for (size_t i = 0; i < model->n_loops; i++) {
        handover->tasks[i] = (struct handover_task){
            .task = {.run = run_step}, .handover = handover, .side = &model->sides[i]};
        hc_loop_post(model->server->contexts[i].loop, &handover->tasks[i].task);
    }
}
