/* Checking batch inputs and outputs: tensors that a backend makes of a whole batch. */
#include "check.h"

static bool has_input(const Inference__ModelConfig *config, const char *name) {
    for (size_t i = 0; i < config->n_input; i++) {
        if (strcmp(config->input[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_output(const Inference__ModelConfig *config, const char *name) {
    for (size_t i = 0; i < config->n_output; i++) {
        if (strcmp(config->output[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static enum hc_code check_n_sources(const Inference__ModelConfig *config, const char *what,
                                    const char *kind, size_t n_sources, struct hc_error *error) {
    if (n_sources == 1) {
        return HC_OK;
    }
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "batch %s kind '%s' expects 1 source input, got %zu for %s", what, kind,
                        n_sources, config->name);
}

static enum hc_code check_source(const Inference__ModelConfig *config, const char *source,
                                 struct hc_error *error) {
    if (has_input(config, source)) {
        return HC_OK;
    }
    return hc_error_set(error, HC_INVALID_ARGUMENT, "unknown source input name '%s' for %s", source,
                        config->name);
}

static enum hc_code check_input(const Inference__ModelConfig *config,
                                const Inference__BatchInput *input, struct hc_error *error) {
    const ProtobufCEnumValue *kind = protobuf_c_enum_descriptor_get_value(
        &inference__batch_input__kind__descriptor, (int)input->kind);
    HC_TRY(check_n_sources(config, "input", kind->name, input->n_source_input, error));
    if (input->data_type != INFERENCE__DATA_TYPE__TYPE_INT32 &&
        input->data_type != INFERENCE__DATA_TYPE__TYPE_FP32) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "batch input data type must be TYPE_INT32 or TYPE_FP32 for %s",
                            config->name);
    }
    return check_source(config, input->source_input[0], error);
}

static enum hc_code check_target(const Inference__ModelConfig *config,
                                 const Inference__BatchOutput *output, size_t index,
                                 struct hc_error *error) {
    const char *target = output->target_name[index];
    if (!has_output(config, target)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "unknown target output name '%s' for %s",
                            target, config->name);
    }
    for (size_t i = 0; i < index; i++) {
        if (strcmp(output->target_name[i], target) == 0) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "target output name '%s' can only be specified once for %s", target,
                                config->name);
        }
    }
    return HC_OK;
}

static enum hc_code check_output(const Inference__ModelConfig *config,
                                 const Inference__BatchOutput *output, struct hc_error *error) {
    const ProtobufCEnumValue *kind = protobuf_c_enum_descriptor_get_value(
        &inference__batch_output__kind__descriptor, (int)output->kind);
    HC_TRY(check_n_sources(config, "output", kind->name, output->n_source_input, error));
    HC_TRY(check_source(config, output->source_input[0], error));
    for (size_t i = 0; i < output->n_target_name; i++) {
        HC_TRY(check_target(config, output, i, error));
    }
    return HC_OK;
}

enum hc_code hc_check_batch_io(const Inference__ModelConfig *config, struct hc_error *error) {
    for (size_t i = 0; i < config->n_batch_input; i++) {
        HC_TRY(check_input(config, config->batch_input[i], error));
    }
    for (size_t i = 0; i < config->n_batch_output; i++) {
        HC_TRY(check_output(config, config->batch_output[i], error));
    }
    return HC_OK;
}
