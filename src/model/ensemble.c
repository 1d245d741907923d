/* Ensembles held against the models that they are made of. */
#include "model/ensemble.h"

#include "base/alloc.h"
#include "ensemble_tensors.h"

struct flow {
    const Inference__ModelConfig *ensemble;
    hc_ensemble_find find;
    void *context;
    struct hc_ensemble_tensors tensors;
};

static struct hc_ensemble_tensor *find_tensor(const struct flow *flow, const char *name) {
    return hc_ensemble_tensor_find(&flow->tensors, name);
}

static const Inference__ModelEnsembling *steps_of(const struct flow *flow) {
    return flow->ensemble->ensemble_scheduling;
}

static const Inference__ModelConfig *model_of(const struct flow *flow,
                                              const Inference__ModelEnsembling__Step *step) {
    return flow->find(flow->context, step);
}

/* The ensemble's own inputs and outputs, as its models see them. */
static void add_own_tensors(struct flow *flow) {
    const Inference__ModelConfig *config = flow->ensemble;
    for (size_t i = 0; i < config->n_input + config->n_output; i++) {
        bool output = i >= config->n_input;
        struct hc_config_tensor own =
            output ? hc_config_output(config, i - config->n_input) : hc_config_input(config, i);
        hc_ensemble_tensor_add(
            &flow->tensors, (struct hc_ensemble_tensor){
                                .name = own.name,
                                .model = config->name,
                                .data_type = (Inference__DataType)own.dtype,
                                .dims = own.reshape != NULL ? own.reshape->shape : own.dims,
                                .n_dims = own.reshape != NULL ? own.reshape->n_shape : own.n_dims,
                                .batching = hc_config_is_batching(config),
                                .visited = !output,
                            });
    }
}

static struct hc_ensemble_tensor tensor_of(const Inference__ModelConfig *model,
                                           struct hc_config_tensor inner, const char *name) {
    return (struct hc_ensemble_tensor){
        .name = name,
        .model = model->name,
        .data_type = (Inference__DataType)inner.dtype,
        .dims = inner.dims,
        .n_dims = inner.n_dims,
        .batching = hc_config_is_batching(model),
    };
}

static bool find_input(const Inference__ModelConfig *model, const char *name, size_t *index) {
    for (size_t i = 0; i < model->n_input; i++) {
        if (strcmp(model->input[i]->name, name) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

static bool find_output(const Inference__ModelConfig *model, const char *name, size_t *index) {
    for (size_t i = 0; i < model->n_output; i++) {
        if (strcmp(model->output[i]->name, name) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

static bool is_mapped(const Inference__ModelEnsembling__Step *step, const char *input) {
    for (size_t i = 0; i < step->n_input_map; i++) {
        if (strcmp(step->input_map[i]->key, input) == 0) {
            return true;
        }
    }
    return false;
}

static enum hc_code check_inputs(struct flow *flow, const Inference__ModelEnsembling__Step *step,
                                 const Inference__ModelConfig *model, struct hc_error *error) {
    size_t index;
    for (size_t i = 0; i < step->n_input_map; i++) {
        if (!find_input(model, step->input_map[i]->key, &index)) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "in ensemble %s, ensemble tensor %s is mapping to non-existing "
                                "input %s in model %s",
                                flow->ensemble->name, step->input_map[i]->value,
                                step->input_map[i]->key, step->model_name);
        }
    }
    for (size_t i = 0; i < step->n_input_map; i++) {
        find_input(model, step->input_map[i]->key, &index);
        struct hc_config_tensor input = hc_config_input(model, index);
        HC_TRY(hc_ensemble_tensor_mention(
            &flow->tensors, tensor_of(model, input, step->input_map[i]->value), error));
    }
    for (size_t i = 0; i < model->n_input; i++) {
        if (!model->input[i]->optional && !is_mapped(step, model->input[i]->name)) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "in ensemble %s, input %s in model %s is not mapped to any "
                                "ensemble tensors",
                                flow->ensemble->name, model->input[i]->name, step->model_name);
        }
    }
    return HC_OK;
}

static enum hc_code check_outputs(struct flow *flow, const Inference__ModelEnsembling__Step *step,
                                  const Inference__ModelConfig *model, struct hc_error *error) {
    for (size_t i = 0; i < step->n_output_map; i++) {
        size_t index;
        if (!find_output(model, step->output_map[i]->key, &index)) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "in ensemble %s, ensemble tensor %s is mapped from non-existing "
                                "output %s in model %s",
                                flow->ensemble->name, step->output_map[i]->value,
                                step->output_map[i]->key, step->model_name);
        }
        struct hc_config_tensor output = hc_config_output(model, index);
        HC_TRY(hc_ensemble_tensor_mention(
            &flow->tensors, tensor_of(model, output, step->output_map[i]->value), error));
    }
    return HC_OK;
}

static enum hc_code check_step(struct flow *flow, const Inference__ModelEnsembling__Step *step,
                               struct hc_error *error) {
    const Inference__ModelConfig *model = model_of(flow, step);
    if (model == NULL) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "ensemble %s contains models that are not available or ambiguous: %s",
                            flow->ensemble->name, step->model_name);
    }
    if (model->max_batch_size != 0 && model->max_batch_size < flow->ensemble->max_batch_size) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "ensemble %s allows maximum batch size %d, but it contains model %s "
                            "which only allows maximum batch size to be %d",
                            flow->ensemble->name, (int)flow->ensemble->max_batch_size,
                            step->model_name, (int)model->max_batch_size);
    }
    HC_TRY(check_inputs(flow, step, model, error));
    return check_outputs(flow, step, model, error);
}

/*
 * Let the step run: its outputs are there, and there are as many of them as its decoupled model
 * gives answers, or as there are of its inputs, which must all come in the same number. RAN is
 * false when inputs are missing.
 */
static enum hc_code run_step(struct flow *flow, size_t index, bool *ran, struct hc_error *error) {
    const Inference__ModelEnsembling__Step *step = steps_of(flow)->step[index];
    size_t origin = find_tensor(flow, step->input_map[0]->value)->origin;
    bool same = true;
    *ran = false;
    for (size_t i = 0; i < step->n_input_map; i++) {
        const struct hc_ensemble_tensor *input = find_tensor(flow, step->input_map[i]->value);
        if (!input->visited) {
            return HC_OK;
        }
        same = same && input->origin == origin;
    }
    if (!same) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "in ensemble %s, step of model '%s' receives inputs originated from "
                            "different decoupled models",
                            flow->ensemble->name, step->model_name);
    }
    for (size_t i = 0; i < step->n_output_map; i++) {
        struct hc_ensemble_tensor *output = find_tensor(flow, step->output_map[i]->value);
        *ran = *ran || !output->visited;
        output->visited = true;
        output->origin = hc_config_is_decoupled(model_of(flow, step)) ? index + 1 : origin;
    }
    return HC_OK;
}

static enum hc_code run_steps(struct flow *flow, struct hc_error *error) {
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < steps_of(flow)->n_step; i++) {
            bool ran;
            HC_TRY(run_step(flow, i, &ran, error));
            changed = changed || ran;
        }
    }
    const Inference__ModelConfig *ensemble = flow->ensemble;
    for (size_t i = 1; i < ensemble->n_output; i++) {
        if (find_tensor(flow, ensemble->output[i]->name)->origin !=
            find_tensor(flow, ensemble->output[0]->name)->origin) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "in ensemble %s, step of model '%s' receives inputs originated "
                                "from different decoupled models",
                                ensemble->name, ensemble->name);
        }
    }
    return HC_OK;
}

static enum hc_code check_flow(struct flow *flow, struct hc_error *error) {
    add_own_tensors(flow);
    for (size_t i = 0; i < steps_of(flow)->n_step; i++) {
        HC_TRY(check_step(flow, steps_of(flow)->step[i], error));
    }
    return run_steps(flow, error);
}

static bool has_origin(const struct flow *flow) {
    for (size_t i = 0; i < flow->tensors.n; i++) {
        if (flow->tensors.items[i].origin != 0) {
            return true;
        }
    }
    return false;
}

enum hc_code hc_ensemble_settle(Inference__ModelConfig *ensemble, hc_ensemble_find find,
                                void *context, struct hc_error *error) {
    struct flow flow = {.ensemble = ensemble, .find = find, .context = context};
    size_t n_most = ensemble->n_input + ensemble->n_output;
    for (size_t i = 0; i < steps_of(&flow)->n_step; i++) {
        const Inference__ModelEnsembling__Step *step = steps_of(&flow)->step[i];
        n_most += step->n_input_map + step->n_output_map;
    }
    hc_auto(memory) items = hc_alloc_array(n_most, sizeof *flow.tensors.items);
    flow.tensors = (struct hc_ensemble_tensors){.ensemble = ensemble->name, .items = items};
    HC_TRY(check_flow(&flow, error));
    hc_config_set_decoupled(ensemble, has_origin(&flow));
    return HC_OK;
}
