/* Checking the settings of the dynamic batcher. */
#include <inttypes.h>

#include "check.h"

static enum hc_code check_sizes(const Inference__ModelConfig *config, struct hc_error *error) {
    const Inference__ModelDynamicBatching *batching = config->dynamic_batching;
    for (size_t i = 0; i < batching->n_preferred_batch_size; i++) {
        if (batching->preferred_batch_size[i] <= 0) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "dynamic batching preferred size must be positive for %s",
                                config->name);
        }
        if (batching->preferred_batch_size[i] > config->max_batch_size) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "dynamic batching preferred size must be <= max batch size for %s",
                                config->name);
        }
    }
    return HC_OK;
}

static enum hc_code check_priorities(const Inference__ModelConfig *config, struct hc_error *error) {
    const Inference__ModelDynamicBatching *batching = config->dynamic_batching;
    uint64_t n_levels = batching->priority_levels;
    if (n_levels == 0) {
        return HC_OK;
    }
    if (batching->default_priority_level == 0 || batching->default_priority_level > n_levels) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "default priority level must be in range [1, %" PRIu64 "] for %s",
                            n_levels, config->name);
    }
    for (size_t i = 0; i < batching->n_priority_queue_policy; i++) {
        uint64_t level = batching->priority_queue_policy[i]->key;
        if (level == 0 || level > n_levels) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "priority queue policy must have priority level in range [1, "
                                "%" PRIu64 "] for %s",
                                n_levels, config->name);
        }
    }
    return HC_OK;
}

static bool delays(const Inference__ModelQueuePolicy *policy) {
    return policy != NULL && policy->default_timeout_microseconds != 0 &&
           policy->timeout_action == INFERENCE__MODEL_QUEUE_POLICY__TIMEOUT_ACTION__DELAY;
}

/* Neither priorities nor delays may let one request overtake another. */
static enum hc_code check_ordering(const Inference__ModelConfig *config, struct hc_error *error) {
    const Inference__ModelDynamicBatching *batching = config->dynamic_batching;
    if (!batching->preserve_ordering) {
        return HC_OK;
    }
    if (batching->priority_levels > 1) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Only one priority level is allowed when 'preserve_ordering' is true "
                            "for %s",
                            config->name);
    }
    bool delayed = delays(batching->default_queue_policy);
    for (size_t i = 0; i < batching->n_priority_queue_policy; i++) {
        delayed = delayed || delays(batching->priority_queue_policy[i]->value);
    }
    if (delayed) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Queue policy can not have DELAY as timeout action when "
                            "'preserve_ordering' is true for %s",
                            config->name);
    }
    return HC_OK;
}

enum hc_code hc_check_dynamic_batching(const Inference__ModelConfig *config,
                                       struct hc_error *error) {
    HC_TRY(check_sizes(config, error));
    HC_TRY(check_priorities(config, error));
    return check_ordering(config, error);
}
