/* Reshaping: from the client's extents to the model's and back. */
#include "core/reshape.h"

#include "core/model.h"

/* Extents that the config gives, fixed ones or -1. */
struct pattern {
    const int64_t *dims;
    size_t n_dims;
};

/*
 * DIMS, which fit FROM behind N_OUTER others, as TO has them: those that are open in TO take the
 * values of those that are open in FROM. DIMS themselves when they do not fit after all.
 */
static const int64_t *convert(struct hc_pool *pool, const int64_t *dims, size_t n_outer,
                              struct pattern from, struct pattern to, size_t *n_dims) {
    if (*n_dims != n_outer + from.n_dims) {
        return dims;
    }
    int64_t *converted = hc_pool_alloc(pool, (n_outer + to.n_dims) * sizeof *converted);
    for (size_t i = 0; i < n_outer; i++) {
        converted[i] = dims[i];
    }
    size_t open = 0;
    for (size_t i = 0; i < to.n_dims; i++) {
        converted[n_outer + i] = to.dims[i];
        if (to.dims[i] >= 0) {
            continue;
        }
        while (open < from.n_dims && from.dims[open] >= 0) {
            open++;
        }
        if (open == from.n_dims) {
            return dims;
        }
        converted[n_outer + i] = dims[n_outer + open++];
    }
    *n_dims = n_outer + to.n_dims;
    return converted;
}

void hc_reshape_inputs(struct hc_request *request) {
    const struct hc_model *model = request->model;
    size_t n_outer = model->max_batch_size > 0 ? 1 : 0;
    for (size_t i = 0; i < request->n_inputs; i++) {
        struct hc_input *input = &request->inputs[i];
        const struct hc_model_io *io = hc_model_find_input(model, input->name);
        if (io->reshaped) {
            input->dims = convert(&request->pool, input->dims, n_outer,
                                  (struct pattern){io->dims, io->n_dims},
                                  (struct pattern){io->reshape, io->n_reshape}, &input->n_dims);
        }
    }
}

void hc_reshape_outputs(const struct hc_request *request, struct hc_response *response) {
    const struct hc_model *model = request->model;
    size_t n_outer = model->max_batch_size > 0 ? 1 : 0;
    for (size_t i = 0; i < response->n_outputs; i++) {
        struct hc_output *output = &response->outputs[i];
        const struct hc_model_io *io = hc_model_find_output(model, output->name);
        if (io != NULL && io->reshaped) {
            output->dims = convert(&response->pool, output->dims, n_outer,
                                   (struct pattern){io->reshape, io->n_reshape},
                                   (struct pattern){io->dims, io->n_dims}, &output->n_dims);
        }
    }
}
