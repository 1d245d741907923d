/* Raw requests: a body that is nothing but the data of the model's only input. */
#include <string.h>

#include "base/alloc.h"
#include "core/infer.h"
#include "http_infer.h"
#include "tensor/bytes.h"
#include "tensor/shape.h"

/* An error about a request that cannot have an id. */
static enum hc_code refuse(struct hc_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum hc_code refuse(struct hc_error *error, const char *format, ...) {
    va_list args;
    va_start(args, format);
    hc_error_setv(error, HC_INVALID_ARGUMENT, format, args);
    va_end(args);
    hc_error_prefix(error, "[request id: <id_unknown>] ");
    return HC_INVALID_ARGUMENT;
}

/* Fill in the extents: a batch of one, and for the one that may be any, what SIZE bytes make. */
static enum hc_code deduce_shape(const struct hc_model *model, const struct hc_model_io *io,
                                 size_t size, int64_t *dims, struct hc_error *error) {
    size_t batch_dims = model->max_batch_size > 0 ? 1 : 0;
    size_t rest = size / hc_dtype_size(io->dtype);
    int64_t *open = NULL;
    dims[0] = 1;
    for (size_t i = 0; i < io->n_dims; i++) {
        int64_t *dim = &dims[batch_dims + i];
        *dim = io->dims[i];
        if (*dim >= 0) {
            rest = *dim > 0 ? rest / (size_t)*dim : 0;
        } else if (open != NULL) {
            return refuse(error,
                          "The shape of the raw input '%.*s' can not be deduced because there are "
                          "more than one variable-sized dimension",
                          HC_TEXT_ARGS(io->name));
        } else {
            open = dim;
        }
    }
    if (open != NULL) {
        *open = (int64_t)rest;
    }
    return HC_OK;
}

/* Strings come as one string, which is the only element. */
static enum hc_code check_string_shape(const struct hc_model_io *io, struct hc_error *error) {
    if (io->n_dims != 1 || io->dims[0] != 1) {
        return refuse(error,
                      "For BYTE datatype raw input '%.*s', the model must have input shape [1]",
                      HC_TEXT_ARGS(io->name));
    }
    return HC_OK;
}

/* Describe the input for a body of SIZE bytes, and say where they go. */
static enum hc_code place_input(struct http_infer *infer, size_t size, char **place,
                                struct hc_error *error) {
    struct hc_request *request = infer->request;
    const struct hc_model *model = request->model;
    if (model->n_inputs != 1) {
        return refuse(error,
                      "Raw request must only have 1 input (found 1) to be deduced but got %zu "
                      "inputs in '%s' model configuration",
                      model->n_inputs, model->name);
    }
    const struct hc_model_io *io = &model->inputs[0];
    bool strings = io->dtype == HC_DTYPE_BYTES;
    size_t n_dims = io->n_dims + (model->max_batch_size > 0 ? 1 : 0);
    int64_t *dims = hc_pool_alloc(&request->pool, (n_dims + 1) * sizeof *dims);
    if (strings) {
        HC_TRY(check_string_shape(io, error));
        dims[0] = 1;
        dims[1] = 1;
    } else {
        HC_TRY(deduce_shape(model, io, size, dims, error));
        size_t expected = 0;
        if (!hc_shape_byte_size(io->dtype, dims, n_dims, &expected) || expected != size) {
            return refuse(error,
                          "input byte size mismatch for input 'raw_input' for model '%s'. "
                          "Expected %zu, got %zu",
                          model->name, expected, size);
        }
    }
    size_t prefix_size = strings ? HC_BYTES_PREFIX_SIZE : 0;
    struct hc_input *input = hc_pool_alloc(&request->pool, sizeof *input);
    *input = (struct hc_input){
        .name = io->name,
        .dtype = io->dtype,
        .dims = dims,
        .n_dims = n_dims,
        .size = prefix_size + size,
    };
    request->inputs = input;
    request->n_inputs = 1;
    char *memory = NULL;
    if (input->size > 0) {
        HC_TRY(hc_request_alloc(request, input->size, &input->block, &memory, error));
    }
    if (strings) {
        hc_bytes_put_prefix(memory, (uint32_t)size);
    }
    *place = memory + prefix_size;
    return HC_OK;
}

static void on_placed(struct hc_http_exchange *exchange, struct hc_text bytes,
                      const struct hc_error *failure) {
    (void)bytes;
    struct http_infer *infer = hc_http_data(exchange);
    if (failure != NULL) {
        http_infer_fail_with(infer, failure);
    } else {
        http_infer_run(infer);
    }
}

/* A body of unknown length has arrived: now its size is known. */
static void on_body(struct hc_http_exchange *exchange, struct hc_text bytes,
                    const struct hc_error *failure) {
    struct http_infer *infer = hc_http_data(exchange);
    struct hc_error error;
    char *place;
    if (failure != NULL) {
        http_infer_fail_with(infer, failure);
    } else if (place_input(infer, bytes.size, &place, &error) != HC_OK) {
        http_infer_fail_with(infer, &error);
    } else {
        if (bytes.size > 0) {
            memcpy(place, bytes.data, bytes.size);
        }
        http_infer_run(infer);
    }
}

void http_infer_read_raw(struct http_infer *infer) {
    infer->json.binary_outputs = true;
    uint64_t size;
    if (!http_body_left(&infer->body, &size)) {
        http_body_read_all(&infer->body, infer->api->options.max_input_size, on_body);
        return;
    }
    struct hc_error error;
    char *place;
    if (size > infer->api->options.max_body_size || size > UINT32_MAX) {
        http_infer_fail(infer, HC_INVALID_ARGUMENT, HC_TEXT("the request is too large"));
    } else if (place_input(infer, (size_t)size, &place, &error) != HC_OK) {
        http_infer_fail_with(infer, &error);
    } else {
        const struct iovec vector = {place, (size_t)size};
        http_body_read_into(&infer->body, &vector, size > 0 ? 1 : 0, on_placed);
    }
}
