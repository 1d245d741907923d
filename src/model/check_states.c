/* Checking implicit states: the tensors that a sequence carries along, and how they begin. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "check.h"
#include "files.h"
#include "tensor/shape.h"

/* As many dimensions as the state has, all of them definite, and equal where the state's are. */
static enum hc_code check_initial_dims(
    const Inference__ModelSequenceBatching__State *state,
    const Inference__ModelSequenceBatching__InitialState *initial, struct hc_error *error) {
    if (initial->n_dims != state->n_dims) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Number of dimensions in 'initial_state' doesn't match the size of "
                            "'state' dimensions for state input '%s'. %zu != %zu",
                            state->input_name, initial->n_dims, state->n_dims);
    }
    for (size_t i = 0; i < state->n_dims; i++) {
        if (initial->dims[i] == -1) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "'initial_state' field for state input name '%s' contains variable "
                                "dimensions.",
                                state->input_name);
        }
        if (state->dims[i] != -1 && state->dims[i] != initial->dims[i]) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "'initial_state' dim for input name '%s' doesn't match 'state' dim "
                                "description. %" PRId64 " != %" PRId64,
                                state->input_name, initial->dims[i], state->dims[i]);
        }
    }
    return HC_OK;
}

static enum hc_code check_initial_file(
    const Inference__ModelSequenceBatching__InitialState *initial, const char *folder,
    struct hc_error *error) {
    size_t size;
    size_t file_size;
    hc_auto(text) path = hc_format("%s/initial_state/%s", folder, initial->data_file);
    HC_TRY(hc_file_size(path, &file_size, error));
    bool counted = hc_check_count_bytes(initial->data_type, initial->dims, initial->n_dims, &size);
    if (initial->data_type != INFERENCE__DATA_TYPE__TYPE_STRING && (!counted || size > file_size)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "initial_state setting expects %zu bytes, but the data provided from "
                            "%s only has %zu bytes.",
                            counted ? size : SIZE_MAX, initial->data_file, file_size);
    }
    return HC_OK;
}

static enum hc_code check_initial_state(const Inference__ModelSequenceBatching__State *state,
                                        const char *folder, struct hc_error *error) {
    const Inference__ModelSequenceBatching__InitialState *initial = state->initial_state[0];
    if (initial->data_type != state->data_type) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "The data type used for 'initial_state' field of state '%s' does not "
                            "match the state data type.",
                            state->input_name);
    }
    if (initial->name[0] == '\0') {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Field 'name' must be set when using initial_state for state input "
                            "'%s'.",
                            state->input_name);
    }
    HC_TRY(check_initial_dims(state, initial, error));
    switch (initial->state_data_case) {
    case INFERENCE__MODEL_SEQUENCE_BATCHING__INITIAL_STATE__STATE_DATA_ZERO_DATA:
        return HC_OK;
    case INFERENCE__MODEL_SEQUENCE_BATCHING__INITIAL_STATE__STATE_DATA_DATA_FILE:
        return check_initial_file(initial, folder, error);
    default:
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "initial_state setting expects state'%s' to have state_data set",
                            state->input_name);
    }
}

/* What no state can do without; Triton's own Python backend, which has none, does not ask. */
static enum hc_code check_fields(const Inference__ModelSequenceBatching__State *state,
                                 struct hc_error *error) {
    const char *missing = state->input_name[0] == '\0'                             ? "input_name"
                          : state->output_name[0] == '\0'                          ? "output_name"
                          : state->data_type == INFERENCE__DATA_TYPE__TYPE_INVALID ? "data_type"
                                                                                   : NULL;
    if (missing != NULL) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "sequence batching state '%s' must specify '%s'", state->input_name,
                            missing);
    }
    int64_t least[HC_SHAPE_MAX_DIMS] = {0};
    size_t size;
    for (size_t i = 0; i < state->n_dims && i < HC_SHAPE_MAX_DIMS; i++) {
        least[i] = state->dims[i] == -1 ? 1 : state->dims[i];
        if (least[i] < 1) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "sequence batching state '%s' dimension must be integer >= 1, or "
                                "-1 to indicate a variable-size dimension",
                                state->input_name);
        }
    }
    if (state->n_dims >= HC_SHAPE_MAX_DIMS ||
        !hc_check_count_bytes(state->data_type, least, state->n_dims, &size)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "sequence batching state '%s' is too large",
                            state->input_name);
    }
    return HC_OK;
}

/* The model tells its states by their names. */
static enum hc_code check_names(const Inference__ModelConfig *config, size_t index,
                                struct hc_error *error) {
    const Inference__ModelSequenceBatching *batching = config->sequence_batching;
    const Inference__ModelSequenceBatching__State *state = batching->state[index];
    bool taken = false;
    for (size_t i = 0; i < config->n_input; i++) {
        taken = taken || strcmp(config->input[i]->name, state->input_name) == 0;
    }
    for (size_t i = 0; i < batching->n_control_input; i++) {
        taken = taken || strcmp(batching->control_input[i]->name, state->input_name) == 0;
    }
    for (size_t i = 0; i < index; i++) {
        taken = taken || strcmp(batching->state[i]->input_name, state->input_name) == 0 ||
                strcmp(batching->state[i]->output_name, state->output_name) == 0;
    }
    if (taken) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "sequence batching state '%s' has the name of another tensor",
                            state->input_name);
    }
    return HC_OK;
}

enum hc_code hc_check_states(const Inference__ModelConfig *config, const char *folder,
                             struct hc_error *error) {
    const Inference__ModelSequenceBatching *batching = config->sequence_batching;
    for (size_t i = 0; i < batching->n_state; i++) {
        const Inference__ModelSequenceBatching__State *state = batching->state[i];
        if (state->n_initial_state > 1) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "initial_state field for state input '%s' must contain exactly one "
                                "or zero element. Found '%zu' elements.",
                                state->input_name, state->n_initial_state);
        }
        for (size_t j = 0; j < i && state->n_initial_state == 1; j++) {
            if (batching->state[j]->n_initial_state == 1 &&
                strcmp(batching->state[j]->input_name, state->input_name) == 0) {
                return hc_error_set(error, HC_INVALID_ARGUMENT,
                                    "State input name '%s' specified more than once.",
                                    state->input_name);
            }
        }
        if (state->n_initial_state == 1) {
            HC_TRY(check_initial_state(state, folder, error));
        }
        HC_TRY(check_fields(state, error));
        HC_TRY(check_names(config, i, error));
    }
    return HC_OK;
}
