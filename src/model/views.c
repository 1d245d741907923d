/* What the rest of the server asks a config. */
#include "base/alloc.h"
#include "files.h"
#include "model/config.h"

/* Differences rather than comparisons, which compilers do not like between enums. */
_Static_assert(INFERENCE__DATA_TYPE__TYPE_INVALID - HC_DTYPE_INVALID == 0 &&
                   INFERENCE__DATA_TYPE__TYPE_BOOL - HC_DTYPE_BOOL == 0 &&
                   INFERENCE__DATA_TYPE__TYPE_FP32 - HC_DTYPE_FP32 == 0 &&
                   INFERENCE__DATA_TYPE__TYPE_STRING - HC_DTYPE_BYTES == 0 &&
                   INFERENCE__DATA_TYPE__TYPE_BF16 - HC_DTYPE_BF16 == 0 && HC_N_DTYPES == 15,
               "datatypes have the same numbers in configs");

struct hc_config_tensor hc_config_input(const Inference__ModelConfig *config, size_t index) {
    const Inference__ModelInput *input = config->input[index];
    return (struct hc_config_tensor){
        .name = input->name,
        .dtype = (enum hc_dtype)input->data_type,
        .dims = input->dims,
        .n_dims = input->n_dims,
        .reshape = input->reshape,
        .optional = input->optional,
    };
}

struct hc_config_tensor hc_config_output(const Inference__ModelConfig *config, size_t index) {
    const Inference__ModelOutput *output = config->output[index];
    return (struct hc_config_tensor){
        .name = output->name,
        .dtype = (enum hc_dtype)output->data_type,
        .dims = output->dims,
        .n_dims = output->n_dims,
        .reshape = output->reshape,
    };
}

char *hc_config_label_path(const Inference__ModelConfig *config, size_t output,
                           const char *folder) {
    const char *file = config->output[output]->label_filename;
    return file[0] != '\0' ? hc_path_join(folder, file) : NULL;
}

const char *hc_config_parameter(const Inference__ModelConfig *config, const char *name) {
    for (size_t i = 0; i < config->n_parameters; i++) {
        if (strcmp(config->parameters[i]->key, name) == 0) {
            return config->parameters[i]->value->string_value;
        }
    }
    return NULL;
}

void hc_config_set_decoupled(Inference__ModelConfig *config, bool decoupled) {
    if (config->model_transaction_policy == NULL) {
        config->model_transaction_policy = hc_new(Inference__ModelTransactionPolicy);
        inference__model_transaction_policy__init(config->model_transaction_policy);
    }
    config->model_transaction_policy->decoupled = decoupled;
}

enum hc_code hc_config_read_data(const char *folder, const char *subfolder, const char *file,
                                 struct hc_buf *data, struct hc_error *error) {
    hc_auto(text) path = hc_format("%s/%s/%s", folder, subfolder, file);
    return hc_file_read(path, SIZE_MAX, data, error);
}

const double *hc_config_buckets(const Inference__ModelConfig *config, const char *family,
                                size_t *n) {
    const Inference__ModelMetrics *metrics = config->model_metrics;
    for (size_t i = 0; metrics != NULL && i < metrics->n_metric_control; i++) {
        const Inference__ModelMetrics__MetricControl *control = metrics->metric_control[i];
        if (control->metric_identifier != NULL &&
            strcmp(control->metric_identifier->family, family) == 0 &&
            control->metric_options_case ==
                INFERENCE__MODEL_METRICS__METRIC_CONTROL__METRIC_OPTIONS_HISTOGRAM_OPTIONS) {
            *n = control->histogram_options->n_buckets;
            return control->histogram_options->buckets;
        }
    }
    return NULL;
}
