/* Checking the settings of the sequence batcher: its controls and its strategies. */
#include "check.h"

enum {
    CONTROL_START = INFERENCE__MODEL_SEQUENCE_BATCHING__CONTROL__KIND__CONTROL_SEQUENCE_START,
    CONTROL_READY = INFERENCE__MODEL_SEQUENCE_BATCHING__CONTROL__KIND__CONTROL_SEQUENCE_READY,
    CONTROL_END = INFERENCE__MODEL_SEQUENCE_BATCHING__CONTROL__KIND__CONTROL_SEQUENCE_END,
    CONTROL_CORRID = INFERENCE__MODEL_SEQUENCE_BATCHING__CONTROL__KIND__CONTROL_SEQUENCE_CORRID,
};

static const char *kind_name(int kind) {
    return protobuf_c_enum_descriptor_get_value(
               &inference__model_sequence_batching__control__kind__descriptor, kind)
        ->name;
}

static enum hc_code check_tensor_names(const Inference__ModelConfig *config,
                                       struct hc_error *error) {
    const Inference__ModelSequenceBatching *batching = config->sequence_batching;
    for (size_t i = 0; i < batching->n_control_input; i++) {
        const char *name = batching->control_input[i]->name;
        if (name[0] == '\0') {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "sequence batching control tensor must have a name for %s",
                                config->name);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(batching->control_input[j]->name, name) == 0) {
                return hc_error_set(error, HC_INVALID_ARGUMENT,
                                    "sequence batching control tensor '%s' is specified for "
                                    "multiple control kinds for %s",
                                    name, config->name);
            }
        }
    }
    return HC_OK;
}

/* Start, ready and end are two values, of one type. */
static enum hc_code check_values(const Inference__ModelConfig *config,
                                 const Inference__ModelSequenceBatching__Control *control,
                                 struct hc_error *error) {
    const struct {
        const char *name;
        size_t n;
    } lists[] = {
        {"int32_false_true", control->n_int32_false_true},
        {"fp32_false_true", control->n_fp32_false_true},
        {"bool_false_true", control->n_bool_false_true},
    };
    size_t chosen = 0;
    size_t n_given = 0;
    for (size_t i = 0; i < 3; i++) {
        if (lists[i].n > 0) {
            chosen = i;
            n_given++;
        }
    }
    if (n_given == 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "sequence batching must specify either 'int32_false_true', "
                            "'fp32_false_true' or 'bool_false_true' for %s for %s",
                            kind_name((int)control->kind), config->name);
    }
    if (n_given > 1) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "sequence batching specifies more than one from 'int32_false_true', "
                            "'fp32_false_true' and 'bool_false_true' for %s for %s",
                            kind_name((int)control->kind), config->name);
    }
    if (lists[chosen].n != 2) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "sequence batching control '%s' must have exactly 2 entries for %s "
                            "for %s",
                            lists[chosen].name, kind_name((int)control->kind), config->name);
    }
    return HC_OK;
}

/* The sequence's id comes in the type that the config says. */
static enum hc_code check_id(const Inference__ModelConfig *config,
                             const Inference__ModelSequenceBatching__Control *control,
                             struct hc_error *error) {
    if (control->n_int32_false_true + control->n_fp32_false_true + control->n_bool_false_true > 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "sequence batching must not specify either 'int32_false_true', "
                            "'fp32_false_true' or 'bool_false_true' for %s for %s",
                            kind_name((int)control->kind), config->name);
    }
    return HC_OK;
}

static enum hc_code check_id_type(const Inference__ModelConfig *config,
                                  const Inference__ModelSequenceBatching__Control *control,
                                  struct hc_error *error) {
    switch (control->data_type) {
    case INFERENCE__DATA_TYPE__TYPE_UINT64:
    case INFERENCE__DATA_TYPE__TYPE_INT64:
    case INFERENCE__DATA_TYPE__TYPE_UINT32:
    case INFERENCE__DATA_TYPE__TYPE_INT32:
    case INFERENCE__DATA_TYPE__TYPE_STRING:
        return HC_OK;
    default:
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "unexpected data type for control %s for %s. Allowed data types are "
                            "TYPE_UINT64, TYPE_INT64, TYPE_UINT32, TYPE_INT32 and TYPE_STRING",
                            kind_name((int)control->kind), config->name);
    }
}

/* The one control of that kind, if there is one. */
static enum hc_code check_control(const Inference__ModelConfig *config, int kind,
                                  struct hc_error *error) {
    const Inference__ModelSequenceBatching *batching = config->sequence_batching;
    const Inference__ModelSequenceBatching__Control *found = NULL;
    for (size_t i = 0; i < batching->n_control_input; i++) {
        const Inference__ModelSequenceBatching__ControlInput *input = batching->control_input[i];
        for (size_t j = 0; j < input->n_control; j++) {
            const Inference__ModelSequenceBatching__Control *control = input->control[j];
            if ((int)control->kind != kind) {
                continue;
            }
            if (found != NULL) {
                return hc_error_set(error, HC_INVALID_ARGUMENT,
                                    "sequence batching specifies multiple %s tensors for %s",
                                    kind_name(kind), config->name);
            }
            found = control;
            HC_TRY(kind == CONTROL_CORRID ? check_id(config, control, error)
                                          : check_values(config, control, error));
        }
    }
    return found != NULL && kind == CONTROL_CORRID ? check_id_type(config, found, error) : HC_OK;
}

static enum hc_code check_oldest(const Inference__ModelConfig *config, struct hc_error *error) {
    const Inference__ModelSequenceBatching__StrategyOldest *oldest =
        config->sequence_batching->oldest;
    for (size_t i = 0; i < oldest->n_preferred_batch_size; i++) {
        if (oldest->preferred_batch_size[i] <= 0) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "sequence batching preferred batch size must be positive for %s",
                                config->name);
        }
        if (oldest->preferred_batch_size[i] > config->max_batch_size) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "sequence batching preferred batch size must be <= max batch size "
                                "for %s",
                                config->name);
        }
    }
    return HC_OK;
}

static enum hc_code check_direct(const Inference__ModelConfig *config, struct hc_error *error) {
    float utilization = config->sequence_batching->direct->minimum_slot_utilization;
    if (!(utilization >= 0.0f && utilization <= 1.0f)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "sequence batching minimum slot utilization must be in range (0.0, "
                            "1.0] for %s",
                            config->name);
    }
    return HC_OK;
}

enum hc_code hc_check_sequence_batching(const Inference__ModelConfig *config,
                                        struct hc_error *error) {
    if (hc_config_has_cache(config)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Response Cache does not currently support model %s with sequence "
                            "batching scheduler. Please disable the response cache.",
                            config->name);
    }
    HC_TRY(check_tensor_names(config, error));
    static const int kinds[] = {CONTROL_START, CONTROL_END, CONTROL_READY, CONTROL_CORRID};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        HC_TRY(check_control(config, kinds[i], error));
    }
    switch (config->sequence_batching->strategy_choice_case) {
    case INFERENCE__MODEL_SEQUENCE_BATCHING__STRATEGY_CHOICE_OLDEST:
        return check_oldest(config, error);
    case INFERENCE__MODEL_SEQUENCE_BATCHING__STRATEGY_CHOICE_DIRECT:
        return check_direct(config, error);
    default:
        return HC_OK;
    }
}
