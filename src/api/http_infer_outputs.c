/* Outputs in the form that the client asked for: values, classes, or its own shared memory. */
#include "core/classify.h"
#include "http_infer.h"

/*
 * What is not a number goes out as Triton sends it, which its clients read; strings that are not
 * UTF-8 would make the whole answer unreadable.
 */
const struct hc_infer_json_policy http_json_policy = {
    .nan = HC_INFER_JSON_NAN_AS_NAME,
    .utf8 = HC_INFER_JSON_UTF8_REPLACED,
};

static const struct hc_infer_json_output *find_wanted(const struct http_infer *infer,
                                                      struct hc_text name) {
    for (size_t i = 0; i < infer->json.n_outputs; i++) {
        if (hc_text_equal(infer->json.outputs[i].name, name)) {
            return &infer->json.outputs[i];
        }
    }
    return NULL;
}

static struct hc_infer_json_tensor describe(const struct http_infer *infer,
                                            const struct hc_output *output) {
    const struct hc_infer_json_output *wanted = find_wanted(infer, output->name);
    bool binary = wanted != NULL ? wanted->binary : infer->json.binary_outputs;
    bool shared = wanted != NULL && wanted->shared;
    return (struct hc_infer_json_tensor){
        .name = output->name,
        .dtype = output->dtype,
        .dims = output->dims,
        .n_dims = output->n_dims,
        .form = shared   ? HC_INFER_JSON_AS_SHARED
                : binary ? HC_INFER_JSON_AS_BINARY
                         : HC_INFER_JSON_AS_DATA,
        .data = output->data,
        .size = output->size,
    };
}

struct hc_infer_json_response http_infer_describe(const struct http_infer *infer,
                                                  const struct hc_response *response,
                                                  struct hc_pool *pool) {
    const struct hc_request *request = infer->request;
    struct hc_infer_json_tensor *tensors =
        hc_pool_alloc(pool, response->n_outputs * sizeof *tensors);
    for (size_t i = 0; i < response->n_outputs; i++) {
        tensors[i] = describe(infer, &response->outputs[i]);
    }
    return (struct hc_infer_json_response){
        .id = request->id,
        .model_name = hc_text_of(request->model->name),
        .model_version = request->model->version,
        .parameters = response->parameters,
        .n_parameters = response->n_parameters,
        .outputs = tensors,
        .n_outputs = response->n_outputs,
    };
}

/* Replace the outputs whose classes are asked for by these, in memory of the exchange's pool. */
static enum hc_code classify_outputs(const struct http_infer *infer, struct hc_response *response,
                                     struct hc_error *error) {
    for (size_t i = 0; i < response->n_outputs; i++) {
        struct hc_output *output = &response->outputs[i];
        const struct hc_infer_json_output *wanted = find_wanted(infer, output->name);
        if (wanted != NULL && wanted->classification > 0) {
            HC_TRY(hc_classify(infer->request->model, output, wanted->classification,
                               hc_http_pool(infer->exchange), output, error));
        }
    }
    return HC_OK;
}

/* Put OUTPUT where the client wants it in its shared memory, if it does. */
static enum hc_code share_output(const struct http_infer *infer, const struct hc_output *output,
                                 struct hc_error *error) {
    const struct hc_infer_json_output *wanted = find_wanted(infer, output->name);
    if (wanted == NULL || !wanted->shared || output->size == 0) {
        return HC_OK;
    }
    if (output->size > wanted->region.size) {
        return hc_error_set(error, HC_INTERNAL,
                            "shared memory size specified with the request for output '%.*s' (%ju "
                            "bytes) should be at least %zu bytes to hold the results",
                            HC_TEXT_ARGS(output->name), (uintmax_t)wanted->region.size,
                            output->size);
    }
    if (output->in_place) {
        return HC_OK;
    }
    return hc_shm_write(infer->output_regions[wanted - infer->json.outputs], wanted->region.offset,
                        output->data, output->size, error);
}

enum hc_code http_infer_convert(const struct http_infer *infer, struct hc_response *response,
                                struct hc_error *error) {
    HC_TRY(classify_outputs(infer, response, error));
    for (size_t i = 0; i < response->n_outputs; i++) {
        HC_TRY(share_output(infer, &response->outputs[i], error));
    }
    return HC_OK;
}
