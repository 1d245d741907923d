/* Plans: names become numbers. */
#include "plan.h"

#include <stdlib.h>

#include "base/alloc.h"

/* The names of the tensors known so far. */
struct names {
    struct hc_text *items;
    size_t n;
};

static size_t number_of(struct names *names, struct hc_text name) {
    for (size_t i = 0; i < names->n; i++) {
        if (hc_text_equal(names->items[i], name)) {
            return i;
        }
    }
    names->items[names->n] = name;
    return names->n++;
}

static struct plan_port make_port(struct names *names, const char *name, const char *tensor) {
    return (struct plan_port){
        .name = hc_text_of(name),
        .tensor = number_of(names, hc_text_of(tensor)),
    };
}

static void add_step(struct plan *plan, struct names *names, const struct hc_model *model,
                     const Inference__ModelEnsembling__Step *from) {
    struct plan_step *step = &plan->steps[plan->n_steps++];
    *step = (struct plan_step){
        .model = from->model_name,
        .namespace_ = model->namespace_ != NULL && from->model_namespace[0] != '\0'
                          ? from->model_namespace
                          : model->namespace_,
        .version = from->model_version,
        .inputs = hc_pool_alloc(&plan->memory, from->n_input_map * sizeof *step->inputs),
        .n_inputs = from->n_input_map,
        .outputs = hc_pool_alloc(&plan->memory, from->n_output_map * sizeof *step->outputs),
        .n_outputs = from->n_output_map,
    };
    for (size_t i = 0; i < step->n_inputs; i++) {
        step->inputs[i] = make_port(names, from->input_map[i]->key, from->input_map[i]->value);
    }
    for (size_t i = 0; i < step->n_outputs; i++) {
        step->outputs[i] = make_port(names, from->output_map[i]->key, from->output_map[i]->value);
    }
}

static size_t *number_all(struct plan *plan, struct names *names, const struct hc_model_io *ios,
                          size_t n) {
    size_t *numbers = hc_pool_alloc(&plan->memory, n * sizeof *numbers);
    for (size_t i = 0; i < n; i++) {
        numbers[i] = number_of(names, ios[i].name);
    }
    return numbers;
}

struct plan *plan_create(const struct hc_model *model) {
    const Inference__ModelEnsembling *from = model->config->ensemble_scheduling;
    struct plan *plan = hc_new(struct plan);
    size_t n_most = model->n_inputs + model->n_outputs;
    for (size_t i = 0; i < from->n_step; i++) {
        n_most += from->step[i]->n_input_map + from->step[i]->n_output_map;
    }
    hc_auto(memory) items = hc_alloc_array(n_most, sizeof(struct hc_text));
    struct names names = {.items = items};
    plan->inputs = number_all(plan, &names, model->inputs, model->n_inputs);
    plan->outputs = number_all(plan, &names, model->outputs, model->n_outputs);
    plan->steps = hc_pool_alloc(&plan->memory, from->n_step * sizeof *plan->steps);
    for (size_t i = 0; i < from->n_step; i++) {
        add_step(plan, &names, model, from->step[i]);
    }
    plan->n_tensors = names.n;
    plan->max_in_flight = from->max_inflight_requests;
    return plan;
}

void plan_destroy(struct plan *plan) {
    hc_pool_finish(&plan->memory);
    free(plan);
}
