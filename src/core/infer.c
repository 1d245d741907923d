/* Inference: from a front end's request to the model's queue. */
#include "core/infer.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "core/cached.h"
#include "core/dispatch.h"
#include "core/model.h"
#include "core/pause.h"
#include "core/reshape.h"
#include "core/sequence.h"
#include "tensor/bytes.h"
#include "tensor/shape.h"

#define invalid(request, error, ...)                                                               \
    hc_request_error(request, HC_INVALID_ARGUMENT, error, __VA_ARGS__)

static enum hc_code check_outputs(const struct hc_request *request, struct hc_error *error) {
    for (size_t i = 0; i < request->n_outputs; i++) {
        struct hc_text name = request->outputs[i];
        if (hc_model_find_output(request->model, name) == NULL) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "unexpected inference output '%.*s' for model '%s'",
                                HC_TEXT_ARGS(name), request->model->name);
        }
    }
    return HC_OK;
}

static bool has_input(const struct hc_request *request, struct hc_text name) {
    for (size_t i = 0; i < request->n_inputs; i++) {
        if (hc_text_equal(request->inputs[i].name, name)) {
            return true;
        }
    }
    return false;
}

static void append_name(struct hc_buf *list, struct hc_text name) {
    hc_buf_appendf(list, "%s'%.*s'", list->size > 0 ? "," : "", HC_TEXT_ARGS(name));
}

/* Too few or too many: say what came and what is missing. */
static enum hc_code wrong_number(const struct hc_request *request, struct hc_error *error) {
    const struct hc_model *model = request->model;
    hc_auto_buf expected = {0};
    hc_auto_buf got = {0};
    hc_auto_buf missing = {0};
    if (model->n_optional_inputs == 0) {
        hc_buf_appendf(&expected, "expected %zu inputs", model->n_inputs);
    } else {
        hc_buf_appendf(&expected, "expected number of inputs between %zu and %zu",
                       model->n_inputs - model->n_optional_inputs, model->n_inputs);
    }
    for (size_t i = 0; i < request->n_inputs; i++) {
        append_name(&got, request->inputs[i].name);
    }
    for (size_t i = 0; i < model->n_inputs; i++) {
        if (!model->inputs[i].optional && !has_input(request, model->inputs[i].name)) {
            append_name(&missing, model->inputs[i].name);
        }
    }
    return invalid(request, error,
                   "%s but got %zu inputs for model '%s'. Got input(s) [%s], but missing required "
                   "input(s) [%s]. Please provide all required input(s).",
                   hc_buf_string(&expected), request->n_inputs, model->name, hc_buf_string(&got),
                   hc_buf_string(&missing));
}

static enum hc_code check_names(const struct hc_request *request, struct hc_error *error) {
    const struct hc_model *model = request->model;
    for (size_t i = 0; i < request->n_inputs; i++) {
        struct hc_text name = request->inputs[i].name;
        if (hc_model_find_input(model, name) == NULL) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "unexpected inference input '%.*s' for model '%s'",
                                HC_TEXT_ARGS(name), model->name);
        }
        for (size_t j = 0; j < i; j++) {
            if (hc_text_equal(name, request->inputs[j].name)) {
                return invalid(request, error, "input '%.*s' already exists in request",
                               HC_TEXT_ARGS(name));
            }
        }
    }
    size_t n_required = 0;
    for (size_t i = 0; i < model->n_inputs; i++) {
        const struct hc_model_io *io = &model->inputs[i];
        n_required += io->optional || has_input(request, io->name) ? 1 : 0;
    }
    return n_required == model->n_inputs ? HC_OK : wrong_number(request, error);
}

/* The batch size that all inputs agree on. */
static enum hc_code check_batch(struct hc_request *request, struct hc_error *error) {
    const struct hc_model *model = request->model;
    request->batch_size = 1;
    if (model->max_batch_size == 0) {
        return HC_OK;
    }
    int64_t batch_size = 0;
    for (size_t i = 0; i < request->n_inputs; i++) {
        const struct hc_input *input = &request->inputs[i];
        if (input->n_dims == 0) {
            return invalid(request, error,
                           "input '%.*s' has no shape but model requires batch dimension for '%s'",
                           HC_TEXT_ARGS(input->name), model->name);
        }
        if (i > 0 && input->dims[0] != batch_size) {
            return invalid(request, error,
                           "input '%.*s' batch size does not match other inputs for '%s'",
                           HC_TEXT_ARGS(input->name), model->name);
        }
        batch_size = input->dims[0];
    }
    if (batch_size > model->max_batch_size) {
        return invalid(request, error, "inference request batch-size must be <= %lld for '%s'",
                       (long long)model->max_batch_size, model->name);
    }
    request->batch_size = (uint32_t)batch_size;
    return HC_OK;
}

/* Whether the extents, without the batch dimension, are such as the model takes. */
static bool shape_fits(const struct hc_model_io *io, const int64_t *dims, size_t n_dims) {
    if (n_dims != io->n_dims) {
        return false;
    }
    for (size_t i = 0; i < n_dims; i++) {
        if (io->dims[i] >= 0 && io->dims[i] != dims[i]) {
            return false;
        }
    }
    return true;
}

static enum hc_code wrong_shape(const struct hc_request *request, const struct hc_input *input,
                                const struct hc_model_io *io, struct hc_error *error) {
    static const char note[] =
        "NOTE: Setting a non-zero max_batch_size in the model config requires a batch dimension to "
        "be prepended to each input shape. If you want to specify the full shape including the "
        "batch dim in your input dims config, try setting max_batch_size to zero. See the model "
        "configuration docs for more info on max_batch_size.";
    bool batching = request->model->max_batch_size > 0;
    hc_auto_buf expected = {0};
    hc_auto_buf got = {0};
    hc_shape_append(&expected, io->dims, io->n_dims);
    hc_shape_append(&got, input->dims, input->n_dims);
    const char *rest = hc_buf_string(&expected) + 1; /* behind the bracket */
    return invalid(request, error,
                   "unexpected shape for input '%.*s' for model '%s'. Expected [%s%s%s, got %s. %s",
                   HC_TEXT_ARGS(input->name), request->model->name, batching ? "-1" : "",
                   batching && io->n_dims > 0 ? "," : "", rest, hc_buf_string(&got),
                   batching ? note : "");
}

static enum hc_code check_strings(const struct hc_request *request, const struct hc_input *input,
                                  int64_t count, struct hc_error *error) {
    struct hc_bytes_reader reader = {hc_request_input_data(request, input), input->size, 0};
    struct hc_text element;
    enum hc_bytes_step step;
    int64_t n = 0;
    while ((step = hc_bytes_next(&reader, &element)) == HC_BYTES_ELEMENT) {
        n++;
    }
    if (step == HC_BYTES_INCOMPLETE_PREFIX) {
        return invalid(request, error,
                       "incomplete string length indicator for inference input '%.*s' for model "
                       "'%s', expecting 4 bytes but only %zu bytes available. Please make sure the "
                       "string length indicator is in one buffer.",
                       HC_TEXT_ARGS(input->name), request->model->name,
                       reader.size - reader.offset);
    }
    if (step == HC_BYTES_INCOMPLETE_DATA) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "incomplete string data for inference input '%.*s', expecting string "
                            "of length %u but only %zu bytes available",
                            HC_TEXT_ARGS(input->name), hc_bytes_prefix(&reader),
                            reader.size - reader.offset - HC_BYTES_PREFIX_SIZE);
    }
    if (n > count) {
        return invalid(request, error,
                       "unexpected number of string elements %lld for inference input '%.*s' for "
                       "model '%s', expecting %lld",
                       (long long)n, HC_TEXT_ARGS(input->name), request->model->name,
                       (long long)count);
    }
    if (n < count) {
        return invalid(request, error,
                       "expected %lld string elements for inference input '%.*s' for model '%s', "
                       "got %lld",
                       (long long)count, HC_TEXT_ARGS(input->name), request->model->name,
                       (long long)n);
    }
    return HC_OK;
}

/* Elements that the shape asks for; as in Triton, a batch of none is one that misses its data. */
static bool expected_count(const struct hc_request *request, const struct hc_input *input,
                           int64_t *count) {
    bool empty_batch = request->model->max_batch_size > 0 && input->dims[0] == 0;
    return empty_batch ? hc_shape_count(input->dims + 1, input->n_dims - 1, count)
                       : hc_shape_count(input->dims, input->n_dims, count);
}

static enum hc_code check_size(const struct hc_request *request, const struct hc_input *input,
                               struct hc_error *error) {
    int64_t count;
    size_t expected = 0;
    if (!expected_count(request, input, &count)) {
        return invalid(request, error, "the shape of input '%.*s' has too many elements",
                       HC_TEXT_ARGS(input->name));
    }
    if (input->dtype == HC_DTYPE_BYTES) {
        return check_strings(request, input, count, error);
    }
    if (!hc_size_mul((size_t)count, hc_dtype_size(input->dtype), &expected) ||
        expected != input->size) {
        return invalid(request, error,
                       "input byte size mismatch for input '%.*s' for model '%s'. Expected %zu, "
                       "got %zu",
                       HC_TEXT_ARGS(input->name), request->model->name, expected, input->size);
    }
    return HC_OK;
}

static enum hc_code check_input(const struct hc_request *request, const struct hc_input *input,
                                struct hc_error *error) {
    const struct hc_model *model = request->model;
    const struct hc_model_io *io = hc_model_find_input(model, input->name);
    if (input->dtype != io->dtype) {
        return invalid(request, error,
                       "inference input '%.*s' data-type is '%s', but model '%s' expects '%s'",
                       HC_TEXT_ARGS(input->name), hc_dtype_name(input->dtype), model->name,
                       hc_dtype_name(io->dtype));
    }
    size_t batch_dims = model->max_batch_size > 0 ? 1 : 0;
    if (!shape_fits(io, input->dims + batch_dims, input->n_dims - batch_dims)) {
        return wrong_shape(request, input, io, error);
    }
    return check_size(request, input, error);
}

static enum hc_code check(struct hc_request *request, struct hc_error *error) {
    HC_TRY(check_outputs(request, error));
    HC_TRY(check_names(request, error));
    HC_TRY(check_batch(request, error));
    for (size_t i = 0; i < request->n_inputs; i++) {
        HC_TRY(check_input(request, &request->inputs[i], error));
    }
    return HC_OK;
}

enum hc_code hc_infer(struct hc_request *request, struct hc_error *error) {
    struct hc_model *model = request->model;
    request->start_ns = hc_clock_ns();
    HC_TRY(check(request, error));
    if (model->caches && hc_cached_answer(request)) {
        return HC_OK;
    }
    return hc_infer_run(request, error);
}

enum hc_code hc_infer_run(struct hc_request *request, struct hc_error *error) {
    struct hc_model *model = request->model;
    if (model->reshapes) {
        hc_reshape_inputs(request);
    }
    if (model->backend->infer != NULL) {
        return model->backend->infer(request, error);
    }
    if (model->has_sequences) {
        HC_TRY(hc_sequence_prepare(request, error));
    }
    HC_TRY(model->backend->prepare(request, error));
    enum hc_code code = hc_dispatch_enqueue(request, error);
    if (code != HC_OK) {
        model->backend->discard(request);
    }
    return code;
}

void hc_infer_cancel(struct hc_request *request) {
    if (request->_cancelled) {
        return;
    }
    request->_cancelled = true;
    hc_pause_end(request);
    if (request->model->backend->infer != NULL) {
        request->model->backend->cancel(request);
    } else if (hc_dispatch_cancel(request)) {
        request->model->backend->discard(request);
        hc_request_answer(request, hc_response_error(HC_CANCELLED, HC_TEXT("")), true);
    }
}
