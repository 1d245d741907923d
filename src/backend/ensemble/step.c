/* A step: a request to its model. */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "core/chain.h"
#include "core/infer.h"
#include "run.h"

enum { ALIGNMENT = 64 };

static void on_response(struct hc_request *request, struct hc_response *response, bool final) {
    run_on_response(request->user, response, final);
}

/* What the model is told of the ensemble's request. */
static void copy_settings(struct hc_request *request, const struct hc_request *from) {
    struct hc_pool *pool = &request->pool;
    request->received_ns = hc_clock_ns();
    request->id = (struct hc_text){hc_pool_copy(pool, from->id), from->id.size};
    request->correlation = (struct hc_correlation){
        .string = {hc_pool_copy(pool, from->correlation.string), from->correlation.string.size},
        .number = from->correlation.number,
    };
    request->flags = from->flags;
    request->priority = from->priority;
    request->timeout_us = from->timeout_us;
    request->waiters = from->waiters; /* of a request that lives longer */
    request->n_waiters = from->n_waiters;
    struct hc_wire_parameter *parameters =
        hc_pool_alloc(pool, from->n_parameters * sizeof *parameters);
    for (size_t i = 0; i < from->n_parameters; i++) {
        parameters[i] = from->parameters[i];
        struct hc_text name = parameters[i].name;
        parameters[i].name = (struct hc_text){hc_pool_copy(pool, name), name.size};
        if (parameters[i].kind == HC_WIRE_STRING) {
            struct hc_text string = parameters[i].string;
            parameters[i].string = (struct hc_text){hc_pool_copy(pool, string), string.size};
        }
    }
    request->parameters = parameters;
    request->n_parameters = from->n_parameters;
}

static void name_outputs(struct hc_request *request, const struct plan_step *step) {
    struct hc_text *names = hc_pool_alloc(&request->pool, step->n_outputs * sizeof *names);
    for (size_t i = 0; i < step->n_outputs; i++) {
        names[i] = step->outputs[i].name;
    }
    request->outputs = names;
    request->n_outputs = step->n_outputs;
}

static void describe_input(struct hc_request *request, const struct plan_port *port,
                           const struct value *value) {
    const struct hc_model *model = request->model;
    const struct hc_model_io *io = hc_model_find_input(model, port->name);
    struct hc_input *input = &request->inputs[request->n_inputs++];
    size_t n_inner = io == NULL ? value->n_dims : io->n_dims;
    size_t n_dims;
    const int64_t *dims = dims_for(&request->pool, model->max_batch_size, n_inner, value, &n_dims);
    int64_t *copy = hc_pool_alloc(&request->pool, n_dims * sizeof *copy);
    for (size_t i = 0; i < n_dims; i++) {
        copy[i] = dims[i];
    }
    *input = (struct hc_input){
        .name = port->name,
        .dtype = value->dtype,
        .dims = copy,
        .n_dims = n_dims,
        .size = value->size,
    };
}

/* Whether the model may read the tensor where it is: it looks there, and somebody keeps it. */
static bool is_read_in_place(const struct hc_request *request, const struct value *value) {
    size_t element = hc_dtype_size(value->dtype);
    bool aligned = element == 0 || (uintptr_t)value->data % element == 0;
    return request->model->backend->reads_in_place && value->holder != NULL && aligned;
}

static void hold(struct call *call, const struct value *value, struct hc_input *input) {
    input->elsewhere = value->data;
    value->holder->n_users++;
    call->holders[call->n_holders++] = value->holder;
}

/* The inputs that cannot stay where they are, TOTAL bytes, into one block of the model's arena. */
static enum hc_code copy_inputs(struct hc_request *request, const struct value *const *values,
                                size_t total, struct hc_error *error) {
    struct hc_block *block;
    char *memory;
    size_t offset = 0;
    if (total == 0) {
        return HC_OK;
    }
    HC_TRY(hc_request_alloc(request, total, &block, &memory, error));
    for (size_t i = 0; i < request->n_inputs; i++) {
        struct hc_input *input = &request->inputs[i];
        if (input->size > 0 && input->elsewhere == NULL) {
            input->block = block;
            input->offset = offset;
            memcpy(memory + offset, values[i]->data, input->size);
            offset += hc_align_up(input->size, ALIGNMENT);
        }
    }
    return HC_OK;
}

/* Sizes are those of tensors that exist. */
static enum hc_code place_inputs(struct call *call, const struct plan_step *step,
                                 struct hc_error *error) {
    struct hc_request *request = call->request;
    struct hc_pool *pool = &request->pool;
    const struct value **values = hc_pool_alloc(pool, step->n_inputs * sizeof(struct value *));
    request->inputs = hc_pool_alloc(pool, step->n_inputs * sizeof *request->inputs);
    call->holders = hc_pool_alloc(pool, step->n_inputs * sizeof(struct holder *));
    size_t total = 0;
    for (size_t i = 0; i < step->n_inputs; i++) {
        const struct value *value = &call->wave->values[step->inputs[i].tensor];
        if (value->state != VALUE_THERE) {
            continue;
        }
        struct hc_input *input = &request->inputs[request->n_inputs];
        values[request->n_inputs] = value;
        describe_input(request, &step->inputs[i], value);
        if (is_read_in_place(request, value)) {
            hold(call, value, input);
        } else {
            total += hc_align_up(value->size, ALIGNMENT);
        }
    }
    return copy_inputs(request, values, total, error);
}

static enum hc_code begin(struct call *call, struct hc_error *error) {
    struct hc_request *request = call->request;
    const struct plan_step *step = &call->run->plan->steps[call->step];
    copy_settings(request, call->run->request);
    HC_TRY(hc_chain_check(request, error));
    name_outputs(request, step);
    HC_TRY(place_inputs(call, step, error));
    return hc_infer(request, error);
}

enum hc_code step_start(struct wave *wave, size_t step, struct hc_error *error) {
    struct run *run = wave->run;
    struct hc_request *request = hc_request_create(run->request->context);
    request->model = run->models[step];
    hc_model_ref(request->model);
    struct call *call = hc_pool_alloc(&request->pool, sizeof *call);
    *call = (struct call){.run = run, .wave = wave, .step = step, .request = request};
    request->on_response = on_response;
    request->user = call;
    run_add_call(call);
    enum hc_code code = begin(call, error);
    if (code != HC_OK) {
        run_remove_call(call);
        hc_request_release(request);
    }
    return code;
}
