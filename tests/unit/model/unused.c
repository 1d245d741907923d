/*
 * Every field of ModelConfig: what this server makes of it. A field that is new in the .proto file
 * fails the first test until it stands in one of the tables.
 */
#include "model/unused.h"

#include <stdio.h>

#include "test.h"

/* Fields that have their meaning, with all that is in them but for what is unused. */
static const char *const honoured[] = {
    "name",
    "platform",
    "backend",
    "runtime",
    "version_policy",
    "max_batch_size",
    "input.name",
    "input.data_type",
    "input.dims",
    "input.reshape",
    "input.allow_ragged_batch",
    "input.optional",
    "output.name",
    "output.data_type",
    "output.dims",
    "output.reshape",
    "output.label_filename",
    "dynamic_batching",
    "sequence_batching.direct",
    "sequence_batching.oldest",
    "sequence_batching.max_sequence_idle_microseconds",
    "sequence_batching.control_input",
    "sequence_batching.state.input_name",
    "sequence_batching.state.output_name",
    "sequence_batching.state.data_type",
    "sequence_batching.state.dims",
    "sequence_batching.state.initial_state",
    "sequence_batching.iterative_sequence",
    "ensemble_scheduling",
    "instance_group.name",
    "instance_group.kind",
    "instance_group.count",
    "instance_group.rate_limiter",
    "instance_group.gpus",
    "instance_group.passive",
    "instance_group.host_policy",
    "default_model_filename",
    "metric_tags",
    "model_metrics",
    "parameters",
    "model_warmup",
    "model_transaction_policy",
    "response_cache",
};

/* Fields that are refused when they are set, as Triton refuses them with a Python model, and what
 * is said then. */
static const struct {
    const char *path;
    const char *config;
    const char *message;
} refused[] = {
    {"input.is_shape_tensor",
     "backend: \"python\" input { name: \"x\" data_type: TYPE_INT32 dims: 1 is_shape_tensor: true "
     "}",
     "shape tensors are only supported for TensorRT platform"},
    {"input.is_non_linear_format_io",
     "backend: \"python\" input { name: \"x\" data_type: TYPE_INT32 dims: 1 "
     "is_non_linear_format_io: true }",
     "Non-linear IO format is only supported for the TensorRT platform"},
    {"output.is_shape_tensor",
     "backend: \"python\" output { name: \"x\" data_type: TYPE_INT32 dims: 1 is_shape_tensor: true "
     "}",
     "shape tensors are only supported for TensorRT platform"},
    {"output.is_non_linear_format_io",
     "backend: \"python\" output { name: \"x\" data_type: TYPE_INT32 dims: 1 "
     "is_non_linear_format_io: true }",
     "Non-linear IO format is only supported for the TensorRT platform"},
    {"model_repository_agents", "model_repository_agents { agents { name: \"checksum\" } }",
     "unable to find repo agent 'checksum'"},
};

/* Configs, and what of them is unused. */
static const struct {
    const char *config;
    const char *list;
} lists[] = {
    {"", ""},
    {"name: \"m\" max_batch_size: 8 input { name: \"x\" dims: 1 }", ""},
    {"input { name: \"x\" format: FORMAT_NHWC }", "input.format"},
    {"input { format: FORMAT_NHWC } input { format: FORMAT_NCHW }", "input.format"},
    {"batch_input { kind: BATCH_ITEM_SHAPE }", "batch_input"},
    {"batch_output { target_name: \"y\" }", "batch_output"},
    {"optimization { cuda { graphs: true } priority: PRIORITY_MAX }", "optimization"},
    {"optimization { input_pinned_memory { enable: false } }", "optimization"},
    {"instance_group { count: 2 secondary_devices { device_id: 1 } profile: \"0\" }",
     "instance_group.profile, instance_group.secondary_devices"},
    {"sequence_batching { state { use_growable_memory: true } }",
     "sequence_batching.state.use_growable_memory"},
    {"sequence_batching { state { use_same_buffer_for_input_output: true } }",
     "sequence_batching.state.use_same_buffer_for_input_output"},
    {"cc_model_filenames { key: \"7.0\" value: \"m\" }", "cc_model_filenames"},
    {"model_operations { op_library_filename: \"l.so\" }", "model_operations"},
};

static bool covers(const char *row, const char *path) {
    size_t size = strlen(row);
    return strncmp(path, row, size) == 0 && (path[size] == '\0' || path[size] == '.');
}

static bool is_honoured(const char *path) {
    for (size_t i = 0; i < N_ITEMS(honoured); i++) {
        if (covers(honoured[i], path)) {
            return true;
        }
    }
    return false;
}

static bool is_refused(const char *path) {
    for (size_t i = 0; i < N_ITEMS(refused); i++) {
        if (covers(refused[i].path, path)) {
            return true;
        }
    }
    return false;
}

static void visit(const ProtobufCMessageDescriptor *descriptor, const char *path) {
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        char longer[256];
        snprintf(longer, sizeof longer, "%s%s%s", path, path[0] != '\0' ? "." : "", field->name);
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && !is_honoured(longer) && !is_refused(longer) &&
            !hc_config_is_unused(longer)) {
            visit(field->descriptor, longer);
            continue;
        }
        if (is_honoured(longer) + is_refused(longer) + hc_config_is_unused(longer) != 1) {
            fail_msg("%s must be in exactly one of the tables", longer);
        }
    }
}

static void every_field_is_honoured_unused_or_refused(void **state) {
    (void)state;
    visit(&inference__model_config__descriptor, "");
}

static Inference__ModelConfig *parse(const char *text) {
    Inference__ModelConfig *config = NULL;
    struct hc_error error = {0};
    if (hc_config_parse(hc_text_of(text), "config.pbtxt", &config, &error) != HC_OK) {
        fail_msg("%s: %s", text, error.message);
    }
    return config;
}

static void what_is_unused_is_listed_when_it_is_set(void **state) {
    (void)state;
    for (size_t i = 0; i < N_ITEMS(lists); i++) {
        hc_auto(config) config = parse(lists[i].config);
        hc_auto_buf list = {0};
        hc_config_list_unused(config, &list);
        assert_string_equal(hc_buf_string(&list), lists[i].list);
    }
}

static void what_is_refused_is_told(void **state) {
    (void)state;
    for (size_t i = 0; i < N_ITEMS(refused); i++) {
        hc_auto(config) config = parse(refused[i].config);
        struct hc_error error = {0};
        assert_int_not_equal(hc_config_prepare(config, "m", "/", false, &error), HC_OK);
        if (strstr(error.message, refused[i].message) == NULL) {
            fail_msg("%s: %s", refused[i].path, error.message);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_honoured_unused_or_refused),
        cmocka_unit_test(what_is_unused_is_listed_when_it_is_set),
        cmocka_unit_test(what_is_refused_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
