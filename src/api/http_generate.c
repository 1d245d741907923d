/* POST …/generate and …/generate_stream: requests made of plain JSON members. */
#include "http_infer.h"
#include "wire/generate_json.h"

/* The inputs as their metadata has them, with the dimension of the batch. */
static struct hc_generate_json_input *describe_inputs(const struct hc_model *model,
                                                      struct hc_pool *pool) {
    struct hc_generate_json_input *inputs = hc_pool_alloc(pool, model->n_inputs * sizeof *inputs);
    size_t batch_dims = model->max_batch_size > 0 ? 1 : 0;
    for (size_t i = 0; i < model->n_inputs; i++) {
        const struct hc_model_io *io = &model->inputs[i];
        int64_t *dims = hc_pool_alloc(pool, (batch_dims + io->n_dims) * sizeof *dims);
        dims[0] = -1;
        for (size_t j = 0; j < io->n_dims; j++) {
            dims[batch_dims + j] = io->dims[j];
        }
        inputs[i] = (struct hc_generate_json_input){
            .name = io->name,
            .dtype = io->dtype,
            .dims = dims,
            .n_dims = batch_dims + io->n_dims,
        };
    }
    return inputs;
}

static enum hc_code read_request(struct http_infer *infer, struct hc_text text,
                                 struct hc_error *error) {
    const struct hc_model *model = infer->request->model;
    struct hc_pool *pool = &infer->request->pool;
    HC_TRY(hc_generate_json_read(text, describe_inputs(model, pool), model->n_inputs, pool,
                                 &infer->json, error));
    return http_infer_take(infer, error);
}

static void on_json(struct hc_http_exchange *exchange, struct hc_text bytes,
                    const struct hc_error *failure) {
    struct http_infer *infer = hc_http_data(exchange);
    struct hc_error error;
    if (failure != NULL) {
        http_infer_fail_with(infer, failure);
    } else if (read_request(infer, bytes, &error) != HC_OK) {
        http_infer_fail_with(infer, &error);
    } else {
        http_infer_run(infer);
    }
}

static void generate(const struct http_call *call, hc_on_response *on_response) {
    struct hc_model *model;
    struct hc_error error;
    enum hc_coding coding;
    if (http_find_model(call, &model, &error) != HC_OK) {
        http_answer_error(call->exchange, error.code, hc_text_of(error.message));
        return;
    }
    struct http_infer *infer = http_infer_create(call, model, on_response);
    if (http_body_coding(&infer->body, &coding, NULL) != HC_OK || coding != HC_CODING_IDENTITY) {
        http_infer_fail(infer, HC_INVALID_ARGUMENT,
                        HC_TEXT("Unsupported content-encoding, only 'identity' is supported."));
        return;
    }
    http_body_read_all(&infer->body, call->api->options.max_input_size, on_json);
}

void http_generate(const struct http_call *call) {
    generate(call, http_generate_on_response);
}

void http_generate_stream(const struct http_call *call) {
    generate(call, http_generate_on_event);
}
