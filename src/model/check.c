/* Checking a config before a backend has seen it. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

static bool is(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

/* Whether the platform is one of those that belong to the backend, where it has any. */
static bool is_pair(const char *platform, const char *backend) {
    static const char *const pairs[][2] = {
        {"tensorflow", "tensorflow_graphdef"}, {"tensorflow", "tensorflow_savedmodel"},
        {"tensorrt", "tensorrt_plan"},         {"onnxruntime", "onnxruntime_onnx"},
        {"pytorch", "pytorch_libtorch"},
    };
    bool known = false;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        bool same_backend = is(backend, pairs[i][0]);
        if (same_backend && is(platform, pairs[i][1])) {
            return true;
        }
        known = known || same_backend;
    }
    return !known;
}

static enum hc_code check_backend(const Inference__ModelConfig *config, struct hc_error *error) {
    bool ensemble = is(config->platform, "ensemble");
    if (config->backend[0] == '\0' && !ensemble) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "unexpected platform type '%s' for %s",
                            config->platform, config->name);
    }
    if (config->backend[0] != '\0' && ensemble) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Ensemble model '%s' must have platform type '%s' and empty backend "
                            "type",
                            config->name, config->platform);
    }
    if (!is_pair(config->platform, config->backend)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "unexpected 'platform' and 'backend' pair, got:%s, %s",
                            config->platform, config->backend);
    }
    return HC_OK;
}

static enum hc_code check_scheduling(const Inference__ModelConfig *config, struct hc_error *error) {
    switch (config->scheduling_choice_case) {
    case INFERENCE__MODEL_CONFIG__SCHEDULING_CHOICE_DYNAMIC_BATCHING:
        HC_TRY(hc_check_dynamic_batching(config, error));
        break;
    case INFERENCE__MODEL_CONFIG__SCHEDULING_CHOICE_SEQUENCE_BATCHING:
        HC_TRY(hc_check_sequence_batching(config, error));
        break;
    case INFERENCE__MODEL_CONFIG__SCHEDULING_CHOICE_ENSEMBLE_SCHEDULING:
        return hc_check_ensemble(config, error);
    default:
        break;
    }
    if (is(config->platform, "ensemble")) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "ensemble scheduling must be set for ensemble %s whose platform is "
                            "ensemble",
                            config->name);
    }
    return HC_OK;
}

static bool are_buckets(const Inference__ModelMetrics__MetricControl__HistogramOptions *options) {
    bool ascending = options->n_buckets <= HC_CONFIG_MAX_BUCKETS;
    for (size_t i = 1; ascending && i < options->n_buckets; i++) {
        ascending = options->buckets[i - 1] < options->buckets[i];
    }
    return ascending;
}

static enum hc_code check_metrics(const Inference__ModelMetrics *metrics, struct hc_error *error) {
    for (size_t i = 0; metrics != NULL && i < metrics->n_metric_control; i++) {
        const Inference__ModelMetrics__MetricControl *control = metrics->metric_control[i];
        const char *missing = NULL;
        if (control->metric_identifier == NULL) {
            missing = "metric control must specify 'metric_identifier'";
        } else if (control->metric_identifier->family[0] == '\0') {
            missing = "metric identifier must specify non-empty 'family'";
        } else if (control->metric_options_case !=
                   INFERENCE__MODEL_METRICS__METRIC_CONTROL__METRIC_OPTIONS_HISTOGRAM_OPTIONS) {
            missing = "metric control must specify 'histogram_options'";
        } else if (control->histogram_options->n_buckets == 0) {
            missing = "histogram options must specify non-empty 'buckets'";
        } else if (!are_buckets(control->histogram_options)) {
            missing = "histogram options must specify ascending 'buckets', at most 64";
        }
        if (missing != NULL) {
            return hc_error_set(error, HC_INVALID_ARGUMENT, "%s", missing);
        }
    }
    return HC_OK;
}

enum hc_code hc_config_check(const Inference__ModelConfig *config, struct hc_error *error) {
    HC_TRY(check_backend(config, error));
    if (config->max_batch_size < 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "'max_batch_size' must be non-negative value for %s", config->name);
    }
    HC_TRY(check_scheduling(config, error));
    if (hc_config_has_cache(config) && hc_config_is_decoupled(config)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Response Cache does not currently support model %s with 'decoupled' "
                            "transaction policy. Please disable the response cache.",
                            config->name);
    }
    return check_metrics(config->model_metrics, error);
}
