/* Filling in what a config leaves to its defaults. */
#include "base/alloc.h"
#include "model/config.h"

enum { SEQUENCE_IDLE_US = 1000 * 1000 };

static void prefer(int32_t **sizes, size_t *n_sizes, int32_t size) {
    if (*n_sizes == 0 && size > 0) {
        *sizes = hc_realloc(*sizes, sizeof **sizes);
        **sizes = size;
        *n_sizes = 1;
    }
}

static void normalise_sequences(Inference__ModelSequenceBatching *sequences,
                                int32_t max_batch_size) {
    if (sequences->max_sequence_idle_microseconds == 0) {
        sequences->max_sequence_idle_microseconds = SEQUENCE_IDLE_US;
    }
    if (sequences->strategy_choice_case ==
        INFERENCE__MODEL_SEQUENCE_BATCHING__STRATEGY_CHOICE_OLDEST) {
        prefer(&sequences->oldest->preferred_batch_size, &sequences->oldest->n_preferred_batch_size,
               max_batch_size);
    }
}

static void pin(Inference__ModelOptimizationPolicy__PinnedMemoryBuffer **buffer) {
    if (*buffer == NULL) {
        *buffer = hc_new(Inference__ModelOptimizationPolicy__PinnedMemoryBuffer);
        inference__model_optimization_policy__pinned_memory_buffer__init(*buffer);
        (*buffer)->enable = true;
    }
}

static void normalise_optimization(Inference__ModelConfig *config) {
    if (config->optimization == NULL) {
        config->optimization = hc_new(Inference__ModelOptimizationPolicy);
        inference__model_optimization_policy__init(config->optimization);
    }
    pin(&config->optimization->input_pinned_memory);
    pin(&config->optimization->output_pinned_memory);
}

static Inference__ModelVersionPolicy *latest_version(void) {
    Inference__ModelVersionPolicy *policy = hc_new(Inference__ModelVersionPolicy);
    inference__model_version_policy__init(policy);
    policy->policy_choice_case = INFERENCE__MODEL_VERSION_POLICY__POLICY_CHOICE_LATEST;
    policy->latest = hc_new(Inference__ModelVersionPolicy__Latest);
    inference__model_version_policy__latest__init(policy->latest);
    policy->latest->num_versions = 1;
    return policy;
}

void hc_config_normalise(Inference__ModelConfig *config) {
    if (config->version_policy == NULL) {
        config->version_policy = latest_version();
    }
    switch (config->scheduling_choice_case) {
    case INFERENCE__MODEL_CONFIG__SCHEDULING_CHOICE_DYNAMIC_BATCHING:
        prefer(&config->dynamic_batching->preferred_batch_size,
               &config->dynamic_batching->n_preferred_batch_size, config->max_batch_size);
        break;
    case INFERENCE__MODEL_CONFIG__SCHEDULING_CHOICE_SEQUENCE_BATCHING:
        normalise_sequences(config->sequence_batching, config->max_batch_size);
        break;
    default:
        break;
    }
    if (!hc_config_is_ensemble(config)) {
        normalise_optimization(config);
    }
}
