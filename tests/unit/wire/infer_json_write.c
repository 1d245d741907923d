#include "wire/infer_json.h"

#include <math.h>
#include <stdio.h>

#include "test.h"

/* The response with TENSOR alone, or its error. */
static const char *write_one(const struct hc_infer_json_tensor *tensor,
                             struct hc_infer_json_policy policy) {
    static struct hc_buf buf;
    static struct hc_error error;
    struct hc_infer_json_response response = {
        .model_name = HC_TEXT("m"), .model_version = 3, .outputs = tensor, .n_outputs = 1};
    hc_buf_clear(&buf);
    hc_buf_append_string(&buf, "before ");
    if (hc_infer_json_write(&buf, &response, policy, &error) != HC_OK) {
        assert_string_equal(hc_buf_string(&buf), "before ");
        return error.message;
    }
    const char *text = hc_buf_string(&buf);
    const char *data = strstr(text, "\"data\":");
    return data != NULL ? data : text;
}

static const char *write_flat(enum hc_dtype dtype, int64_t n, const void *data, size_t size) {
    static char unaligned[4096 + 1];
    memcpy(unaligned + 1, data, size);
    struct hc_infer_json_tensor tensor = {.name = HC_TEXT("y"),
                                          .dtype = dtype,
                                          .dims = &n,
                                          .n_dims = 1,
                                          .data = unaligned + 1,
                                          .size = size};
    return write_one(&tensor, (struct hc_infer_json_policy){0});
}

#define FLAT(dtype, ...)                                                                           \
    write_flat(dtype, N_ITEMS((__VA_ARGS__)), &(__VA_ARGS__), sizeof(__VA_ARGS__))

static void elements_of_every_datatype(void **state) {
    (void)state;
    assert_string_equal(FLAT(HC_DTYPE_BOOL, (uint8_t[]){0, 1, 2}), "\"data\":[false,true,true]}]}");
    assert_string_equal(FLAT(HC_DTYPE_UINT8, (uint8_t[]){0, 255}), "\"data\":[0,255]}]}");
    assert_string_equal(FLAT(HC_DTYPE_UINT16, (uint16_t[]){65535}), "\"data\":[65535]}]}");
    assert_string_equal(FLAT(HC_DTYPE_UINT32, (uint32_t[]){UINT32_MAX}),
                        "\"data\":[4294967295]}]}");
    assert_string_equal(FLAT(HC_DTYPE_UINT64, (uint64_t[]){UINT64_MAX, 7}),
                        "\"data\":[18446744073709551615,7]}]}");
    assert_string_equal(FLAT(HC_DTYPE_INT8, (int8_t[]){-128, 127}), "\"data\":[-128,127]}]}");
    assert_string_equal(FLAT(HC_DTYPE_INT16, (int16_t[]){-32768}), "\"data\":[-32768]}]}");
    assert_string_equal(FLAT(HC_DTYPE_INT32, (int32_t[]){INT32_MIN}), "\"data\":[-2147483648]}]}");
    assert_string_equal(FLAT(HC_DTYPE_INT64, (int64_t[]){INT64_MIN}),
                        "\"data\":[-9223372036854775808]}]}");
    assert_string_equal(FLAT(HC_DTYPE_FP32, (float[]){0.1f, -0.0f, NAN}),
                        "\"data\":[0.10000000149011612,-0.0,NaN]}]}");
    assert_string_equal(FLAT(HC_DTYPE_FP64, (double[]){0.1, -INFINITY}),
                        "\"data\":[0.1,-Infinity]}]}");
    assert_string_equal(write_flat(HC_DTYPE_BYTES, 3, "\2\0\0\0a\"\0\0\0\0\1\0\0\0\1", 15),
                        "\"data\":[\"a\\\"\",\"\",\"\\u0001\"]}]}");
    assert_string_equal(write_flat(HC_DTYPE_FP32, 0, "", 0), "\"data\":[]}]}");
}

static void datatypes_without_a_form_in_json_are_refused(void **state) {
    (void)state;
    assert_string_equal(FLAT(HC_DTYPE_FP16, (uint16_t[]){0}),
                        "sending FP16 data via JSON is not supported. Please use the binary data "
                        "format for output");
    assert_string_equal(FLAT(HC_DTYPE_BF16, (uint16_t[]){0}),
                        "sending BF16 data via JSON is not supported. Please use the binary data "
                        "format for output");
    assert_string_equal(FLAT(HC_DTYPE_INVALID, (uint16_t[]){0}),
                        "Invalid data type for output tensor");
}

static void sizes_must_fit_the_shape(void **state) {
    (void)state;
    static const char wrong[] = "output tensor shape does not match size of output for 'y'";
    static const struct {
        enum hc_dtype dtype;
        int64_t n;
        const char *data;
        size_t size;
    } rows[] = {
        {HC_DTYPE_FP32, 2, "1234567", 7},
        {HC_DTYPE_FP32, 2, "123456789", 9},
        {HC_DTYPE_FP32, -1, "", 0},
        {HC_DTYPE_FP64, INT64_MAX, "", 0},
        {HC_DTYPE_BYTES, 1, "", 0},
        {HC_DTYPE_BYTES, 1, "\1\0\0", 3},
        {HC_DTYPE_BYTES, 1, "\2\0\0\0a", 5},
        {HC_DTYPE_BYTES, 1,
         "\xff\xff\xff\xff"
         "a",
         5},
        {HC_DTYPE_BYTES, 1, "\0\0\0\0\0\0\0\0", 8},
        {HC_DTYPE_BYTES, INT64_MAX, "\0\0\0\0", 4},
        {HC_DTYPE_BYTES, 0, "\0\0\0\0", 4},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        assert_string_equal(write_flat(rows[i].dtype, rows[i].n, rows[i].data, rows[i].size),
                            wrong);
    }
}

static void numbers_beyond_a_block_are_all_written(void **state) {
    (void)state;
    int32_t numbers[1000];
    hc_auto_buf expected = {0};
    hc_buf_append_string(&expected, "\"data\":[");
    for (int i = 0; i < 1000; i++) {
        numbers[i] = i * 7919 - 3000000;
        hc_buf_appendf(&expected, "%s%d", i > 0 ? "," : "", numbers[i]);
    }
    hc_buf_append_string(&expected, "]}]}");
    assert_string_equal(write_flat(HC_DTYPE_INT32, 1000, numbers, sizeof numbers),
                        hc_buf_string(&expected));
}

static void members_of_a_response_in_order(void **state) {
    (void)state;
    static const struct hc_wire_parameter parameters[] = {
        {HC_TEXT("s"), HC_WIRE_STRING, {.string = HC_TEXT("\"\n")}},
        {HC_TEXT("i"), HC_WIRE_INT64, {.int64 = INT64_MIN}},
        {HC_TEXT("b"), HC_WIRE_BOOL, {.boolean = true}},
        {HC_TEXT("d"), HC_WIRE_DOUBLE, {.real = 0.5}},
    };
    struct hc_infer_json_tensor tensors[] = {
        {HC_TEXT("a"), HC_DTYPE_INT8, (int64_t[]){1, 2}, 2, HC_INFER_JSON_AS_DATA, "\1\2", 2},
        {HC_TEXT("b"), HC_DTYPE_FP16, (int64_t[]){3}, 1, HC_INFER_JSON_AS_BINARY, NULL, 6},
        {HC_TEXT("c"), HC_DTYPE_FP32, NULL, 0, HC_INFER_JSON_AS_SHARED, NULL, 4},
    };
    struct hc_infer_json_response response = {
        .id = HC_TEXT("7"),
        .model_name = HC_TEXT("m"),
        .model_version = 12,
        .parameters = parameters,
        .n_parameters = N_ITEMS(parameters),
        .outputs = tensors,
        .n_outputs = N_ITEMS(tensors),
    };
    hc_auto_buf buf = {0};
    assert_int_equal(hc_infer_json_write(&buf, &response, (struct hc_infer_json_policy){0}, NULL),
                     HC_OK);
    assert_string_equal(
        hc_buf_string(&buf),
        "{\"id\":\"7\",\"model_name\":\"m\",\"model_version\":\"12\","
        "\"parameters\":{\"s\":\"\\\"\\n\",\"i\":-9223372036854775808,\"b\":true,\"d\":0.5},"
        "\"outputs\":[{\"name\":\"a\",\"datatype\":\"INT8\",\"shape\":[1,2],\"data\":[1,2]},"
        "{\"name\":\"b\",\"datatype\":\"FP16\",\"shape\":[3],"
        "\"parameters\":{\"binary_data_size\":6}},"
        "{\"name\":\"c\",\"datatype\":\"FP32\",\"shape\":[]}]}");
}

static void a_scalar_has_one_element(void **state) {
    (void)state;
    struct hc_infer_json_tensor tensor = {.dtype = HC_DTYPE_INT8, .data = "\5", .size = 1};
    assert_string_equal(write_one(&tensor, (struct hc_infer_json_policy){0}), "\"data\":[5]}]}");
}

static void numbers_that_are_none_may_be_null(void **state) {
    (void)state;
    static const float values[] = {NAN, INFINITY, 1};
    struct hc_infer_json_tensor tensor = {.dtype = HC_DTYPE_FP32,
                                          .dims = (int64_t[]){3},
                                          .n_dims = 1,
                                          .data = values,
                                          .size = sizeof values};
    assert_string_equal(
        write_one(&tensor, (struct hc_infer_json_policy){.nan = HC_INFER_JSON_NAN_AS_NULL}),
        "\"data\":[null,null,1.0]}]}");
}

static void bytes_that_are_no_utf8_stay_or_are_replaced(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        const char *as_is;
        const char *replaced;
    } rows[] = {
        {"\xc3\xa9\xf0\x9f\x98\x80", "\xc3\xa9\xf0\x9f\x98\x80", "\xc3\xa9\xf0\x9f\x98\x80"},
        {"a\xff"
         "b",
         "a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"\xc3", "\xc3", "\xef\xbf\xbd"},
        {"\xc0\x80", "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf4\x90\x80\x80", "\xf4\x90\x80\x80",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xe2\x82\"", "\xe2\x82\\\"", "\xef\xbf\xbd\xef\xbf\xbd\\\""},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        char data[64] = {(char)strlen(rows[i].bytes), 0, 0, 0};
        char expected[128];
        memcpy(data + 4, rows[i].bytes, strlen(rows[i].bytes));
        struct hc_infer_json_tensor tensor = {
            .dtype = HC_DTYPE_BYTES, .data = data, .size = 4 + strlen(rows[i].bytes)};
        snprintf(expected, sizeof expected, "\"data\":[\"%s\"]}]}", rows[i].as_is);
        assert_string_equal(write_one(&tensor, (struct hc_infer_json_policy){0}), expected);
        snprintf(expected, sizeof expected, "\"data\":[\"%s\"]}]}", rows[i].replaced);
        assert_string_equal(
            write_one(&tensor, (struct hc_infer_json_policy){.utf8 = HC_INFER_JSON_UTF8_REPLACED}),
            expected);
    }
}

static void long_strings_are_escaped_wherever_it_is_needed(void **state) {
    (void)state;
    for (size_t i = 0; i < 200; i++) {
        char data[4 + 200] = {(char)200, 0, 0, 0};
        memset(data + 4, 'x', 200);
        data[4 + i] = "\"\\\x1f"[i % 3];
        const char *text = write_flat(HC_DTYPE_BYTES, 1, data, sizeof data);
        assert_int_equal(strspn(text + strlen("\"data\":[\""), "x"), i);
        assert_int_equal(strlen(text), strlen("\"data\":[\"\"]}]}") + 200 + (i % 3 == 2 ? 5 : 1));
    }
}

static void errors_are_an_object(void **state) {
    (void)state;
    hc_auto_buf buf = {0};
    hc_infer_json_write_error(&buf, HC_TEXT("no 'x' \"y\""));
    assert_string_equal(hc_buf_string(&buf), "{\"error\":\"no 'x' \\\"y\\\"\"}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_of_every_datatype),
        cmocka_unit_test(datatypes_without_a_form_in_json_are_refused),
        cmocka_unit_test(sizes_must_fit_the_shape),
        cmocka_unit_test(numbers_beyond_a_block_are_all_written),
        cmocka_unit_test(members_of_a_response_in_order),
        cmocka_unit_test(a_scalar_has_one_element),
        cmocka_unit_test(numbers_that_are_none_may_be_null),
        cmocka_unit_test(bytes_that_are_no_utf8_stay_or_are_replaced),
        cmocka_unit_test(long_strings_are_escaped_wherever_it_is_needed),
        cmocka_unit_test(errors_are_an_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
