#include "model/config_json.h"

#include <math.h>

#include "test.h"

static Inference__ModelConfig *read_config(const char *json) {
    struct hc_error error = {0};
    Inference__ModelConfig *config = NULL;
    if (hc_config_json_read(hc_text_of(json), &config, &error) != HC_OK) {
        fail_msg("%s: %s", json, error.message);
    }
    return config;
}

static Inference__ModelConfig *parse_config(const char *text) {
    struct hc_error error = {0};
    Inference__ModelConfig *config = NULL;
    if (hc_config_parse(hc_text_of(text), "file", &config, &error) != HC_OK) {
        fail_msg("%s", error.message);
    }
    return config;
}

/* Whether the JSON of the config that TEXT describes has PART in it. */
static void assert_prints(const char *text, const char *part) {
    hc_auto(config) config = parse_config(text);
    hc_auto_buf json = {0};
    hc_config_json_print(config, &json);
    if (strstr(hc_buf_string(&json), part) == NULL) {
        fail_msg("%s\nis not in\n%s", part, json.data);
    }
}

static void everything_but_messages_is_printed_set_or_not(void **state) {
    (void)state;
    hc_auto(config) config = parse_config("");
    hc_auto_buf json = {0};
    hc_config_json_print(config, &json);
    assert_string_equal(
        hc_buf_string(&json),
        "{\"name\":\"\",\"platform\":\"\",\"backend\":\"\",\"runtime\":\"\",\"max_batch_size\":0,"
        "\"input\":[],\"output\":[],\"batch_input\":[],\"batch_output\":[],\"instance_group\":[],"
        "\"default_model_filename\":\"\",\"cc_model_filenames\":{},\"metric_tags\":{},"
        "\"parameters\":{},\"model_warmup\":[]}");
}

static void oneofs_are_printed_where_triton_has_them(void **state) {
    (void)state;
    assert_prints("optimization { } ensemble_scheduling { }",
                  "\"eager_batching\":false},\"ensemble_scheduling\":{\"step\":[]},"
                  "\"instance_group\":[]");
    assert_prints("sequence_batching { oldest { } }",
                  "{\"oldest\":{\"max_candidate_sequences\":0,\"preferred_batch_size\":[],"
                  "\"max_queue_delay_microseconds\":0,\"preserve_ordering\":false},"
                  "\"max_sequence_idle_microseconds\":0,");
    assert_prints("sequence_batching { state { initial_state { data_file: 'f' name: 'n' } } }",
                  "\"dims\":[],\"name\":\"n\",\"data_file\":\"f\"}");
}

static void large_integers_are_exact(void **state) {
    (void)state;
    assert_prints("input { dims: [ 9007199254740993, -9223372036854775808 ] }",
                  "\"dims\":[9007199254740993,-9223372036854775808]");
    assert_prints("dynamic_batching { max_queue_delay_microseconds: 18446744073709551615 }",
                  "\"max_queue_delay_microseconds\":18446744073709551615");
    hc_auto(config) config = read_config("{\"input\":[{\"dims\":[9007199254740993,"
                                         "\"-9223372036854775808\"]}],\"dynamic_batching\":"
                                         "{\"priority_levels\":18446744073709551615}}");
    assert_true(config->input[0]->dims[0] == 9007199254740993);
    assert_true(config->input[0]->dims[1] == INT64_MIN);
    assert_true(config->dynamic_batching->priority_levels == UINT64_MAX);
}

static void strings_are_escaped(void **state) {
    (void)state;
    assert_prints("name: '\\001\\\"\\\\/\\n'", "{\"name\":\"\\u0001\\\"\\\\/\\n\",");
    assert_prints("metric_tags { key: 'a\\\"b' value: 'c' }", "{\"a\\\"b\":\"c\"}");
}

static void names_are_those_of_the_proto_or_camel_case(void **state) {
    (void)state;
    hc_auto(config) config =
        read_config("{\"maxBatchSize\":2,\"default_model_filename\":\"f\",\"responseCache\":"
                    "{\"enable\":true},\"sequenceBatching\":{\"controlInput\":[{\"control\":"
                    "[{\"int32FalseTrue\":[0,1]}]}]},\"n\\u0061me\":\"m\"}");
    assert_int_equal(config->max_batch_size, 2);
    assert_string_equal(config->default_model_filename, "f");
    assert_true(hc_config_has_cache(config));
    assert_int_equal(config->sequence_batching->control_input[0]->control[0]->n_int32_false_true,
                     2);
    assert_string_equal(config->name, "m");
}

static void enums_are_names_in_any_case_or_numbers(void **state) {
    (void)state;
    hc_auto(config) config =
        read_config("{\"input\":[{\"data_type\":\"TYPE_FP32\"},{\"data_type\":\"type_fp32\"},"
                    "{\"data_type\":11},{\"data_type\":11.0},{\"data_type\":\"11\"}]}");
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(hc_config_input(config, i).dtype, HC_DTYPE_FP32);
    }
}

static void null_is_the_default(void **state) {
    (void)state;
    hc_auto(config) config =
        read_config("{\"name\":null,\"input\":null,\"parameters\":null,\"dynamic_batching\":null,"
                    "\"sequence_batching\":{},\"max_batch_size\":null}");
    hc_auto(config) other = parse_config("sequence_batching { }");
    assert_true(hc_config_same_model(config, other));
}

static void floats_are_numbers_or_strings(void **state) {
    (void)state;
    hc_auto(config) config =
        read_config("{\"model_metrics\":{\"metric_control\":[{\"histogram_options\":{\"buckets\":"
                    "[1,2.5,1e3,\"Infinity\",\"NaN\",\"0.1\"]}}]}}");
    const double *buckets = config->model_metrics->metric_control[0]->histogram_options->buckets;
    assert_true(buckets[0] == 1 && buckets[1] == 2.5 && buckets[2] == 1000 && isinf(buckets[3]) &&
                isnan(buckets[4]) && buckets[5] == 0.1);
}

static void truth_may_be_a_string(void **state) {
    (void)state;
    hc_auto(config) config =
        read_config("{\"response_cache\":{\"enable\":\"true\"},\"optimization\":"
                    "{\"eager_batching\":\"false\"}}");
    assert_true(config->response_cache->enable);
    assert_false(config->optimization->eager_batching);
}

static void a_list_of_one_need_not_be_a_list(void **state) {
    (void)state;
    hc_auto(config) config = read_config("{\"input\":{\"name\":\"x\",\"dims\":3}}");
    assert_int_equal(config->n_input, 1);
    assert_int_equal(config->input[0]->n_dims, 1);
    assert_int_equal(config->input[0]->dims[0], 3);
}

static void what_is_printed_reads_back(void **state) {
    (void)state;
    hc_auto(config) config = parse_config(
        "name: 'm' max_batch_size: 8 instance_group { kind: KIND_GPU gpus: [ 0, 1 ] "
        "secondary_devices { device_id: 3 } } "
        "sequence_batching { direct { minimum_slot_utilization: 0.3 } state { initial_state { "
        "dims: [ 1, 2 ] zero_data: true } } } "
        "parameters { key: 'k' value { string_value: '\\001 \\u00e9' } } "
        "optimization { cuda { graph_spec { input { key: 'x' value { dim: 5 } } } } }");
    hc_auto_buf json = {0};
    hc_config_json_print(config, &json);
    hc_auto(config) again = read_config(hc_buf_string(&json));
    assert_true(hc_config_same_model(config, again));
    assert_true(hc_config_same_instances(config->instance_group[0], again->instance_group[0]));
}

static void mistakes_are_told_with_their_place(void **state) {
    (void)state;
    static const struct {
        const char *json;
        const char *message;
    } rows[] = {
        {"[]", "found an array, expected an object"},
        {"{\"nmae\":1}", "ModelConfig has no field \"nmae\"; did you mean \"name\"?"},
        {"{\"input\":[{},{\"dim\":[1]}]}",
         "input[1]: ModelInput has no field \"dim\"; did you mean \"dims\"?"},
        {"{\"input\":true}", "input: found true, expected an object"},
        {"{\"input\":[{\"dims\":[1,true]}]}", "input[0].dims[1]: found true, expected an integer"},
        {"{\"input\":[null]}", "input[0]: found null, expected an object"},
        {"{\"max_batch_size\":1.5}", "max_batch_size: found 1.5, expected an integer"},
        {"{\"max_batch_size\":\"four\"}", "max_batch_size: found a string, expected an integer"},
        {"{\"max_batch_size\":2147483648}", "max_batch_size: 2147483648 is out of range"},
        {"{\"dynamic_batching\":{\"priority_levels\":-1}}",
         "dynamic_batching.priority_levels: -1 is out of range"},
        {"{\"dynamic_batching\":{\"priority_queue_policy\":{\"x\":{}}}}",
         "dynamic_batching.priority_queue_policy[\"x\"]: found a string, expected an integer"},
        {"{\"parameters\":{\"k\":\"v\"}}", "parameters[\"k\"]: found a string, expected an object"},
        {"{\"parameters\":[]}", "parameters: found an array, expected an object"},
        {"{\"metric_tags\":{\"k\":null}}", "metric_tags[\"k\"]: found null, expected a string"},
        {"{\"response_cache\":{\"enable\":\"yes\"}}",
         "response_cache.enable: found a string, expected true or false"},
        {"{\"instance_group\":[{\"kind\":\"KIND_TPU\"}]}",
         "instance_group[0].kind: Kind has no value \"KIND_TPU\"; did you mean \"KIND_GPU\"?"},
        {"{\"instance_group\":[{\"kind\":9}]}",
         "instance_group[0].kind: Kind has no value \"9\"; it has KIND_AUTO, KIND_GPU, KIND_CPU, "
         "KIND_MODEL"},
        {"{\"name\":\"a\",\"name\":\"b\"}", "name: is given twice"},
        {"{\"dynamic_batching\":{},\"sequence_batching\":{}}",
         "sequence_batching: cannot be given together with dynamic_batching"},
        {"{\"name\":\"a\\u0000b\"}", "name: a string cannot hold a NUL byte"},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct hc_error error = {0};
        Inference__ModelConfig *config = NULL;
        assert_int_equal(hc_config_json_read(hc_text_of(rows[i].json), &config, &error),
                         HC_INVALID_ARGUMENT);
        assert_string_equal(error.message, rows[i].message);
        assert_null(config);
    }
}

static void what_is_no_json_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "{",
        "{\"name\":\"a\"",
        "{\"input\":[{\"name\":}]}",
        "{\"input\":[{\"dims\":[1}]}",
        "{\"parameters\":{\"k\":{]}",
        "{} {}",
        "{'name':'a'}",
        "{\"name\":\"\\x\"}",
    };
    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        struct hc_error error = {0};
        Inference__ModelConfig *config = NULL;
        assert_int_equal(hc_config_json_read(hc_text_of(texts[i]), &config, &error),
                         HC_INVALID_ARGUMENT);
        assert_true(hc_text_starts(hc_text_of(error.message), "failed to parse the request JSON"));
    }
}

static void a_config_has_a_size_limit(void **state) {
    (void)state;
    hc_auto_buf json = {0};
    memset(hc_buf_reserve(&json, HC_CONFIG_MAX_SIZE), ' ', HC_CONFIG_MAX_SIZE);
    hc_buf_commit(&json, HC_CONFIG_MAX_SIZE);
    Inference__ModelConfig *config = NULL;
    struct hc_error error;
    hc_buf_append_string(&json, "{}");
    assert_int_equal(hc_config_json_read(hc_buf_text(&json), &config, &error), HC_INVALID_ARGUMENT);
    assert_string_equal(error.message,
                        "a model configuration of 4194306 bytes is larger than 4194304");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_but_messages_is_printed_set_or_not),
        cmocka_unit_test(oneofs_are_printed_where_triton_has_them),
        cmocka_unit_test(large_integers_are_exact),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(names_are_those_of_the_proto_or_camel_case),
        cmocka_unit_test(enums_are_names_in_any_case_or_numbers),
        cmocka_unit_test(null_is_the_default),
        cmocka_unit_test(floats_are_numbers_or_strings),
        cmocka_unit_test(truth_may_be_a_string),
        cmocka_unit_test(a_list_of_one_need_not_be_a_list),
        cmocka_unit_test(what_is_printed_reads_back),
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(a_config_has_a_size_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
