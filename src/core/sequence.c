/* Sequences: ids, control inputs, null requests. */
#include "core/sequence.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "core/context.h"
#include "core/schedule.h"
#include "core/server.h"
#include "core/state.h"

enum { CONTROL_ROOM = 64 }; /* for the value of a control that is no string */

typedef Inference__ModelSequenceBatching__Control sequence_control;

static const Inference__ModelSequenceBatching *batching_of(const struct hc_model *model) {
    return model->config->sequence_batching;
}

void hc_sequence_configure(struct hc_model *model) {
    const Inference__ModelSequenceBatching *config = batching_of(model);
    uint32_t n_slots = model->max_batch_size > 0 ? (uint32_t)model->max_batch_size : 1;
    struct hc_sequencer_settings settings = {
        .n_instances = model->n_instances,
        .n_slots = n_slots,
        .idle_ns = hc_schedule_ns(config->max_sequence_idle_microseconds),
        .direct = true,
        .implicit = config->iterative_sequence,
        .on_end = hc_state_end,
        .user = model,
        .batches = {.queue = {.n_levels = 1, .default_level = 1}},
    };
    if (config->strategy_choice_case ==
        INFERENCE__MODEL_SEQUENCE_BATCHING__STRATEGY_CHOICE_OLDEST) {
        const Inference__ModelSequenceBatching__StrategyOldest *oldest = config->oldest;
        settings.direct = false;
        settings.n_slots = oldest->max_candidate_sequences > 0
                               ? (uint32_t)oldest->max_candidate_sequences
                               : n_slots;
        settings.batches.max_rows = (uint64_t)model->max_batch_size;
        settings.batches.preferred_rows = oldest->preferred_batch_size;
        settings.batches.n_preferred = oldest->n_preferred_batch_size;
        settings.batches.delay_ns = hc_schedule_ns(oldest->max_queue_delay_microseconds);
    } else if (config->direct != NULL) {
        settings.least_utilization = (double)config->direct->minimum_slot_utilization;
        settings.batches.delay_ns = hc_schedule_ns(config->direct->max_queue_delay_microseconds);
    }
    hc_sequencer_init(&model->sequencer, &settings);
}

/* ---- Controls ---- */

static bool is_id(const sequence_control *control) {
    return control->kind ==
           INFERENCE__MODEL_SEQUENCE_BATCHING__CONTROL__KIND__CONTROL_SEQUENCE_CORRID;
}

static enum hc_dtype dtype_of(const sequence_control *control) {
    if (is_id(control)) {
        return (enum hc_dtype)control->data_type;
    }
    return control->n_int32_false_true > 0  ? HC_DTYPE_INT32
           : control->n_fp32_false_true > 0 ? HC_DTYPE_FP32
                                            : HC_DTYPE_BOOL;
}

static bool is_on(const sequence_control *control, const struct hc_job *job) {
    bool null = job->name.size == 0;
    switch (control->kind) {
    case INFERENCE__MODEL_SEQUENCE_BATCHING__CONTROL__KIND__CONTROL_SEQUENCE_START:
        return job->starts;
    case INFERENCE__MODEL_SEQUENCE_BATCHING__CONTROL__KIND__CONTROL_SEQUENCE_END:
        return job->ends;
    default:
        return !null;
    }
}

/* Write the value of a control; returns its size. */
static size_t write_flag(const sequence_control *control, const struct hc_job *job, char *place) {
    size_t index = is_on(control, job) ? 1 : 0;
    switch (dtype_of(control)) {
    case HC_DTYPE_INT32:
        memcpy(place, &control->int32_false_true[index], sizeof(int32_t));
        return sizeof(int32_t);
    case HC_DTYPE_FP32:
        memcpy(place, &control->fp32_false_true[index], sizeof(float));
        return sizeof(float);
    default:
        *place = control->bool_false_true[index] ? 1 : 0;
        return 1;
    }
}

static size_t write_id(const sequence_control *control, const struct hc_request *request,
                       char *place) {
    const struct hc_correlation *correlation = &request->correlation;
    enum hc_dtype dtype = dtype_of(control);
    if (dtype == HC_DTYPE_BYTES) {
        uint32_t size = (uint32_t)correlation->string.size;
        memcpy(place, &size, sizeof size);
        memcpy(place + sizeof size, correlation->string.data, size);
        return sizeof size + size;
    }
    memcpy(place, &correlation->number, hc_dtype_size(dtype)); /* little-endian */
    return hc_dtype_size(dtype);
}

static size_t write_control(const sequence_control *control, const struct hc_request *request,
                            char *place) {
    if (is_id(control)) {
        return write_id(control, request, place);
    }
    return write_flag(control, &request->_job, place);
}

/* Add the control inputs, whose values all lie in one block. */
static enum hc_code add_controls(struct hc_request *request, struct hc_error *error) {
    static const int64_t dims[] = {1, 1};
    const struct hc_model *model = request->model;
    const Inference__ModelSequenceBatching *config = batching_of(model);
    if (config->n_control_input == 0) {
        return HC_OK;
    }
    size_t n = request->n_inputs + config->n_control_input;
    struct hc_input *inputs = hc_pool_alloc(&request->pool, n * sizeof *inputs);
    for (size_t i = 0; i < request->n_inputs; i++) {
        inputs[i] = request->inputs[i];
    }
    size_t room = CONTROL_ROOM + hc_align_up(request->correlation.string.size, CONTROL_ROOM);
    struct hc_block *block;
    char *memory;
    HC_TRY(hc_request_alloc(request, config->n_control_input * room, &block, &memory, error));
    for (size_t i = 0; i < config->n_control_input; i++) {
        const Inference__ModelSequenceBatching__ControlInput *input = config->control_input[i];
        for (size_t j = 0; j < input->n_control; j++) {
            inputs[request->n_inputs + i] = (struct hc_input){
                .name = hc_text_of(input->name),
                .dtype = dtype_of(input->control[j]),
                .dims = dims,
                .n_dims = model->max_batch_size > 0 ? 2 : 1,
                .block = block,
                .offset = i * room,
                .size = write_control(input->control[j], request, memory + i * room),
            };
        }
    }
    request->inputs = inputs;
    request->n_inputs = n;
    return HC_OK;
}

/* ---- Requests ---- */

/* The id must be of the kind that the model's control is. */
static enum hc_code check_id(const struct hc_request *request, struct hc_error *error) {
    const struct hc_model *model = request->model;
    const Inference__ModelSequenceBatching *config = batching_of(model);
    bool is_string = request->correlation.string.size > 0;
    for (size_t i = 0; i < config->n_control_input; i++) {
        for (size_t j = 0; j < config->control_input[i]->n_control; j++) {
            const sequence_control *control = config->control_input[i]->control[j];
            if (is_id(control) && is_string != (dtype_of(control) == HC_DTYPE_BYTES)) {
                return hc_request_error(request, HC_INVALID_ARGUMENT, error,
                                        "sequence batching control '%s' data-type is '%s', but "
                                        "model '%s' expects '%s'",
                                        config->control_input[i]->name,
                                        is_string ? "BYTES" : "UINT64", model->name,
                                        hc_dtype_name(dtype_of(control)));
            }
        }
    }
    return HC_OK;
}

/* What the sequence is found by: a string as it is, a number with its bytes. */
static struct hc_text name_of(struct hc_request *request) {
    struct hc_correlation *correlation = &request->correlation;
    size_t string = correlation->string.size;
    size_t size = 1 + (string > 0 ? string : sizeof correlation->number);
    char *name = hc_pool_alloc(&request->pool, size);
    name[0] = string > 0 ? 's' : 'n';
    if (string > 0) {
        memcpy(name + 1, correlation->string.data, string);
    } else {
        memcpy(name + 1, &correlation->number, sizeof correlation->number);
    }
    return (struct hc_text){name, size};
}

/* For requests to iterative models, each of which may be a sequence of its own. */
static uint64_t invent_id(void) {
    static atomic_uint_fast64_t last = 0;
    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

enum hc_code hc_sequence_prepare(struct hc_request *request, struct hc_error *error) {
    const struct hc_model *model = request->model;
    struct hc_job *job = &request->_job;
    if (request->batch_size > 1) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "inference request to model '%s' must specify batch-size 1 due to "
                            "requirements of sequence batcher",
                            model->name);
    }
    bool has_id = request->correlation.string.size > 0 || request->correlation.number != 0;
    if (!has_id && !batching_of(model)->iterative_sequence) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "inference request to model '%s' must specify a non-zero or non-empty "
                            "correlation ID",
                            model->name);
    }
    if (!has_id) {
        request->correlation.number = invent_id();
        request->flags = HC_SEQUENCE_START | HC_SEQUENCE_END;
    }
    HC_TRY(check_id(request, error));
    job->starts = (request->flags & HC_SEQUENCE_START) != 0;
    job->ends = (request->flags & HC_SEQUENCE_END) != 0;
    job->name = name_of(request);
    bool may_begin = job->starts || batching_of(model)->iterative_sequence;
    HC_TRY(hc_state_prepare(request, may_begin, error));
    HC_TRY(add_controls(request, error));
    hc_state_reserve(request);
    return HC_OK;
}

/* ---- Null requests ---- */

static void on_null_response(struct hc_request *request, struct hc_response *response, bool final) {
    hc_response_release(response);
    if (final) {
        hc_request_release(request);
    }
}

/* The inputs of FROM, of zeros. */
static enum hc_code copy_inputs(struct hc_request *request, const struct hc_request *from,
                                size_t n_inputs, struct hc_error *error) {
    request->inputs = hc_pool_alloc(&request->pool, n_inputs * sizeof *request->inputs);
    request->n_inputs = n_inputs;
    for (size_t i = 0; i < n_inputs; i++) {
        struct hc_input *input = &request->inputs[i];
        *input = from->inputs[i];
        char *name = hc_pool_copy(&request->pool, input->name);
        input->name.data = name;
        int64_t *dims = hc_pool_alloc(&request->pool, input->n_dims * sizeof *dims);
        int64_t count = 1;
        for (size_t j = 0; j < input->n_dims; j++) {
            dims[j] = input->dims[j];
            count *= dims[j];
        }
        input->dims = dims;
        input->offset = 0;
        input->block = NULL;
        if (input->dtype == HC_DTYPE_BYTES) {
            input->size = (size_t)count * sizeof(uint32_t);
        }
        char *memory;
        if (input->size > 0) {
            HC_TRY(hc_request_alloc(request, input->size, &input->block, &memory, error));
            memset(memory, 0, input->size);
        }
    }
    return HC_OK;
}

static struct hc_request *make_null(struct hc_model *model, const struct hc_request *from) {
    struct hc_request *request = hc_request_create(hc_server_context(model->server));
    struct hc_error error;
    request->model = model;
    hc_model_ref(model);
    request->on_response = on_null_response;
    request->uncounted = true;
    request->batch_size = from->batch_size;
    size_t n_inputs = from->n_inputs - batching_of(model)->n_control_input;
    if (copy_inputs(request, from, n_inputs, &error) != HC_OK ||
        add_controls(request, &error) != HC_OK ||
        model->backend->prepare(request, &error) != HC_OK) {
        hc_request_release(request);
        return NULL;
    }
    return request;
}

void hc_sequence_fill(struct hc_model *model, struct hc_list *batch, size_t n_places) {
    const struct hc_request *from = hc_request_of_job(batch->next);
    struct hc_list *next = batch->next;
    for (size_t i = 0; i < n_places; i++) {
        if (next != batch && hc_job_of(next)->slot == i) {
            next = next->next;
            continue;
        }
        struct hc_request *null = make_null(model, from);
        if (null != NULL) {
            hc_list_append(next, &null->_job.link); /* in front of it */
        }
    }
}
