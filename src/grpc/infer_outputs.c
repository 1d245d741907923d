/* Outputs in the form that the client asked for: values, classes, or its own shared memory. */
#include "core/classify.h"
#include "infer.h"

static const struct hc_infer_proto_output *find_wanted(const struct grpc_infer *infer,
                                                       struct hc_text name) {
    for (size_t i = 0; i < infer->proto.n_outputs; i++) {
        if (hc_text_equal(infer->proto.outputs[i].name, name)) {
            return &infer->proto.outputs[i];
        }
    }
    return NULL;
}

bool grpc_infer_is_shared(const struct grpc_infer *infer, struct hc_text name) {
    const struct hc_infer_proto_output *wanted = find_wanted(infer, name);
    return wanted != NULL && wanted->shared;
}

static enum hc_code share(const struct grpc_infer *infer,
                          const struct hc_infer_proto_output *wanted,
                          const struct hc_output *output, struct hc_error *error) {
    if (output->size > wanted->region.size) {
        return hc_error_set(error, HC_INTERNAL,
                            "shared memory size specified with the request for output '%.*s' (%ju "
                            "bytes) should be at least %zu bytes to hold the results",
                            HC_TEXT_ARGS(output->name), (uintmax_t)wanted->region.size,
                            output->size);
    }
    return output->size == 0 || output->in_place
               ? HC_OK
               : hc_shm_write(infer->output_regions[wanted - infer->proto.outputs],
                              wanted->region.offset, output->data, output->size, error);
}

enum hc_code grpc_infer_convert(const struct grpc_infer *infer, struct hc_response *response,
                                struct hc_error *error) {
    for (size_t i = 0; i < response->n_outputs; i++) {
        struct hc_output *output = &response->outputs[i];
        const struct hc_infer_proto_output *wanted = find_wanted(infer, output->name);
        if (wanted != NULL && wanted->classification > 0) {
            HC_TRY(hc_classify(infer->request->model, output, wanted->classification,
                               &response->pool, output, error));
        }
        if (wanted != NULL && wanted->shared) {
            HC_TRY(share(infer, wanted, output, error));
        }
    }
    return HC_OK;
}
