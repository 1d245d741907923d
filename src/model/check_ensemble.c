/* Checking an ensemble in itself: every tensor is written once, by then, and for something. */
#include "base/alloc.h"
#include "check.h"

/* A tensor between the steps. */
struct tensor {
    const char *name;
    const Inference__ModelEnsembling__Step *writer; /* NULL: none, as for the ensemble's inputs */
    bool used;                                      /* by a step */
    bool ready;                                     /* can be there */
    bool seen;                                      /* in the search for what is missing */
};

struct graph {
    const Inference__ModelConfig *config;
    struct tensor *tensors;
    size_t n_tensors;
};

static struct tensor *find(const struct graph *graph, const char *name) {
    for (size_t i = 0; i < graph->n_tensors; i++) {
        if (strcmp(graph->tensors[i].name, name) == 0) {
            return &graph->tensors[i];
        }
    }
    return NULL;
}

static struct tensor *find_or_add(struct graph *graph, const char *name) {
    struct tensor *tensor = find(graph, name);
    if (tensor == NULL) {
        tensor = &graph->tensors[graph->n_tensors++];
        *tensor = (struct tensor){.name = name};
    }
    return tensor;
}

static enum hc_code fail_step(const Inference__ModelConfig *config, const char *missing,
                              size_t index, struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "must specify '%s' in step %zu of ensemble '%s'", missing, index,
                        config->name);
}

static enum hc_code add_step(struct graph *graph, size_t index, struct hc_error *error) {
    const Inference__ModelConfig *config = graph->config;
    const Inference__ModelEnsembling__Step *step = config->ensemble_scheduling->step[index];
    if (step->model_name[0] == '\0') {
        return fail_step(config, "model_name", index, error);
    }
    if (step->n_input_map == 0) {
        return fail_step(config, "input_map", index, error);
    }
    if (step->n_output_map == 0) {
        return fail_step(config, "output_map", index, error);
    }
    for (size_t i = 0; i < step->n_output_map; i++) {
        struct tensor *tensor = find_or_add(graph, step->output_map[i]->value);
        if (tensor->writer != NULL) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "ensemble tensor '%s' can appear in an output map only once for "
                                "ensemble '%s' step %zu",
                                tensor->name, config->name, index);
        }
        tensor->writer = step;
    }
    for (size_t i = 0; i < step->n_input_map; i++) {
        find_or_add(graph, step->input_map[i]->value)->used = true;
    }
    return HC_OK;
}

/* Tensors there can be at most. */
static size_t count_mentions(const Inference__ModelEnsembling *ensembling) {
    size_t n = 0;
    for (size_t i = 0; i < ensembling->n_step; i++) {
        n += ensembling->step[i]->n_input_map + ensembling->step[i]->n_output_map;
    }
    return n;
}

static bool has_inputs(const struct graph *graph, const Inference__ModelEnsembling__Step *step) {
    for (size_t i = 0; i < step->n_input_map; i++) {
        if (!find(graph, step->input_map[i]->value)->ready) {
            return false;
        }
    }
    return true;
}

/* Mark what the ensemble's inputs lead to. */
static enum hc_code flow(struct graph *graph, struct hc_error *error) {
    const Inference__ModelConfig *config = graph->config;
    for (size_t i = 0; i < config->n_input; i++) {
        struct tensor *tensor = find(graph, config->input[i]->name);
        if (tensor == NULL) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "ensemble input '%s' for ensemble %s' is not used",
                                config->input[i]->name, config->name);
        }
        tensor->ready = true;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < graph->n_tensors; i++) {
            struct tensor *tensor = &graph->tensors[i];
            if (!tensor->ready && tensor->writer != NULL && has_inputs(graph, tensor->writer)) {
                tensor->ready = true;
                changed = true;
            }
        }
    }
    return HC_OK;
}

/* An input that TENSOR waits for, not seen before; NULL when there is none. */
static struct tensor *find_missing(const struct graph *graph, const struct tensor *tensor) {
    for (size_t i = 0; tensor->writer != NULL && i < tensor->writer->n_input_map; i++) {
        struct tensor *input = find(graph, tensor->writer->input_map[i]->value);
        if (!input->ready && !input->seen) {
            return input;
        }
    }
    return NULL;
}

/* Report that OUTPUT is not written, and go back to a tensor that is at the root of it. */
static enum hc_code fail_not_written(const struct graph *graph, const struct tensor *output,
                                     struct hc_error *error) {
    const struct tensor *root = output;
    for (struct tensor *missing; (missing = find_missing(graph, root)) != NULL;) {
        missing->seen = true;
        root = missing;
    }
    if (root == output) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "output '%s' for ensemble '%s' is not written", output->name,
                            graph->config->name);
    }
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "output '%s' for ensemble '%s' is not written: at least one of its "
                        "depending tensors, '%s', is not connected",
                        output->name, graph->config->name, root->name);
}

static enum hc_code check_outputs(const struct graph *graph, struct hc_error *error) {
    const Inference__ModelConfig *config = graph->config;
    for (size_t i = 0; i < config->n_output; i++) {
        struct tensor *tensor = find(graph, config->output[i]->name);
        if (tensor == NULL) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "ensemble output '%s' for ensemble %s' is not used",
                                config->output[i]->name, config->name);
        }
        if (!tensor->ready) {
            return fail_not_written(graph, tensor, error);
        }
        tensor->used = true;
    }
    return HC_OK;
}

static enum hc_code check_uses(const struct graph *graph, struct hc_error *error) {
    for (size_t i = 0; i < graph->n_tensors; i++) {
        const struct tensor *tensor = &graph->tensors[i];
        if (!tensor->ready || !tensor->used) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "ensemble tensor '%s' is unused in ensemble '%s'", tensor->name,
                                graph->config->name);
        }
    }
    return HC_OK;
}

/* What an ensemble cannot have because it has no instances. */
static enum hc_code check_settings(const Inference__ModelConfig *config, struct hc_error *error) {
    if (strcmp(config->platform, "ensemble") != 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "ensemble scheduling cannot be set for model '%s' whose platform is "
                            "not ensemble",
                            config->name);
    }
    if (config->n_instance_group > 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "instance group should not be specified for ensemble '%s'",
                            config->name);
    }
    if (config->optimization != NULL) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "optimization should not be specified for ensemble '%s'", config->name);
    }
    if (config->n_model_warmup > 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "model_warmup can not be specified for ensemble '%s'", config->name);
    }
    if (config->ensemble_scheduling->n_step == 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "must specify 'step' for ensemble '%s'",
                            config->name);
    }
    return HC_OK;
}

enum hc_code hc_check_ensemble(const Inference__ModelConfig *config, struct hc_error *error) {
    HC_TRY(check_settings(config, error));
    const Inference__ModelEnsembling *ensembling = config->ensemble_scheduling;
    hc_auto(memory) tensors = hc_alloc_array(count_mentions(ensembling), sizeof(struct tensor));
    struct graph graph = {.config = config, .tensors = tensors};
    for (size_t i = 0; i < ensembling->n_step; i++) {
        HC_TRY(add_step(&graph, i, error));
    }
    HC_TRY(flow(&graph, error));
    HC_TRY(check_outputs(&graph, error));
    return check_uses(&graph, error);
}
