/* Checking inputs and outputs: datatypes, dimensions, reshapes. */
#include <stdio.h>

#include "check.h"
#include "tensor/shape.h"

/* What inputs and outputs have in common. */
struct io {
    const char *side; /* "input", "output" */
    const char *name;
    Inference__DataType data_type;
    const int64_t *dims;
    size_t n_dims;
    const Inference__ModelTensorReshape *reshape;
    bool is_shape_tensor;
    bool is_non_linear;
};

/* PROBLEM with the input or output, in Triton's words. */
static enum hc_code fail(const Inference__ModelConfig *config, const struct io *io,
                         const char *problem, struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT, "model %s '%s' %s for %s", io->side, io->name,
                        problem, config->name);
}

static enum hc_code fail_plainly(const Inference__ModelConfig *config, const char *problem,
                                 struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT, "%s for %s", problem, config->name);
}

static bool are_extents(const int64_t *dims, size_t n_dims) {
    for (size_t i = 0; i < n_dims; i++) {
        if (dims[i] < 1 && dims[i] != -1) {
            return false;
        }
    }
    return true;
}

/* The elements of the dimensions from *PLACE to the next -1, behind which it goes; -1 when there
 * are too many to count. */
static int64_t count_piece(const int64_t *dims, size_t n_dims, size_t *place) {
    size_t first = *place;
    size_t end = first;
    while (end < n_dims && dims[end] != -1) {
        end++;
    }
    int64_t count;
    *place = end + 1;
    return hc_shape_count(end > first ? dims + first : NULL, end - first, &count) ? count : -1;
}

static size_t count_variable(const int64_t *dims, size_t n_dims) {
    size_t n = 0;
    for (size_t i = 0; i < n_dims; i++) {
        n += dims[i] == -1;
    }
    return n;
}

/* Variable dimensions keep their places, and what is between them its size. */
static enum hc_code check_same_size(const Inference__ModelConfig *config, const struct io *io,
                                    struct hc_error *error) {
    const int64_t *shape = io->reshape->shape;
    size_t n_shape = io->reshape->n_shape;
    size_t n_variable = count_variable(io->dims, io->n_dims);
    size_t n_variable_shape = count_variable(shape, n_shape);
    if (n_variable != n_variable_shape) {
        return fail(config, io,
                    n_variable > 0 && n_variable_shape > 0
                        ? "has different number of variable-size dimensions for dims and reshape"
                        : "has different size for dims and reshape",
                    error);
    }
    size_t dims_place = 0;
    size_t shape_place = 0;
    for (size_t i = 0; i <= n_variable; i++) {
        int64_t count = count_piece(io->dims, io->n_dims, &dims_place);
        if (count == -1 || count != count_piece(shape, n_shape, &shape_place)) {
            return fail(config, io, "has different size for dims and reshape", error);
        }
    }
    return HC_OK;
}

static enum hc_code check_shape(const Inference__ModelConfig *config, const struct io *io,
                                struct hc_error *error) {
    if (io->name[0] == '\0') {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "model %s must specify 'name' for %s",
                            io->side, config->name);
    }
    if (io->data_type == INFERENCE__DATA_TYPE__TYPE_INVALID) {
        return fail(config, io, "must specify 'data_type'", error);
    }
    if (io->n_dims == 0) {
        return fail(config, io, "must specify 'dims'", error);
    }
    if (io->n_dims >= HC_SHAPE_MAX_DIMS ||
        (io->reshape != NULL && io->reshape->n_shape >= HC_SHAPE_MAX_DIMS)) {
        return fail(config, io, "has more dimensions than a tensor can have", error);
    }
    if (io->reshape != NULL && io->reshape->n_shape == 0 && config->max_batch_size == 0) {
        return fail(config, io,
                    "cannot have empty reshape for non-batching model as scalar tensors are not "
                    "supported",
                    error);
    }
    if (!are_extents(io->dims, io->n_dims)) {
        return fail(config, io,
                    "dimension must be integer >= 1, or -1 to indicate a variable-size dimension",
                    error);
    }
    if (io->reshape == NULL) {
        return HC_OK;
    }
    if (!are_extents(io->reshape->shape, io->reshape->n_shape)) {
        return fail(config, io,
                    "reshape dimensions must be integer >= 1, or -1 to indicate a variable-size "
                    "dimension",
                    error);
    }
    return check_same_size(config, io, error);
}

/* What only TensorRT has. */
static enum hc_code check_special(const Inference__ModelConfig *config, const struct io *io,
                                  struct hc_error *error) {
    bool tensorrt = strcmp(config->platform, "tensorrt_plan") == 0;
    if (io->is_shape_tensor && !tensorrt) {
        return fail_plainly(config, "shape tensors are only supported for TensorRT platform",
                            error);
    }
    if (io->is_non_linear && !tensorrt) {
        return fail_plainly(
            config, "Non-linear IO format is only supported for the TensorRT platform", error);
    }
    if (io->is_non_linear && io->n_dims != 3) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Non-linear IO format %s requires 3 dims for %s", io->side,
                            config->name);
    }
    return HC_OK;
}

static enum hc_code check_input(const Inference__ModelConfig *config,
                                const Inference__ModelInput *input, struct hc_error *error) {
    struct io io = {
        .side = "input",
        .name = input->name,
        .data_type = input->data_type,
        .dims = input->dims,
        .n_dims = input->n_dims,
        .reshape = input->reshape,
        .is_shape_tensor = input->is_shape_tensor,
        .is_non_linear = input->is_non_linear_format_io,
    };
    HC_TRY(check_shape(config, &io, error));
    if (input->format != INFERENCE__MODEL_INPUT__FORMAT__FORMAT_NONE && input->n_dims != 3) {
        return fail_plainly(config, "model input NHWC/NCHW require 3 dims", error);
    }
    return check_special(config, &io, error);
}

static enum hc_code check_output(const Inference__ModelConfig *config,
                                 const Inference__ModelOutput *output, struct hc_error *error) {
    struct io io = {
        .side = "output",
        .name = output->name,
        .data_type = output->data_type,
        .dims = output->dims,
        .n_dims = output->n_dims,
        .reshape = output->reshape,
        .is_shape_tensor = output->is_shape_tensor,
        .is_non_linear = output->is_non_linear_format_io,
    };
    HC_TRY(check_shape(config, &io, error));
    return check_special(config, &io, error);
}

enum hc_code hc_config_check_io(const Inference__ModelConfig *config, struct hc_error *error) {
    for (size_t i = 0; i < config->n_input; i++) {
        HC_TRY(check_input(config, config->input[i], error));
    }
    for (size_t i = 0; i < config->n_output; i++) {
        HC_TRY(check_output(config, config->output[i], error));
    }
    return hc_check_batch_io(config, error);
}
