#include "model/config.h"

#include <stdio.h>

#include "base/buf.h"
#include "scratch.h"
#include "test.h"

static Inference__ModelConfig *parse_config(const char *text) {
    struct hc_error error = {0};
    Inference__ModelConfig *config = NULL;
    if (hc_config_parse(hc_text_of(text), "file", &config, &error) != HC_OK) {
        fail_msg("%s", error.message);
    }
    return config;
}

/* The config of the model NAME, whose folder is in the scratch folder. */
static Inference__ModelConfig *complete_config(const char *name, const char *text) {
    struct hc_error error = {0};
    Inference__ModelConfig *config = parse_config(text);
    if (hc_config_complete(config, name, scratch_path(name), &error) != HC_OK) {
        fail_msg("%s", error.message);
    }
    return config;
}

static void backends_are_told_by_the_files_of_a_version(void **state) {
    (void)state;
    static const struct {
        const char *file;
        const char *backend;
        const char *platform;
        const char *file_name;
    } rows[] = {
        {"1/model.py", "python", "", "model.py"},
        {"1/model.onnx", "onnxruntime", "onnxruntime_onnx", "model.onnx"},
        {"1/model.onnx/part", "onnxruntime", "onnxruntime_onnx", "model.onnx"},
        {"1/model.plan", "tensorrt", "tensorrt_plan", "model.plan"},
        {"1/model.pt", "pytorch", "pytorch_libtorch", "model.pt"},
        {"1/model.xml", "openvino", "", "model.xml"},
        {"1/model.graphdef", "tensorflow", "tensorflow_graphdef", "model.graphdef"},
        {"1/model.savedmodel/part", "tensorflow", "tensorflow_savedmodel", "model.savedmodel"},
        {"1/model.pt/part", "identity", "", "model.identity"},
        {"notes/model.py", "identity", "", "model.identity"},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        char name[32];
        char path[64];
        snprintf(name, sizeof name, "guess_%zu.identity", i);
        snprintf(path, sizeof path, "%s/%s", name, rows[i].file);
        scratch_write_text(path, "");
        hc_auto(config) config = complete_config(name, "");
        assert_string_equal(config->name, name);
        assert_string_equal(config->backend, rows[i].backend);
        assert_string_equal(config->platform, rows[i].platform);
        assert_string_equal(config->default_model_filename, rows[i].file_name);
    }
}

static void what_the_config_says_comes_first(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *backend;
        const char *platform;
        const char *file_name;
    } rows[] = {
        {"backend: 'linear'", "linear", "", ""},
        {"backend: 'python'", "python", "", "model.py"},
        {"platform: 'pytorch_libtorch'", "pytorch", "pytorch_libtorch", "model.pt"},
        {"platform: 'tensorflow_savedmodel'", "tensorflow", "tensorflow_savedmodel",
         "model.savedmodel"},
        {"backend: 'pytorch' runtime: 'model.py'", "pytorch", "pytorch_libtorch", ""},
        {"default_model_filename: 'model.py'", "python", "", "model.py"},
        {"default_model_filename: 'model.graphdef'", "tensorflow", "tensorflow_graphdef",
         "model.graphdef"},
        {"platform: 'ensemble'", "", "ensemble", ""},
        {"default_model_filename: 'weights'", "", "", "weights"},
    };
    scratch_write_text("said/1/model.onnx", "");
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        hc_auto(config) config = complete_config("said", rows[i].text);
        assert_string_equal(config->backend, rows[i].backend);
        assert_string_equal(config->platform, rows[i].platform);
        assert_string_equal(config->default_model_filename, rows[i].file_name);
    }
}

static void an_alternative_config_is_read_where_there_is_one(void **state) {
    (void)state;
    scratch_write_text("chosen/config.pbtxt", "max_batch_size: 1");
    scratch_write_text("chosen/configs/fast.pbtxt", "max_batch_size: 2");
    const char *folder = scratch_path("chosen");
    static const struct {
        const char *alternative;
        int32_t max_batch_size;
    } rows[] = {{NULL, 1}, {"", 1}, {"fast", 2}, {"slow", 1}};
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        hc_auto(config) config = NULL;
        assert_int_equal(hc_config_open(folder, rows[i].alternative, false, &config, NULL), HC_OK);
        assert_int_equal(config->max_batch_size, rows[i].max_batch_size);
    }
}

static void a_missing_config_is_empty_or_an_error(void **state) {
    (void)state;
    scratch_make_folder("bare/1");
    const char *folder = scratch_path("bare");
    hc_auto(config) config = NULL;
    struct hc_error error;
    char expected[256];
    assert_int_equal(hc_config_open(folder, NULL, false, &config, &error), HC_INTERNAL);
    snprintf(expected, sizeof expected,
             "failed to open text file for read %s/config.pbtxt: No such file or directory",
             folder);
    assert_string_equal(error.message, expected);
    assert_int_equal(hc_config_open(folder, NULL, true, &config, &error), HC_OK);
    assert_string_equal(config->name, "");
}

static void what_is_no_file_is_not_read(void **state) {
    (void)state;
    scratch_make_folder("odd/config.pbtxt");
    Inference__ModelConfig *config = NULL;
    assert_int_equal(hc_config_open(scratch_path("odd"), NULL, true, &config, NULL), HC_INTERNAL);
}

static void gpus_are_given_to_groups(void **state) {
    (void)state;
    static const int32_t ids[] = {0, 3};
    const struct hc_gpus gpus = {ids, 2};
    static const struct {
        const char *groups;
        const char *instances; /* name:kind:device */
    } rows[] = {
        {"", "m_0:GPU:0 m_0:GPU:3 "},
        {"instance_group { gpus: 3 }", "m_0_0:GPU:3 "},
        {"instance_group { gpus: [ 3, 4 ] }", NULL},
        {"instance_group { count: 2 kind: KIND_GPU gpus: [ 3, 0 ] name: 'g' }",
         "g_0:GPU:3 g_0:GPU:0 g_1:GPU:3 g_1:GPU:0 "},
        {"instance_group { kind: KIND_CPU } instance_group { kind: KIND_MODEL count: 2 }",
         "m_0_0:CPU:0 m_1_0:MODEL:0 m_1_1:MODEL:0 "},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        hc_auto(config) config = parse_config(rows[i].groups);
        config->name = strdup("m");
        enum hc_code code = hc_config_place(config, &gpus, NULL);
        assert_int_equal(code == HC_OK, rows[i].instances != NULL);
        if (code == HC_OK) {
            hc_auto_instances instances;
            hc_auto_buf text = {0};
            hc_config_list_instances(config, &instances);
            for (size_t j = 0; j < instances.n; j++) {
                hc_buf_appendf(&text, "%s:%s:%d ", instances.items[j].name, instances.items[j].kind,
                               instances.items[j].device);
            }
            assert_string_equal(hc_buf_string(&text), rows[i].instances);
        }
    }
}

static void one_group_is_named_as_the_model(void **state) {
    (void)state;
    hc_auto(config) config = parse_config("name: 'linear'");
    assert_int_equal(hc_config_place(config, &(struct hc_gpus){0}, NULL), HC_OK);
    assert_string_equal(config->instance_group[0]->name, "linear");
    hc_auto_instances instances;
    hc_config_list_instances(config, &instances);
    assert_int_equal(instances.n, 1);
    assert_string_equal(instances.items[0].name, "linear_0");
    assert_string_equal(instances.items[0].kind, "CPU");
    assert_ptr_equal(instances.items[0].group, config->instance_group[0]);
}

static void instances_have_a_limit(void **state) {
    (void)state;
    static const char *const texts[] = {
        "instance_group { count: 4097 }",
        "instance_group { count: 2147483647 } instance_group { count: 2147483647 }",
    };
    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        hc_auto(config) config = parse_config(texts[i]);
        struct hc_error error;
        assert_int_equal(hc_config_place(config, &(struct hc_gpus){0}, &error),
                         HC_INVALID_ARGUMENT);
        assert_string_equal(error.message,
                            "instance group _0 of model  has more instances than a model can have");
    }
}

static void a_completion_changes_what_it_may(void **state) {
    (void)state;
    hc_auto(config) config =
        parse_config("name: 'm' backend: 'python' max_batch_size: 2 input { name: 'old' }");
    hc_auto(config) completed =
        parse_config("name: 'x' backend: 'y' max_batch_size: 4 input { name: 'a' } "
                     "input { name: 'b' } output { name: 'c' } dynamic_batching { } "
                     "model_transaction_policy { decoupled: true } parameters { key: 'k' }");
    assert_int_equal(hc_config_merge(config, completed, NULL), HC_OK);
    assert_string_equal(config->name, "m");
    assert_string_equal(config->backend, "python");
    assert_int_equal(config->max_batch_size, 4);
    assert_int_equal(config->n_input, 2);
    assert_string_equal(config->input[1]->name, "b");
    assert_int_equal(config->n_output, 1);
    assert_true(hc_config_is_decoupled(config));
    assert_int_equal(config->n_parameters, 0);
    assert_int_equal(config->dynamic_batching->preferred_batch_size[0], 4);
}

static void a_completion_keeps_the_scheduler(void **state) {
    (void)state;
    hc_auto(config) config = parse_config("sequence_batching { oldest { } }");
    hc_auto(config) same = parse_config("sequence_batching { direct { } }");
    assert_int_equal(hc_config_merge(config, same, NULL), HC_OK);
    assert_int_equal(config->sequence_batching->strategy_choice_case,
                     INFERENCE__MODEL_SEQUENCE_BATCHING__STRATEGY_CHOICE_OLDEST);
    hc_auto(config) other = parse_config("dynamic_batching { }");
    struct hc_error error;
    assert_int_equal(hc_config_merge(config, other, &error), HC_INTERNAL);
    assert_string_equal(error.message,
                        "Cannot update scheduling choice from 13 to 11 when auto-completing.");
}

static void instances_and_versions_do_not_make_another_model(void **state) {
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        bool same;
    } rows[] = {
        {"name: 'm'", "name: 'm'", true},
        {"name: 'm'", "name: 'n'", false},
        {"instance_group { count: 1 }", "instance_group { count: 2 }", true},
        {"version_policy { all { } }", "", true},
        {"parameters { key: 'a' } parameters { key: 'b' }",
         "parameters { key: 'b' } parameters { key: 'a' }", true},
        {"parameters { key: 'a' }", "", false},
        {"dynamic_batching { }", "", false},
        {"input { name: 'a' } input { name: 'b' }", "input { name: 'b' } input { name: 'a' }",
         false},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        hc_auto(config) a = parse_config(rows[i].a);
        hc_auto(config) b = parse_config(rows[i].b);
        assert_int_equal(hc_config_same_model(a, b), rows[i].same);
    }
}

static void name_and_count_do_not_make_other_instances(void **state) {
    (void)state;
    hc_auto(config) config = parse_config(
        "instance_group [ { name: 'a' count: 1 kind: KIND_CPU }, { name: 'b' count: 2 kind: "
        "KIND_CPU }, { name: 'a' count: 1 kind: KIND_MODEL } ]");
    assert_true(hc_config_same_instances(config->instance_group[0], config->instance_group[1]));
    assert_false(hc_config_same_instances(config->instance_group[0], config->instance_group[2]));
}

static void a_copy_is_equal_and_independent(void **state) {
    (void)state;
    hc_auto(config) config = parse_config("name: 'm' input { name: 'a' dims: [ 1, -1 ] } "
                                          "model_warmup { inputs { key: 'x' value { zero_data: "
                                          "false } } }");
    hc_auto(config) copy = hc_config_copy(config);
    assert_true(hc_config_same_model(config, copy));
    copy->input[0]->dims[0] = 2;
    assert_false(hc_config_same_model(config, copy));
}

static void tensors_are_views_of_the_config(void **state) {
    (void)state;
    hc_auto(config) config =
        parse_config("input { name: 'x' data_type: TYPE_STRING dims: [ -1, 3 ] optional: true } "
                     "output { name: 'y' data_type: TYPE_BF16 dims: 4 label_filename: 'labels.txt' "
                     "reshape { shape: [ 2, 2 ] } } output { }");
    struct hc_config_tensor x = hc_config_input(config, 0);
    assert_string_equal(x.name, "x");
    assert_int_equal(x.dtype, HC_DTYPE_BYTES);
    assert_int_equal(x.n_dims, 2);
    assert_int_equal(x.dims[0], -1);
    assert_true(x.optional);
    assert_null(x.reshape);
    struct hc_config_tensor y = hc_config_output(config, 0);
    assert_int_equal(y.dtype, HC_DTYPE_BF16);
    assert_int_equal(y.reshape->n_shape, 2);
    assert_false(y.optional);
    hc_auto(text) labels = hc_config_label_path(config, 0, "/models/m");
    assert_string_equal(labels, "/models/m/labels.txt");
    assert_null(hc_config_label_path(config, 1, "/models/m"));
}

static void parameters_are_found_by_name(void **state) {
    (void)state;
    hc_auto(config) config =
        parse_config("parameters { key: 'a' value { string_value: '1' } } parameters { key: 'b' }");
    assert_string_equal(hc_config_parameter(config, "a"), "1");
    assert_string_equal(hc_config_parameter(config, "b"), "");
    assert_null(hc_config_parameter(config, "c"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backends_are_told_by_the_files_of_a_version),
        cmocka_unit_test(what_the_config_says_comes_first),
        cmocka_unit_test(an_alternative_config_is_read_where_there_is_one),
        cmocka_unit_test(a_missing_config_is_empty_or_an_error),
        cmocka_unit_test(what_is_no_file_is_not_read),
        cmocka_unit_test(gpus_are_given_to_groups),
        cmocka_unit_test(one_group_is_named_as_the_model),
        cmocka_unit_test(instances_have_a_limit),
        cmocka_unit_test(a_completion_changes_what_it_may),
        cmocka_unit_test(a_completion_keeps_the_scheduler),
        cmocka_unit_test(instances_and_versions_do_not_make_another_model),
        cmocka_unit_test(name_and_count_do_not_make_other_instances),
        cmocka_unit_test(a_copy_is_equal_and_independent),
        cmocka_unit_test(tensors_are_views_of_the_config),
        cmocka_unit_test(parameters_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
