/* What recordings of Triton do not show: what the structs hold, orders of members, limits. */
#include "base/alloc.h"
#include "base/buf.h"
#include "test.h"
#include "wire/infer_json.h"
#include "wire/number.h"

struct fixture {
    struct hc_pool pool;
    struct hc_infer_json_request request;
    struct hc_error error;
};

static enum hc_code read_text(struct fixture *fixture, struct hc_text text) {
    hc_pool_reset(&fixture->pool);
    return hc_infer_json_read(text, &fixture->pool, &fixture->request, &fixture->error);
}

static void read_ok(struct fixture *fixture, const char *text) {
    if (read_text(fixture, hc_text_of(text)) != HC_OK) {
        fail_msg("%s", fixture->error.message);
    }
}

static int set_up(void **state) {
    *state = calloc(1, sizeof(struct fixture));
    return *state == NULL ? -1 : 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    hc_pool_finish(&fixture->pool);
    free(fixture);
    return 0;
}

static void fields_of_a_request(void **state) {
    struct fixture *f = *state;
    read_ok(f, "{\"id\":\"7\",\"parameters\":{\"sequence_id\":9,\"sequence_start\":true,"
               "\"sequence_end\":true,\"priority\":3,\"timeout\":250,\"binary_data_output\":true,"
               "\"a\":-5,\"b\":\"x\",\"c\":false,\"d\":1.5,\"e\":18446744073709551615},"
               "\"inputs\":[]}");
    assert_true(hc_text_is(f->request.id, "7"));
    assert_int_equal(f->request.sequence, HC_INFER_JSON_SEQUENCE_NUMBER);
    assert_int_equal(f->request.sequence_number, 9);
    assert_true(f->request.sequence_start && f->request.sequence_end);
    assert_int_equal(f->request.priority, 3);
    assert_int_equal(f->request.timeout_us, 250);
    assert_true(f->request.binary_outputs);
    assert_int_equal(f->request.n_parameters, 5);
    assert_int_equal(f->request.parameters[0].int64, -5);
    assert_true(hc_text_is(f->request.parameters[1].string, "x"));
    assert_int_equal(f->request.parameters[2].kind, HC_WIRE_BOOL);
    assert_true(f->request.parameters[3].real == 1.5);
    assert_int_equal(f->request.parameters[4].kind, HC_WIRE_DOUBLE);
}

static void a_request_with_nothing_in_it(void **state) {
    struct fixture *f = *state;
    read_ok(f, "{\"inputs\":[]}");
    assert_int_equal(f->request.id.size, 0);
    assert_int_equal(f->request.sequence, HC_INFER_JSON_NO_SEQUENCE);
    assert_int_equal(f->request.n_inputs + f->request.n_outputs + f->request.n_parameters, 0);
}

static void fields_of_inputs(void **state) {
    struct fixture *f = *state;
    read_ok(f, "{\"inputs\":["
               "{\"name\":\"a\",\"shape\":[2,3],\"datatype\":\"INT16\",\"data\":[1,2,3,4,5,6]},"
               "{\"name\":\"b\",\"shape\":[4],\"datatype\":\"FP16\","
               "\"parameters\":{\"binary_data_size\":8}},"
               "{\"name\":\"c\",\"shape\":[1],\"datatype\":\"NEW\","
               "\"parameters\":{\"shared_memory_region\":\"r\",\"shared_memory_offset\":16,"
               "\"shared_memory_byte_size\":32}}]}");
    const struct hc_infer_json_input *inputs = f->request.inputs;
    assert_int_equal(f->request.n_inputs, 3);
    assert_int_equal(inputs[0].source, HC_INFER_JSON_DATA);
    assert_int_equal(inputs[0].n_dims, 2);
    assert_int_equal(inputs[0].dims[1], 3);
    assert_int_equal(inputs[0].data.size, 12);
    assert_int_equal(inputs[1].source, HC_INFER_JSON_BINARY);
    assert_int_equal(inputs[1].dtype, HC_DTYPE_FP16);
    assert_int_equal(inputs[1].binary_size, 8);
    assert_int_equal(inputs[2].source, HC_INFER_JSON_SHARED);
    assert_int_equal(inputs[2].dtype, HC_DTYPE_INVALID);
    assert_true(hc_text_is(inputs[2].datatype, "NEW"));
    assert_true(hc_text_is(inputs[2].region.name, "r"));
    assert_int_equal(inputs[2].region.offset, 16);
    assert_int_equal(inputs[2].region.size, 32);
}

static void fields_of_outputs(void **state) {
    struct fixture *f = *state;
    read_ok(f, "{\"inputs\":[],\"outputs\":[{\"name\":\"a\"},"
               "{\"name\":\"b\",\"parameters\":{\"binary_data\":true}},"
               "{\"name\":\"c\",\"parameters\":{\"classification\":3}},"
               "{\"name\":\"d\",\"parameters\":{\"shared_memory_region\":\"r\","
               "\"shared_memory_byte_size\":64}},"
               "{\"name\":\"b\"}]}");
    const struct hc_infer_json_output *outputs = f->request.outputs;
    assert_int_equal(f->request.n_outputs, 4);
    assert_false(outputs[0].binary || outputs[0].shared);
    assert_true(outputs[1].binary);
    assert_int_equal(outputs[2].classification, 3);
    assert_true(outputs[3].shared);
    assert_true(hc_text_is(outputs[3].region.name, "r"));
    assert_int_equal(outputs[3].region.size, 64);
}

/* The elements of the only input, checked to be of the size announced. */
static const char *elements(const struct fixture *f, size_t size) {
    static char place[4096];
    assert_int_equal(f->request.inputs[0].data.size, size);
    memset(place, 0x55, sizeof place);
    hc_infer_json_copy_data(&f->request.inputs[0], place);
    assert_int_equal(place[size], 0x55);
    return place;
}

static void members_of_an_input_come_in_any_order(void **state) {
    struct fixture *f = *state;
    static const char *const members[] = {"\"name\":\"x\"", "\"datatype\":\"FP32\"",
                                          "\"shape\":[2]", "\"data\":[[1.5],[-2]]"};
    static const float expected[] = {1.5f, -2};
    for (unsigned order = 0; order < 256; order++) {
        unsigned at[4] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6};
        if ((1u << at[0] | 1u << at[1] | 1u << at[2] | 1u << at[3]) != 15) {
            continue;
        }
        hc_auto_buf text = {0};
        hc_buf_appendf(&text, "{\"inputs\":[{%s,%s,%s,%s}]}", members[at[0]], members[at[1]],
                       members[at[2]], members[at[3]]);
        read_ok(f, hc_buf_string(&text));
        assert_memory_equal(elements(f, sizeof expected), expected, sizeof expected);
    }
}

static const char *const numbers[] = {"1",    "-7",     "0.5",           "-0.25", "1e3",      "-0",
                                      "1e-5", "3.0E+1", "123456789.125", "-0.0",  "12345678", "NaN",
                                      "Inf",  "0.1"};
enum { N_NUMBERS = 10 * N_ITEMS(numbers) };

static void append_numbers(struct hc_buf *text) {
    for (size_t i = 0; i < N_NUMBERS; i++) {
        hc_buf_appendf(text, "%s%s", i > 0 ? i % 3 == 0 ? " ,\n " : ", " : "",
                       numbers[i % N_ITEMS(numbers)]);
    }
}

static void check_numbers(const struct fixture *f) {
    const char *place = elements(f, N_NUMBERS * sizeof(double));
    for (size_t i = 0; i < N_NUMBERS; i++) {
        const char *number = numbers[i % N_ITEMS(numbers)];
        double expected = strcmp(number, "-0") == 0 ? 0.0 : strtod(number, NULL);
        assert_memory_equal(place + i * sizeof expected, &expected, sizeof expected);
    }
}

static void numbers_of_all_forms_are_read_wherever_they_are(void **state) {
    struct fixture *f = *state;
    static const char *const formats[] = {
        "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP64\",\"shape\":[%zu],\"data\":[%s]}]}",
        "{\"inputs\":[{\"data\":[%2$s],\"datatype\":\"FP64\",\"shape\":[%1$zu],\"name\":\"x\"}]}",
    };
    hc_auto_buf data = {0};
    append_numbers(&data);
    for (size_t i = 0; i < N_ITEMS(formats); i++) {
        char *text = hc_format(formats[i], (size_t)N_NUMBERS, hc_buf_string(&data));
        read_ok(f, text);
        check_numbers(f);
        free(text);
    }
}

static void integers_are_truncated(void **state) {
    struct fixture *f = *state;
    read_ok(f, "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"INT8\",\"shape\":[6],"
               "\"data\":[127,128,-128,-129,9223372036854775807,-9223372036854775808]}]}");
    assert_memory_equal(elements(f, 6), "\x7f\x80\x80\x7f\xff\x00", 6);
    read_ok(f, "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"UINT64\",\"shape\":[3],"
               "\"data\":[18446744073709551615,1,256]}]}");
    assert_memory_equal(elements(f, 24),
                        "\xff\xff\xff\xff\xff\xff\xff\xff\1\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0", 24);
}

static void truth_values_take_a_byte(void **state) {
    struct fixture *f = *state;
    read_ok(f, "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"BOOL\",\"shape\":[3],"
               "\"data\":[true,[false,true]]}]}");
    assert_memory_equal(elements(f, 3), "\1\0\1", 3);
}

static void strings_have_their_length_before_them(void **state) {
    struct fixture *f = *state;
    read_ok(f, "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"BYTES\",\"shape\":[2,2],"
               "\"data\":[[\"ab\",\"\"],[\"\\u0000\\\"]\",\"[,\"]]}]}");
    assert_int_equal(f->request.inputs[0].data.n_elements, 4);
    assert_memory_equal(elements(f, 23), "\2\0\0\0ab\0\0\0\0\3\0\0\0\0\"]\2\0\0\0[,", 23);
}

static void strings_are_not_compared_with_the_shape(void **state) {
    struct fixture *f = *state;
    read_ok(f, "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"BYTES\",\"shape\":[5],"
               "\"data\":[\"a\"]}]}");
    assert_int_equal(f->request.inputs[0].data.n_elements, 1);
    assert_int_equal(f->request.inputs[0].data.size, 5);
}

static void an_empty_tensor_has_no_data(void **state) {
    struct fixture *f = *state;
    read_ok(f, "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[0],\"data\":[1]}]}");
    assert_int_equal(f->request.inputs[0].data.n_elements, 0);
    elements(f, 0);
}

static void a_huge_shape_takes_no_memory(void **state) {
    struct fixture *f = *state;
    assert_int_equal(read_text(f, HC_TEXT("{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\","
                                          "\"shape\":[1000000000000],\"data\":[1]}]}")),
                     HC_INVALID_ARGUMENT);
    assert_string_equal(f->error.message,
                        "Unable to parse 'data': Shape does not match true shape of 'data' field");
}

static void texts_are_views_where_they_can_be(void **state) {
    struct fixture *f = *state;
    struct hc_text text = HC_TEXT("{\"id\":\"view\",\"inputs\":[]}");
    assert_int_equal(read_text(f, text), HC_OK);
    assert_ptr_equal(f->request.id.data, text.data + 7);
}

static void the_request_is_untouched_on_failure(void **state) {
    struct fixture *f = *state;
    f->request.n_inputs = 77;
    assert_int_equal(read_text(f, HC_TEXT("{\"inputs\":[{}]}")), HC_INVALID_ARGUMENT);
    assert_int_equal(f->request.n_inputs, 77);
    assert_int_equal(hc_infer_json_read(HC_TEXT("{\"id\":5}"), &f->pool, &f->request, NULL),
                     HC_INTERNAL);
}

/* Many inputs, of which LAST is the name of the last. */
static void append_inputs(struct hc_buf *text, int n, const char *last) {
    hc_buf_append_string(text, "{\"inputs\":[");
    for (int i = 0; i < n; i++) {
        hc_buf_appendf(text,
                       "{\"name\":\"input%d\",\"shape\":[0],\"datatype\":\"FP32\","
                       "\"data\":[]},",
                       i);
    }
    hc_buf_appendf(text,
                   "{\"name\":\"%s\",\"shape\":[0],\"datatype\":\"FP32\",\"data\":[]}],"
                   "\"id\":\"7\"}",
                   last);
}

static void a_repeated_name_is_found_among_many(void **state) {
    struct fixture *f = *state;
    hc_auto_buf text = {0};
    append_inputs(&text, 20000, "another");
    read_ok(f, hc_buf_string(&text));
    assert_int_equal(f->request.n_inputs, 20001);
    assert_true(hc_text_is(f->request.inputs[12345].name, "input12345"));
    hc_buf_clear(&text);
    append_inputs(&text, 20000, "input12345");
    assert_int_equal(read_text(f, hc_buf_text(&text)), HC_INVALID_ARGUMENT);
    assert_string_equal(f->error.message,
                        "[request id: 7] input 'input12345' already exists in request");
}

static void binary_inputs_are_compared_with_what_follows(void **state) {
    struct fixture *f = *state;
    struct hc_text model = HC_TEXT("m");
    read_ok(f, "{\"inputs\":["
               "{\"name\":\"a\",\"shape\":[2],\"datatype\":\"FP32\","
               "\"parameters\":{\"binary_data_size\":8}},"
               "{\"name\":\"b\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[1]},"
               "{\"name\":\"c\",\"shape\":[1],\"datatype\":\"FP32\","
               "\"parameters\":{\"binary_data_size\":18446744073709551615}}]}");
    assert_int_equal(hc_infer_json_check_binary(&f->request, 7, model, &f->error),
                     HC_INVALID_ARGUMENT);
    assert_string_equal(
        f->error.message,
        "unexpected size for input 'a', expecting 1 additional bytes for model 'm'");
    assert_int_equal(hc_infer_json_check_binary(&f->request, 18, model, &f->error),
                     HC_INVALID_ARGUMENT);
    assert_string_equal(f->error.message, "unexpected size for input 'c', expecting "
                                          "18446744073709551605 additional bytes for model 'm'");
    f->request.n_inputs = 2;
    assert_int_equal(hc_infer_json_check_binary(&f->request, 8, model, &f->error), HC_OK);
    assert_int_equal(hc_infer_json_check_binary(&f->request, 9, model, &f->error),
                     HC_INVALID_ARGUMENT);
    assert_string_equal(f->error.message, "unexpected additional input data for model 'm'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_a_request),
        cmocka_unit_test(a_request_with_nothing_in_it),
        cmocka_unit_test(fields_of_inputs),
        cmocka_unit_test(fields_of_outputs),
        cmocka_unit_test(members_of_an_input_come_in_any_order),
        cmocka_unit_test(numbers_of_all_forms_are_read_wherever_they_are),
        cmocka_unit_test(integers_are_truncated),
        cmocka_unit_test(truth_values_take_a_byte),
        cmocka_unit_test(strings_have_their_length_before_them),
        cmocka_unit_test(strings_are_not_compared_with_the_shape),
        cmocka_unit_test(an_empty_tensor_has_no_data),
        cmocka_unit_test(a_huge_shape_takes_no_memory),
        cmocka_unit_test(texts_are_views_where_they_can_be),
        cmocka_unit_test(the_request_is_untouched_on_failure),
        cmocka_unit_test(a_repeated_name_is_found_among_many),
        cmocka_unit_test(binary_inputs_are_compared_with_what_follows),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
