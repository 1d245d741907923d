#include "model/pbtxt.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "model_config.pb-c.h"
#include "test.h"

static inline void free_config(Inference__ModelConfig *config) {
    inference__model_config__free_unpacked(config, NULL);
}

HC_CLEANUP(message, Inference__ModelConfig *, free_config);

static enum hc_code parse(struct hc_text text, Inference__ModelConfig **config,
                          struct hc_error *error) {
    ProtobufCMessage *message;
    HC_TRY(hc_pbtxt_parse(&inference__model_config__descriptor, text, "file", &message, error));
    *config = (Inference__ModelConfig *)message;
    return HC_OK;
}

static Inference__ModelConfig *read_config(const char *text) {
    struct hc_error error = {0};
    Inference__ModelConfig *config = NULL;
    if (parse(hc_text_of(text), &config, &error) != HC_OK) {
        fail_msg("%s: %s", text, error.message);
    }
    return config;
}

static void an_empty_text_is_a_message_of_defaults(void **state) {
    (void)state;
    hc_auto(message) config = read_config("");
    assert_string_equal(config->name, "");
    assert_int_equal(config->max_batch_size, 0);
    assert_null(config->version_policy);
    hc_auto(message) remark = read_config("# nothing but a remark");
    assert_int_equal(inference__model_config__get_packed_size(remark), 0);
}

static void fields_may_be_separated_in_any_way(void **state) {
    (void)state;
    static const char *const texts[] = {
        "name: \"m\" max_batch_size: 4",
        "name:\"m\"max_batch_size:4",
        "name: \"m\"; max_batch_size: 4;",
        "name: \"m\", max_batch_size: 4,",
        "\r\n\tname : 'm' # a remark\n max_batch_size : 4\v\f",
        "max_batch_size: 4 name: \"m\"",
    };
    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        hc_auto(message) config = read_config(texts[i]);
        assert_string_equal(config->name, "m");
        assert_int_equal(config->max_batch_size, 4);
    }
}

static void lists_and_repetitions_add_up(void **state) {
    (void)state;
    static const char *const texts[] = {
        "input { name: 'a' dims: 1 dims: [ 2, 3 ] dims: [] } input < name: 'b' >",
        "input: [ { name: 'a' dims: [ 1, 2 ], dims: 3 }, < name: 'b' > ]",
        "input [] input { name: 'a', dims: [ 1, 2, 3 ]; }, input: { name: 'b' };",
    };
    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        hc_auto(message) config = read_config(texts[i]);
        assert_int_equal(config->n_input, 2);
        assert_int_equal(config->input[0]->n_dims, 3);
        assert_int_equal(config->input[0]->dims[2], 3);
        assert_string_equal(config->input[1]->name, "b");
    }
}

static void integers_come_in_three_bases_up_to_their_limits(void **state) {
    (void)state;
    hc_auto(message) config = read_config(
        "max_batch_size: - 0x80000000 input { dims: [ 0x10, 010, 0, -9223372036854775808, "
        "0x7fffffffffffffff ] } dynamic_batching { priority_levels: 0xFFFFFFFFFFFFFFFF } "
        "optimization { gather_kernel_buffer_threshold: 037777777777 }");
    assert_int_equal(config->max_batch_size, INT32_MIN);
    static const int64_t dims[] = {16, 8, 0, INT64_MIN, INT64_MAX};
    assert_memory_equal(config->input[0]->dims, dims, sizeof dims);
    assert_true(config->dynamic_batching->priority_levels == UINT64_MAX);
    assert_int_equal(config->optimization->gather_kernel_buffer_threshold, UINT32_MAX);
}

static void strings_are_decoded(void **state) {
    (void)state;
    static const struct {
        const char *literal;
        const char *content;
    } rows[] = {
        {"''", ""},
        {"\"it's\"", "it's"},
        {"'say \"a\"'", "say \"a\""},
        {"'a' \"b\"\n# between\n'c'", "abc"},
        {"'\\a\\b\\f\\n\\r\\t\\v\\\\\\?\\'\\\"'", "\a\b\f\n\r\t\v\\?'\""},
        {"'\\101\\60\\7x'", "A0\ax"},
        {"'\\x41\\X2g'", "A\x02g"},
        {"'\\u00e9\\U0001d11e'", "\xc3\xa9\xf0\x9d\x84\x9e"},
        {"'\\ud834\\udd1e'", "\xf0\x9d\x84\x9e"},
        {"'\\342\\202\\254'", "\xe2\x82\xac"},
        {"'\\ud834'", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"'a\xff\xc3('", "a\xef\xbf\xbd\xef\xbf\xbd("},
        {"'\xe0\x80\x80\xf4\x90'", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        char text[128];
        snprintf(text, sizeof text, "name: %s", rows[i].literal);
        hc_auto(message) config = read_config(text);
        assert_string_equal(config->name, rows[i].content);
    }
}

static void floats_are_rounded_to_what_they_are_kept_in(void **state) {
    (void)state;
    static const struct {
        const char *text;
        float value;
    } rows[] = {
        {"1", 1.0f},          {"-1.5", -1.5f},       {"1f", 1.0f},
        {".5", 0.5f},         {"1.", 1.0f},          {"1e2F", 100.0f},
        {"1E-3", 0.001f},     {"0", 0.0f},           {"3.4028235e38", FLT_MAX},
        {"1e39", INFINITY},   {"inf", INFINITY},     {"-Infinity", -INFINITY},
        {"1e400", INFINITY},  {"1e-400", 0.0f},      {"0.1", 0.1f},
        {"-1e39", -INFINITY}, {"16777217", 0x1p24f},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        char text[128];
        snprintf(text, sizeof text,
                 "sequence_batching { control_input { control { fp32_false_true: %s } } }",
                 rows[i].text);
        hc_auto(message) config = read_config(text);
        float value = config->sequence_batching->control_input[0]->control[0]->fp32_false_true[0];
        assert_true(value == rows[i].value);
    }
    hc_auto(message) config = read_config(
        "model_metrics { metric_control { histogram_options { buckets: [ 0.1, NaN ] } } }");
    const double *buckets = config->model_metrics->metric_control[0]->histogram_options->buckets;
    assert_true(buckets[0] == 0.1 && isnan(buckets[1]));
}

static void truth_has_several_names(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool value;
    } rows[] = {
        {"true", true},   {"True", true},   {"t", true},  {"1", true},  {"0x1", true},
        {"false", false}, {"False", false}, {"f", false}, {"0", false}, {"00", false},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        char text[64];
        snprintf(text, sizeof text, "response_cache { enable: %s }", rows[i].text);
        hc_auto(message) config = read_config(text);
        assert_int_equal(config->response_cache->enable, rows[i].value);
    }
}

static void enums_have_names_and_numbers(void **state) {
    (void)state;
    hc_auto(message) config =
        read_config("input { data_type: TYPE_FP32 } input { data_type: 0xb }");
    assert_int_equal(config->input[0]->data_type, INFERENCE__DATA_TYPE__TYPE_FP32);
    assert_int_equal(config->input[1]->data_type, INFERENCE__DATA_TYPE__TYPE_FP32);
}

static void maps_are_ordered_and_have_each_key_once(void **state) {
    (void)state;
    hc_auto(message) config = read_config("metric_tags { key: 'b' value: '1' }"
                                          "metric_tags { value: '2' key: 'a' }"
                                          "metric_tags { key: 'b' value: '3' }"
                                          "parameters { key: 'empty' }"
                                          "dynamic_batching { priority_queue_policy [ { key: 10 }, "
                                          "{ key: 9 value { max_queue_size: 1 } } ] }");
    assert_int_equal(config->n_metric_tags, 2);
    assert_string_equal(config->metric_tags[0]->key, "a");
    assert_string_equal(config->metric_tags[1]->value, "3");
    assert_string_equal(config->parameters[0]->value->string_value, "");
    const Inference__ModelDynamicBatching *batching = config->dynamic_batching;
    assert_int_equal(batching->priority_queue_policy[0]->key, 9);
    assert_int_equal(batching->priority_queue_policy[1]->value->max_queue_size, 0);
}

static void a_default_does_not_count_as_given(void **state) {
    (void)state;
    hc_auto(message) config =
        read_config("max_batch_size: 0 max_batch_size: 3 name: '' name: 'm' version_policy { }");
    assert_int_equal(config->max_batch_size, 3);
    assert_string_equal(config->name, "m");
    assert_int_equal(config->version_policy->policy_choice_case, 0);
}

static void members_of_a_oneof_are_given_even_with_a_default(void **state) {
    (void)state;
    hc_auto(message) config =
        read_config("model_warmup { inputs { key: 'x' value { zero_data: false } } }");
    assert_int_equal(config->model_warmup[0]->inputs[0]->value->input_data_type_case,
                     INFERENCE__MODEL_WARMUP__INPUT__INPUT_DATA_TYPE_ZERO_DATA);
}

static void mistakes_are_told_with_their_place(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        {"nmae: 'm'", "file:1:1: ModelConfig has no field \"nmae\"; did you mean \"name\"?"},
        {"\n\n  elephant: 1", "file:3:3: ModelConfig has no field \"elephant\""},
        {"input { }\n}", "file:2:1: found \"}\", expected the name of a field"},
        {"name \"m\"", "file:1:6: found the string \"m\", expected \":\""},
        {"name: \"m", "file:1:7: this string has no closing \" on its line"},
        {"name: \"m\\", "file:1:7: this string has no closing \" on its line"},
        {"name: 'a\\z'", "file:1:9: a string has no such escape"},
        {"name: '\\U00110000'", "file:1:8: a string has no such escape"},
        {"name: '\\u12'", "file:1:8: a string has no such escape"},
        {"name: '\\x'", "file:1:8: a string has no such escape"},
        {"name: 'a' max_batch_size: 0x", "file:1:29: expected hexadecimal digits after \"0x\""},
        {"max_batch_size: 1e", "file:1:19: expected the digits of an exponent"},
        {"max_batch_size: 1.2.3", "file:1:20: this number cannot have a point here"},
        {"max_batch_size: 0x1.8", "file:1:20: this number cannot have a point here"},
        {"max_batch_size: 99999999999999999999",
         "file:1:17: 99999999999999999999 is out of range for max_batch_size"},
        {"max_batch_size: -2147483649",
         "file:1:18: -2147483649 is out of range for max_batch_size"},
        {"input { dims: -9223372036854775809 }",
         "file:1:16: -9223372036854775809 is out of range for dims"},
        {"input [ { } { } ]", "file:1:13: found \"{\", expected \",\" or \"]\""},
        {"input { dims: [ 1", "file:1:18: found the end of the file, expected \",\" or \"]\""},
        {"instance_group { kind: KIND_TPU }",
         "file:1:24: Kind has no value \"KIND_TPU\"; did you mean \"KIND_GPU\"?"},
        {"instance_group { kind: -1 }",
         "file:1:24: Kind has no value \"-\"; it has KIND_AUTO, KIND_GPU, KIND_CPU, KIND_MODEL"},
        {"version_policy { latest { } all { } }",
         "file:1:29: all cannot be given together with latest"},
        {"model_warmup { inputs { value { zero_data: false zero_data: true } } }",
         "file:1:50: zero_data is given twice"},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct hc_error error = {0};
        Inference__ModelConfig *config = NULL;
        assert_int_equal(parse(hc_text_of(rows[i].text), &config, &error), HC_INVALID_ARGUMENT);
        assert_string_equal(error.message, rows[i].message);
        assert_null(config);
    }
}

static void any_byte_may_be_found(void **state) {
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[] = {'n', 'a', 'm', 'e', ':', (char)byte};
        Inference__ModelConfig *config = NULL;
        assert_int_equal(parse((struct hc_text){text, sizeof text}, &config, NULL),
                         HC_INVALID_ARGUMENT);
    }
}

static void a_nul_is_not_the_end(void **state) {
    (void)state;
    Inference__ModelConfig *config = NULL;
    struct hc_error error;
    assert_int_equal(parse(HC_TEXT("name: 'm'\0max_batch_size: 1"), &config, &error),
                     HC_INVALID_ARGUMENT);
    assert_string_equal(error.message, "file:1:10: found \"?\", expected the name of a field");
    assert_int_equal(parse(HC_TEXT("name: 'a\0b'"), &config, &error), HC_INVALID_ARGUMENT);
    assert_string_equal(error.message, "file:1:7: a string cannot hold a NUL byte");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_text_is_a_message_of_defaults),
        cmocka_unit_test(fields_may_be_separated_in_any_way),
        cmocka_unit_test(lists_and_repetitions_add_up),
        cmocka_unit_test(integers_come_in_three_bases_up_to_their_limits),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(floats_are_rounded_to_what_they_are_kept_in),
        cmocka_unit_test(truth_has_several_names),
        cmocka_unit_test(enums_have_names_and_numbers),
        cmocka_unit_test(maps_are_ordered_and_have_each_key_once),
        cmocka_unit_test(a_default_does_not_count_as_given),
        cmocka_unit_test(members_of_a_oneof_are_given_even_with_a_default),
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(any_byte_may_be_found),
        cmocka_unit_test(a_nul_is_not_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
