/* A wave: the tensors of a request, or of one decoupled response, as far as they are there. */
#include <stdlib.h>

#include "base/alloc.h"
#include "core/arena.h"
#include "core/model.h"
#include "run.h"

static void drop_value(struct value *value) {
    holder_release(hc_take(value->holder));
    value->data = NULL;
}

void wave_free(struct wave *wave) {
    for (size_t i = 0; i < wave->run->plan->n_tensors; i++) {
        drop_value(&wave->values[i]);
    }
    hc_list_remove(&wave->link);
    free(wave->started);
    free(wave);
}

struct wave *wave_add(struct run *run, struct hc_list *place) {
    const struct plan *plan = run->plan;
    struct wave *wave = hc_alloc(sizeof *wave + plan->n_tensors * sizeof wave->values[0]);
    wave->run = run;
    wave->started = hc_alloc_array(plan->n_steps, sizeof *wave->started);
    hc_list_insert_after(place, &wave->link);
    return wave;
}

void wave_unuse(struct wave *wave) {
    if (--wave->n_uses == 0 && wave->answered) {
        wave_free(wave);
    }
}

bool wave_is_complete(const struct wave *wave) {
    const struct run *run = wave->run;
    for (size_t i = 0; i < run->model->n_outputs; i++) {
        if (answer_has(run, i) && wave->values[run->plan->outputs[i]].state != VALUE_THERE) {
            return false;
        }
    }
    return true;
}

static struct holder *hold_input(const struct run *run, const struct hc_input *input) {
    if (input->block == NULL) {
        return NULL;
    }
    struct holder *holder = hc_new(struct holder);
    *holder = (struct holder){.arena = run->model->arena, .block = input->block, .n_users = 1};
    hc_arena_ref(holder->arena, holder->block);
    return holder;
}

void wave_set_inputs(struct wave *wave) {
    const struct run *run = wave->run;
    for (size_t i = 0; i < run->model->n_inputs; i++) {
        struct value *value = &wave->values[run->plan->inputs[i]];
        value->state = VALUE_ABSENT;
        for (size_t j = 0; j < run->request->n_inputs; j++) {
            const struct hc_input *input = &run->request->inputs[j];
            if (hc_text_equal(input->name, run->model->inputs[i].name)) {
                *value = (struct value){
                    .state = VALUE_THERE,
                    .dtype = input->dtype,
                    .dims = input->dims,
                    .n_dims = input->n_dims,
                    .data = hc_request_input_data(run->request, input),
                    .size = input->size,
                    .holder = hold_input(run, input),
                };
            }
        }
    }
}

bool wave_is_ready(const struct wave *wave, size_t index) {
    const struct run *run = wave->run;
    const struct plan_step *step = &run->plan->steps[index];
    size_t max = run->plan->max_in_flight;
    if (wave->started[index] || !run->needed[index] ||
        (max > 0 && run->n_in_flight[index] >= max)) {
        return false;
    }
    size_t n_there = 0;
    for (size_t i = 0; i < step->n_inputs; i++) {
        enum value_state state = wave->values[step->inputs[i].tensor].state;
        const struct hc_model_io *io =
            hc_model_find_input(run->models[index], step->inputs[i].name);
        if (state == VALUE_AWAITED || (state == VALUE_ABSENT && (io == NULL || !io->optional))) {
            return false;
        }
        n_there += state == VALUE_THERE ? 1 : 0;
    }
    return n_there > 0;
}

/* Whether a step that has not started, or the answer, still needs the tensor. */
static bool is_used(const struct wave *wave, size_t tensor) {
    const struct plan *plan = wave->run->plan;
    for (size_t i = 0; i < plan->n_steps; i++) {
        for (size_t j = 0; j < plan->steps[i].n_inputs; j++) {
            if (plan->steps[i].inputs[j].tensor == tensor && !wave->started[i] &&
                wave->run->needed[i]) {
                return true;
            }
        }
    }
    for (size_t i = 0; i < wave->run->model->n_outputs; i++) {
        if (plan->outputs[i] == tensor) {
            return true;
        }
    }
    return false;
}

void wave_drop_unused(struct wave *wave, size_t index) {
    const struct plan_step *step = &wave->run->plan->steps[index];
    for (size_t i = 0; i < step->n_inputs; i++) {
        if (!is_used(wave, step->inputs[i].tensor)) {
            drop_value(&wave->values[step->inputs[i].tensor]);
        }
    }
}

static const struct hc_output *find_output(const struct hc_response *response,
                                           struct hc_text name) {
    for (size_t i = 0; i < response->n_outputs; i++) {
        if (hc_text_equal(response->outputs[i].name, name)) {
            return &response->outputs[i];
        }
    }
    return NULL;
}

void wave_take_outputs(struct wave *wave, size_t index, struct hc_response *response) {
    const struct plan_step *step = &wave->run->plan->steps[index];
    struct holder *holder = hc_new(struct holder);
    *holder = (struct holder){.response = response, .n_users = 1};
    for (size_t i = 0; i < step->n_outputs; i++) {
        const struct hc_output *output = find_output(response, step->outputs[i].name);
        struct value *value = &wave->values[step->outputs[i].tensor];
        if (output == NULL) {
            value->state = VALUE_ABSENT;
            continue;
        }
        *value = (struct value){
            .state = VALUE_THERE,
            .dtype = output->dtype,
            .dims = output->dims,
            .n_dims = output->n_dims,
            .data = output->data,
            .size = output->size,
            .holder = holder,
        };
        holder->n_users++;
        if (!is_used(wave, step->outputs[i].tensor)) {
            drop_value(value);
        }
    }
    holder_release(holder);
}
