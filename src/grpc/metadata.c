/* Metadata of the server and of models, and model configs. */
#include <inttypes.h>
#include <stdio.h>

#include "core/server.h"
#include "grpc_service.pb-c.h"
#include "unary.h"

enum { VERSION_ROOM = 24 };

typedef Inference__ModelMetadataResponse__TensorMetadata tensor_metadata;

enum hc_code grpc_server_metadata(struct grpc_call *call, struct hc_text message,
                                  struct hc_error *error) {
    HC_TRY(grpc_check(&inference__server_metadata_request__descriptor, message, error));
    Inference__ServerMetadataResponse answer = INFERENCE__SERVER_METADATA_RESPONSE__INIT;
    answer.name = call->api->server->options.id;
    answer.version = (char *)HC_TRITON_VERSION;
    answer.extensions = (char **)hc_server_extensions;
    answer.n_extensions = hc_server_n_extensions;
    grpc_answer(call, &answer.base);
    return HC_OK;
}

static void describe_io(const struct hc_model_io *io, bool batching, struct hc_pool *pool,
                        tensor_metadata *tensor) {
    size_t first = batching ? 1 : 0;
    *tensor = (tensor_metadata)INFERENCE__MODEL_METADATA_RESPONSE__TENSOR_METADATA__INIT;
    tensor->name = hc_pool_copy(pool, io->name);
    tensor->datatype = (char *)hc_dtype_name(io->dtype);
    tensor->n_shape = first + io->n_dims;
    tensor->shape = hc_pool_alloc(pool, tensor->n_shape * sizeof *tensor->shape);
    if (batching) {
        tensor->shape[0] = -1;
    }
    for (size_t i = 0; i < io->n_dims; i++) {
        tensor->shape[first + i] = io->dims[i];
    }
}

static tensor_metadata **describe_ios(const struct hc_model_io *ios, size_t n, bool batching,
                                      struct hc_pool *pool) {
    tensor_metadata **tensors = hc_pool_alloc(pool, n * sizeof(tensor_metadata *));
    for (size_t i = 0; i < n; i++) {
        tensors[i] = hc_pool_alloc(pool, sizeof(tensor_metadata));
        describe_io(&ios[i], batching, pool, tensors[i]);
    }
    return tensors;
}

static char *format_version(int64_t version, struct hc_pool *pool) {
    char *text = hc_pool_alloc(pool, VERSION_ROOM);
    snprintf(text, VERSION_ROOM, "%" PRId64, version);
    return text;
}

/* The versions that are ready: all of them, or the one that was asked for. */
static void list_versions(const struct grpc_call *call, const struct hc_model *model, bool all,
                          Inference__ModelMetadataResponse *answer) {
    struct hc_pool *pool = grpc_call_pool(call);
    const struct hc_catalog_entry *entry =
        hc_catalog_find(hc_server_catalog(call->context->server), hc_text_of(model->name));
    size_t n = entry != NULL ? entry->n_versions : 0;
    answer->versions = hc_pool_alloc(pool, (n + 1) * sizeof(char *));
    if (!all) {
        answer->versions[answer->n_versions++] = format_version(model->version, pool);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (entry->versions[i].model != NULL) {
            answer->versions[answer->n_versions++] =
                format_version(entry->versions[i].number, pool);
        }
    }
}

enum hc_code grpc_model_metadata(struct grpc_call *call, struct hc_text message,
                                 struct hc_error *error) {
    GRPC_AUTO Inference__ModelMetadataRequest *request =
        grpc_unpack(&inference__model_metadata_request__descriptor, message, error);
    if (request == NULL) {
        return error->code;
    }
    struct hc_model *model;
    HC_TRY(grpc_find_model(call->context, hc_text_of(request->name), hc_text_of(request->version),
                           &model, error));
    bool batching = model->max_batch_size > 0;
    struct hc_pool *pool = grpc_call_pool(call);
    Inference__ModelMetadataResponse answer = INFERENCE__MODEL_METADATA_RESPONSE__INIT;
    answer.name = model->name;
    answer.platform = (char *)model->platform;
    list_versions(call, model, request->version[0] == '\0', &answer);
    answer.n_inputs = model->n_inputs;
    answer.inputs = describe_ios(model->inputs, model->n_inputs, batching, pool);
    answer.n_outputs = model->n_outputs;
    answer.outputs = describe_ios(model->outputs, model->n_outputs, batching, pool);
    grpc_answer(call, &answer.base);
    return HC_OK;
}

enum hc_code grpc_model_config(struct grpc_call *call, struct hc_text message,
                               struct hc_error *error) {
    GRPC_AUTO Inference__ModelConfigRequest *request =
        grpc_unpack(&inference__model_config_request__descriptor, message, error);
    if (request == NULL) {
        return error->code;
    }
    struct hc_model *model;
    HC_TRY(grpc_find_model(call->context, hc_text_of(request->name), hc_text_of(request->version),
                           &model, error));
    Inference__ModelConfigResponse answer = INFERENCE__MODEL_CONFIG_RESPONSE__INIT;
    answer.config = model->config;
    grpc_answer(call, &answer.base);
    return HC_OK;
}
