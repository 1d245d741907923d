/* The ensemble's responses: outputs of its steps, where they are. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "core/arena.h"
#include "core/model.h"
#include "run.h"

struct ensemble_response {
    struct hc_response base;
    size_t n_holders;
    struct holder **holders;
};

void holder_release(struct holder *holder) {
    if (holder != NULL && --holder->n_users == 0) {
        hc_response_release(holder->response);
        if (holder->block != NULL) {
            hc_arena_unref(holder->arena, holder->block);
        }
        free(holder);
    }
}

static void release_response(struct hc_response *base) {
    struct ensemble_response *response = hc_list_item(base, struct ensemble_response, base);
    for (size_t i = 0; i < response->n_holders; i++) {
        holder_release(response->holders[i]);
    }
    hc_pool_finish(&base->pool);
    free(response);
}

const int64_t *dims_for(struct hc_pool *pool, int64_t max_batch_size, size_t n_inner,
                        const struct value *value, size_t *n_dims) {
    *n_dims = value->n_dims;
    if (max_batch_size > 0 && value->n_dims == n_inner) {
        int64_t *dims = hc_pool_alloc(pool, (n_inner + 1) * sizeof *dims);
        dims[0] = 1;
        for (size_t i = 0; i < n_inner; i++) {
            dims[i + 1] = value->dims[i];
        }
        *n_dims = n_inner + 1;
        return dims;
    }
    if (max_batch_size == 0 && value->n_dims == n_inner + 1 && value->dims[0] == 1) {
        *n_dims = n_inner;
        return value->dims + 1;
    }
    return value->dims;
}

/* The ensemble's own arena may be gone before the response is. */
static bool is_lasting(const struct value *value) {
    return value->holder != NULL && value->holder->response != NULL;
}

static const char *data_for(struct hc_pool *pool, const struct value *value) {
    if (is_lasting(value) || value->size == 0) {
        return value->data;
    }
    char *copy = hc_pool_alloc(pool, value->size);
    memcpy(copy, value->data, value->size);
    return copy;
}

static void add_output(struct ensemble_response *response, const struct run *run,
                       const struct hc_model_io *io, const struct value *value) {
    struct hc_pool *pool = &response->base.pool;
    struct hc_output *output = &response->base.outputs[response->base.n_outputs++];
    size_t n_dims;
    const int64_t *dims = dims_for(pool, run->model->max_batch_size, io->n_dims, value, &n_dims);
    int64_t *copy = hc_pool_alloc(pool, n_dims * sizeof *copy);
    for (size_t i = 0; i < n_dims; i++) {
        copy[i] = dims[i];
    }
    *output = (struct hc_output){
        .name = {hc_pool_copy(pool, io->name), io->name.size},
        .dtype = value->dtype,
        .dims = copy,
        .n_dims = n_dims,
        .data = data_for(pool, value),
        .size = value->size,
    };
    if (is_lasting(value)) {
        value->holder->n_users++;
        response->holders[response->n_holders++] = value->holder;
    }
}

bool answer_has(const struct run *run, size_t output) {
    const struct hc_request *request = run->request;
    for (size_t i = 0; i < request->n_outputs; i++) {
        if (hc_text_equal(request->outputs[i], run->model->outputs[output].name)) {
            return true;
        }
    }
    return request->n_outputs == 0;
}

struct hc_response *answer_make(struct wave *wave) {
    const struct run *run = wave->run;
    size_t n = run->model->n_outputs;
    struct ensemble_response *response = hc_new(struct ensemble_response);
    response->base.on_release = release_response;
    response->base.outputs = hc_pool_alloc(&response->base.pool, n * sizeof(struct hc_output));
    response->holders = hc_pool_alloc(&response->base.pool, n * sizeof(struct holder *));
    for (size_t i = 0; i < n; i++) {
        const struct value *value = &wave->values[run->plan->outputs[i]];
        if (answer_has(run, i)) {
            add_output(response, run, &run->model->outputs[i], value);
        }
    }
    return &response->base;
}
