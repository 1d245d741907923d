/* Inputs and outputs: completed from the stack, or checked against it. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "internal.h"
#include "model/config_json.h"

/* ---- Completion ---- */

/* Any number of rows, unless they are the batch. */
static size_t make_dims(const Inference__ModelConfig *config, size_t width, int64_t **dims) {
    size_t n = config->max_batch_size > 0 ? 1 : 2;
    *dims = hc_alloc_array(n, sizeof **dims);
    (*dims)[0] = -1;
    (*dims)[n - 1] = (int64_t)width;
    return n;
}

static void add_input(Inference__ModelConfig *config, const struct stack *stack) {
    Inference__ModelInput *input = hc_new(Inference__ModelInput);
    inference__model_input__init(input);
    input->name = hc_strdup("x");
    input->data_type = (Inference__DataType)stack->native;
    input->n_dims = make_dims(config, stack->n_in, &input->dims);
    config->input = hc_alloc_array(1, sizeof *config->input);
    config->input[0] = input;
    config->n_input = 1;
}

static void add_output(Inference__ModelConfig *config, const struct stack *stack) {
    Inference__ModelOutput *output = hc_new(Inference__ModelOutput);
    inference__model_output__init(output);
    output->name = hc_strdup("y");
    output->data_type = (Inference__DataType)stack->native;
    output->n_dims = make_dims(config, stack->n_out, &output->dims);
    config->output = hc_alloc_array(1, sizeof *config->output);
    config->output[0] = output;
    config->n_output = 1;
}

static enum hc_code complete(struct hc_model *model, const struct stack *stack,
                             struct hc_error *error) {
    hc_auto(config) completed = hc_config_copy(model->config);
    hc_auto_buf json = {0};
    if (completed->n_input == 0) {
        add_input(completed, stack);
    }
    if (completed->n_output == 0) {
        add_output(completed, stack);
    }
    hc_config_json_print(completed, &json);
    return hc_model_complete(model, hc_buf_string(&json), error);
}

struct run_types linear_types(const struct hc_model *model, const struct stack *stack) {
    const Inference__ModelConfig *config = model->config;
    return (struct run_types){
        .x = config->n_input == 1 ? hc_config_input(config, 0).dtype : stack->native,
        .y = config->n_output == 1 ? hc_config_output(config, 0).dtype : stack->native,
    };
}

/* ---- Checks ---- */

static enum hc_code check_type(const char *what, const struct hc_config_tensor *tensor,
                               const struct stack *stack, struct hc_error *error) {
    bool fits = stack->is_double
                    ? tensor->dtype == HC_DTYPE_FP64
                    : tensor->dtype == HC_DTYPE_FP32 || tensor->dtype == HC_DTYPE_FP16 ||
                          tensor->dtype == HC_DTYPE_BF16;
    if (!fits) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "%s '%s' is %s in the model configuration, but the weights are for %s",
                            what, tensor->name, hc_dtype_config_name(tensor->dtype),
                            stack->is_double ? "TYPE_FP64" : "TYPE_FP32, TYPE_FP16 or TYPE_BF16");
    }
    return HC_OK;
}

static enum hc_code check_tensor(const char *what, const struct hc_config_tensor *tensor,
                                 size_t width, const struct stack *stack, struct hc_error *error) {
    HC_TRY(check_type(what, tensor, stack, error));
    const int64_t *dims = tensor->reshape == NULL ? tensor->dims : tensor->reshape->shape;
    size_t n_dims = tensor->reshape == NULL ? tensor->n_dims : tensor->reshape->n_shape;
    if (n_dims == 0 || dims[n_dims - 1] != (int64_t)width) {
        hc_auto_buf shape = {0};
        hc_shape_append(&shape, dims, n_dims);
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "%s '%s' has the shape %s in the model configuration, but the weights "
                            "are for a last dimension of %zu",
                            what, tensor->name, hc_buf_string(&shape), width);
    }
    return HC_OK;
}

/* But for the last dimension, what goes in comes out. */
static enum hc_code check_rows(const struct hc_config_tensor *x, const struct hc_config_tensor *y,
                               struct hc_error *error) {
    if (x->reshape != NULL || y->reshape != NULL) {
        return hc_error_set(error, HC_UNIMPLEMENTED, "the linear backend does not reshape");
    }
    bool same = x->n_dims == y->n_dims;
    for (size_t i = 0; same && i + 1 < x->n_dims; i++) {
        same = x->dims[i] == y->dims[i];
    }
    if (!same) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "output '%s' must have the dimensions of input '%s', but for the last",
                            y->name, x->name);
    }
    return HC_OK;
}

static enum hc_code check(const Inference__ModelConfig *config, const struct stack *stack,
                          struct hc_error *error) {
    if (config->n_input != 1 || config->n_output != 1) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "a linear model has one input and one output, the model configuration "
                            "has %zu and %zu",
                            config->n_input, config->n_output);
    }
    if (config->scheduling_choice_case ==
            INFERENCE__MODEL_CONFIG__SCHEDULING_CHOICE_SEQUENCE_BATCHING &&
        config->sequence_batching->n_state > 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "a linear model has no state");
    }
    if (hc_config_is_decoupled(config)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "a linear model is never decoupled");
    }
    struct hc_config_tensor x = hc_config_input(config, 0);
    struct hc_config_tensor y = hc_config_output(config, 0);
    if (x.optional) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "input '%s' cannot be optional", x.name);
    }
    HC_TRY(check_tensor("input", &x, stack->n_in, stack, error));
    HC_TRY(check_tensor("output", &y, stack->n_out, stack, error));
    return check_rows(&x, &y, error);
}

enum hc_code linear_settle_config(struct hc_model *model, const struct stack *stack,
                                  struct hc_error *error) {
    HC_TRY(complete(model, stack, error));
    return check(model->config, stack, error);
}
