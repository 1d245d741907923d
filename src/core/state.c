/* Implicit state: given to requests as inputs, taken from responses. */
#include "core/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/log.h"
#include "core/arena.h"
#include "tensor/shape.h"

typedef Inference__ModelSequenceBatching__State state_config;
typedef Inference__ModelSequenceBatching__InitialState initial_config;

/* ---- The config ---- */

static const initial_config *initial_of(const state_config *config) {
    return config->n_initial_state > 0 ? config->initial_state[0] : NULL;
}

/* The extents, behind one for the batch where there is that. */
static int64_t *copy_dims(struct hc_model *model, const int64_t *dims, size_t n_dims) {
    size_t n_outer = model->max_batch_size > 0 ? 1 : 0;
    int64_t *copy = hc_pool_alloc(&model->memory, (n_outer + n_dims) * sizeof *copy);
    for (size_t i = 0; i < n_dims; i++) {
        copy[n_outer + i] = dims[i];
    }
    if (n_outer > 0) {
        copy[0] = 1;
    }
    return copy;
}

/* Bytes of zeros that make so many elements; config checks have seen to it that they are not too
 * many. */
static size_t zeros_size(const struct hc_state_io *state) {
    int64_t count;
    size_t size;
    size_t element =
        state->dtype == HC_DTYPE_BYTES ? sizeof(uint32_t) : hc_dtype_size(state->dtype);
    bool fits = hc_shape_count(state->initial_dims, state->n_dims, &count) &&
                hc_size_mul((size_t)count, element, &size);
    return fits ? size : 0;
}

/* What the config names was there when the model was placed; a file that has gone is zeros. */
static void read_initial_file(struct hc_model *model, const char *file, struct hc_state_io *state) {
    hc_auto_buf data = {0};
    struct hc_error error;
    if (hc_config_read_data(model->folder, "initial_state", file, &data, &error) != HC_OK) {
        hc_log_warning("%s: %s", model->name, error.message);
        return;
    }
    if (state->dtype == HC_DTYPE_BYTES) {
        state->initial_size = data.size;
    }
    if (data.size >= state->initial_size) {
        state->initial =
            hc_pool_copy(&model->memory, (struct hc_text){data.data, state->initial_size});
    }
}

static void read_state(struct hc_model *model, const state_config *config,
                       struct hc_state_io *state) {
    const initial_config *initial = initial_of(config);
    *state = (struct hc_state_io){
        .input = hc_text_of(config->input_name),
        .output = hc_text_of(config->output_name),
        .dtype = (enum hc_dtype)config->data_type,
        .dims = copy_dims(model, config->dims, config->n_dims),
        .n_dims = config->n_dims + (model->max_batch_size > 0 ? 1 : 0),
    };
    int64_t *dims = initial != NULL ? copy_dims(model, initial->dims, initial->n_dims)
                                    : copy_dims(model, config->dims, config->n_dims);
    for (size_t i = 0; i < state->n_dims; i++) {
        dims[i] = dims[i] < 0 ? 1 : dims[i];
    }
    state->initial_dims = dims;
    state->initial_size = zeros_size(state);
    if (initial != NULL &&
        initial->state_data_case ==
            INFERENCE__MODEL_SEQUENCE_BATCHING__INITIAL_STATE__STATE_DATA_DATA_FILE) {
        read_initial_file(model, initial->data_file, state);
    }
}

void hc_state_configure(struct hc_model *model) {
    const Inference__ModelSequenceBatching *config = model->config->sequence_batching;
    model->n_states = config->n_state;
    model->states = hc_pool_alloc(&model->memory, config->n_state * sizeof *model->states);
    for (size_t i = 0; i < config->n_state; i++) {
        read_state(model, config->state[i], &model->states[i]);
    }
}

/* ---- Requests ---- */

static struct hc_input *inputs_of(struct hc_request *request) {
    return request->inputs + request->_first_state;
}

static enum hc_code put_initial(struct hc_request *request, const struct hc_state_io *state,
                                struct hc_input *input, struct hc_error *error) {
    char *memory;
    HC_TRY(hc_request_alloc(request, state->initial_size, &input->block, &memory, error));
    input->size = state->initial_size;
    if (state->initial != NULL) {
        memcpy(memory, state->initial, state->initial_size);
    } else {
        memset(memory, 0, state->initial_size);
    }
    return HC_OK;
}

enum hc_code hc_state_prepare(struct hc_request *request, bool begins, struct hc_error *error) {
    const struct hc_model *model = request->model;
    size_t n = request->n_inputs;
    if (model->n_states == 0) {
        return HC_OK;
    }
    struct hc_input *inputs = hc_pool_alloc(&request->pool, (n + model->n_states) * sizeof *inputs);
    for (size_t i = 0; i < n; i++) {
        inputs[i] = request->inputs[i];
    }
    for (size_t i = 0; i < model->n_states; i++) {
        const struct hc_state_io *state = &model->states[i];
        inputs[n + i] = (struct hc_input){
            .name = state->input,
            .dtype = state->dtype,
            .dims = state->initial_dims,
            .n_dims = state->n_dims,
        };
        if (begins) {
            HC_TRY(put_initial(request, state, &inputs[n + i], error));
        }
    }
    request->_first_state = n;
    request->inputs = inputs;
    request->n_inputs = n + model->n_states;
    return HC_OK;
}

void hc_state_reserve(struct hc_request *request) {
    size_t n_states = request->model->n_states;
    size_t n = request->_n_blocks;
    if (n_states == 0) {
        return;
    }
    struct hc_block **blocks = hc_pool_alloc(&request->pool, (n + n_states) * sizeof *blocks);
    for (size_t i = 0; i < n; i++) {
        blocks[i] = request->_blocks[i];
    }
    request->_blocks = blocks;
    request->_first_state_block = n;
}

/* ---- What a sequence has ---- */

struct value {
    struct hc_block *block; /* referenced */
    size_t size;
    int64_t *dims; /* as many as the state has */
};

static void set_value(struct hc_arena *arena, struct value *value, struct hc_block *block,
                      size_t size, const int64_t *dims, size_t n_dims) {
    if (value->block != NULL) {
        hc_arena_unref(arena, value->block);
    }
    value->block = block;
    value->size = size;
    for (size_t i = 0; i < n_dims; i++) {
        value->dims[i] = dims[i];
    }
}

static struct value *create_values(const struct hc_model *model) {
    struct value *values = hc_alloc_array(model->n_states, sizeof *values);
    for (size_t i = 0; i < model->n_states; i++) {
        values[i].dims = hc_alloc_array(model->states[i].n_dims, sizeof *values[i].dims);
    }
    return values;
}

void hc_state_end(void *user, void *ended) {
    const struct hc_model *model = user;
    struct value *values = ended;
    for (size_t i = 0; i < model->n_states; i++) {
        hc_arena_unref(model->arena, values[i].block);
        free(values[i].dims);
    }
    free(values);
}

/* The sequence begins, with what its first request has. */
static void begin(const struct hc_model *model, struct hc_request *request, struct value *values) {
    const struct hc_input *inputs = inputs_of(request);
    for (size_t i = 0; i < model->n_states; i++) {
        assert(inputs[i].block != NULL);
        hc_arena_ref(model->arena, inputs[i].block);
        set_value(model->arena, &values[i], inputs[i].block, inputs[i].size, inputs[i].dims,
                  inputs[i].n_dims);
    }
}

/* The request goes on where the one before it has ended. */
static void go_on(const struct hc_model *model, struct hc_request *request,
                  const struct value *values) {
    struct hc_input *inputs = inputs_of(request);
    struct hc_block **blocks = request->_blocks + request->_first_state_block;
    bool again = request->_n_blocks > request->_first_state_block;
    for (size_t i = 0; i < model->n_states; i++) {
        hc_arena_ref(model->arena, values[i].block);
        if (again) {
            hc_arena_unref(model->arena, blocks[i]);
        }
        blocks[i] = values[i].block;
        inputs[i].block = values[i].block;
        inputs[i].size = values[i].size;
        inputs[i].dims = values[i].dims;
    }
    request->_n_blocks = request->_first_state_block + model->n_states;
}

void hc_state_attach(struct hc_model *model, const struct hc_list *batch) {
    if (model->n_states == 0) {
        return;
    }
    hc_list_each (link, batch) {
        struct hc_job *job = hc_job_of(link);
        void **values = hc_sequencer_owned(job);
        bool begins = job->starts || *values == NULL;
        if (*values == NULL) {
            *values = create_values(model);
        }
        if (begins) {
            begin(model, hc_request_of_job(link), *values);
        } else {
            go_on(model, hc_request_of_job(link), *values);
        }
    }
}

/* ---- Responses ---- */

static bool fits(const struct hc_state_io *state, const struct hc_output *output) {
    int64_t count;
    size_t size = 0;
    bool fits = output->dtype == state->dtype && output->n_dims == state->n_dims &&
                hc_shape_count(output->dims, output->n_dims, &count);
    for (size_t i = 0; fits && i < state->n_dims; i++) {
        fits = state->dims[i] < 0 || state->dims[i] == output->dims[i];
    }
    return fits && (state->dtype == HC_DTYPE_BYTES ||
                    (hc_size_mul((size_t)count, hc_dtype_size(state->dtype), &size) &&
                     size == output->size));
}

static enum hc_code refuse(const struct hc_model *model, const struct hc_state_io *state,
                           const struct hc_output *output, struct hc_error *error) {
    hc_auto_buf expected = {0};
    hc_auto_buf got = {0};
    hc_shape_append(&expected, state->dims, state->n_dims);
    hc_shape_append(&got, output->dims, output->n_dims);
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "state '%.*s' for model '%s' is %s of shape %s, but the model "
                        "configuration expects %s of shape %s",
                        HC_TEXT_ARGS(output->name), model->name, hc_dtype_name(output->dtype),
                        hc_buf_string(&got), hc_dtype_name(state->dtype), hc_buf_string(&expected));
}

/* The model may go on writing to what it returned, so it is copied. */
static enum hc_code keep(struct hc_request *request, size_t index, const struct hc_output *output,
                         struct hc_error *error) {
    struct hc_model *model = request->model;
    const struct hc_state_io *state = &model->states[index];
    struct hc_block *block;
    if (!fits(state, output)) {
        return refuse(model, state, output, error);
    }
    HC_TRY(hc_arena_alloc(model->arena, output->size, &block, error));
    if (output->size > 0) {
        memcpy(hc_arena_memory(model->arena, block), output->data, output->size);
    }
    pthread_mutex_lock(&model->lock);
    struct value *values = *hc_sequencer_owned(&request->_job);
    set_value(model->arena, &values[index], block, output->size, output->dims, output->n_dims);
    pthread_mutex_unlock(&model->lock);
    return HC_OK;
}

static const struct hc_state_io *find_state(const struct hc_model *model, struct hc_text output) {
    for (size_t i = 0; i < model->n_states; i++) {
        if (hc_text_equal(model->states[i].output, output)) {
            return &model->states[i];
        }
    }
    return NULL;
}

static bool is_wanted(const struct hc_request *request, struct hc_text output) {
    for (size_t i = 0; i < request->n_outputs; i++) {
        if (hc_text_equal(request->outputs[i], output)) {
            return true;
        }
    }
    return request->n_outputs == 0 && hc_model_find_output(request->model, output) != NULL;
}

/* Keep states, and move the outputs that are for the client together. */
static enum hc_code keep_all(struct hc_request *request, struct hc_response *response,
                             struct hc_error *error) {
    const struct hc_model *model = request->model;
    size_t n = 0;
    for (size_t i = 0; i < response->n_outputs; i++) {
        const struct hc_output *output = &response->outputs[i];
        const struct hc_state_io *state = find_state(model, output->name);
        if (state != NULL) {
            HC_TRY(keep(request, (size_t)(state - model->states), output, error));
        }
        if (state == NULL || is_wanted(request, output->name)) {
            response->outputs[n++] = *output;
        }
    }
    response->n_outputs = n;
    return HC_OK;
}

struct hc_response *hc_state_keep(struct hc_request *request, struct hc_response *response) {
    struct hc_error error;
    bool null = request->_job.sequence == NULL;
    if (request->model->n_states == 0 || null || response == NULL || response->code != HC_OK ||
        keep_all(request, response, &error) == HC_OK) {
        return response;
    }
    hc_response_release(response);
    return hc_response_error(error.code, hc_text_of(error.message));
}
