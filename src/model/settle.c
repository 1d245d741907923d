/* Checking a config as it is going to be used, with the files that it refers to. */
#include "base/alloc.h"
#include "check.h"
#include "files.h"
#include "tensor/shape.h"

static enum hc_code check_labels(const Inference__ModelConfig *config, const char *folder,
                                 struct hc_error *error) {
    for (size_t i = 0; i < config->n_output; i++) {
        hc_auto(text) path = hc_config_label_path(config, i, folder);
        size_t size;
        if (path != NULL) {
            HC_TRY(hc_file_size(path, &size, error));
        }
    }
    return HC_OK;
}

/* Custom batching strategies are libraries for NVIDIA's server; what a model relies on is not
 * left out silently. */
static enum hc_code check_batch_strategy(const Inference__ModelConfig *config,
                                         struct hc_error *error) {
    const char *path = hc_config_parameter(config, "TRITON_BATCH_STRATEGY_PATH");
    if (path == NULL) {
        return HC_OK;
    }
    if (config->scheduling_choice_case ==
        INFERENCE__MODEL_CONFIG__SCHEDULING_CHOICE_SEQUENCE_BATCHING) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "TRITON_BATCH_STRATEGY_PATH cannot be specified with sequence batcher, "
                            "using default batching strategy");
    }
    if (!hc_path_exists(path)) {
        return hc_error_set(error, HC_NOT_FOUND, "Batching library path not found: %s", path);
    }
    return hc_error_set(error, HC_UNIMPLEMENTED,
                        "this server has no custom batching strategies, but model '%s' has the "
                        "parameter TRITON_BATCH_STRATEGY_PATH",
                        config->name);
}

bool hc_check_count_bytes(Inference__DataType data_type, const int64_t *dims, size_t n_dims,
                          size_t *size) {
    int64_t count;
    size_t element_size = hc_dtype_size((enum hc_dtype)data_type);
    return hc_shape_count(dims, n_dims, &count) &&
           hc_size_mul((size_t)count, element_size > 0 ? element_size : 4, size);
}

static enum hc_code check_warmup_file(const Inference__ModelWarmup__Input *input,
                                      const char *folder, size_t size, struct hc_error *error) {
    size_t file_size;
    hc_auto(text) path = hc_format("%s/warmup/%s", folder, input->input_data_file);
    HC_TRY(hc_file_size(path, &file_size, error));
    if (input->data_type != INFERENCE__DATA_TYPE__TYPE_STRING && size > file_size) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "warmup setting expects %zu bytes, but the data provided from %s only "
                            "has %zu bytes",
                            size, input->input_data_file, file_size);
    }
    return HC_OK;
}

static enum hc_code check_warmup_input(const char *name, const Inference__ModelWarmup__Input *input,
                                       const char *folder, struct hc_error *error) {
    size_t size;
    if (!hc_check_count_bytes(input->data_type, input->dims, input->n_dims, &size)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "warmup setting expects all variable-size dimensions are specified for "
                            "input '%s'",
                            name);
    }
    switch (input->input_data_type_case) {
    case INFERENCE__MODEL_WARMUP__INPUT__INPUT_DATA_TYPE_ZERO_DATA:
    case INFERENCE__MODEL_WARMUP__INPUT__INPUT_DATA_TYPE_RANDOM_DATA:
        return HC_OK;
    case INFERENCE__MODEL_WARMUP__INPUT__INPUT_DATA_TYPE_INPUT_DATA_FILE:
        return check_warmup_file(input, folder, size, error);
    default:
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "warmup setting expects input '%s' to have input_data_type set", name);
    }
}

static enum hc_code check_warmup(const Inference__ModelConfig *config, const char *folder,
                                 struct hc_error *error) {
    for (size_t i = 0; i < config->n_model_warmup; i++) {
        const Inference__ModelWarmup *warmup = config->model_warmup[i];
        for (size_t j = 0; j < warmup->n_inputs && warmup->batch_size > 0; j++) {
            HC_TRY(check_warmup_input(warmup->inputs[j]->key, warmup->inputs[j]->value, folder,
                                      error));
        }
    }
    return HC_OK;
}

enum hc_code hc_config_settle(const Inference__ModelConfig *config, const char *folder,
                              struct hc_error *error) {
    HC_TRY(hc_config_check(config, error));
    HC_TRY(hc_config_check_io(config, error));
    HC_TRY(check_labels(config, folder, error));
    HC_TRY(check_batch_strategy(config, error));
    HC_TRY(check_warmup(config, folder, error));
    if (config->scheduling_choice_case ==
        INFERENCE__MODEL_CONFIG__SCHEDULING_CHOICE_SEQUENCE_BATCHING) {
        return hc_check_states(config, folder, error);
    }
    return HC_OK;
}
