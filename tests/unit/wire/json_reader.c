#include "wire/json_reader.h"

#include "test.h"

/* The message of reading TEXT whole, "" when there is none. */
static const char *read_all(struct hc_text text) {
    static struct hc_error error;
    struct hc_json_reader json;
    struct hc_json_value value;
    char *copy = malloc(text.size > 0 ? text.size : 1); /* so AddressSanitizer sees its end */
    assert_non_null(copy);
    memcpy(copy, text.data, text.size);
    hc_json_begin(&json, (struct hc_text){copy, text.size});
    if (hc_json_read(&json, &value)) {
        hc_json_skip(&json, &value);
    }
    error.message[0] = '\0';
    hc_json_end(&json, &error);
    free(copy);
    return error.message;
}

#define AT(text, place) "failed to parse the request JSON buffer: " text " at " place

static void mistakes_are_named_and_placed(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        {"", AT("The document is empty.", "0")},
        {" \n", AT("The document is empty.", "2")},
        {"[] x", AT("The document root must not be followed by other values.", "3")},
        {"{a:1}", AT("Missing a name for object member.", "1")},
        {"{\"a\":1,}", AT("Missing a name for object member.", "7")},
        {"{\"a\" 1}", AT("Missing a colon after a name of object member.", "5")},
        {"{\"a\":1 \"b\":2}", AT("Missing a comma or '}' after an object member.", "7")},
        {"{\"a\":1", AT("Missing a comma or '}' after an object member.", "6")},
        {"[1 2]", AT("Missing a comma or ']' after an array element.", "3")},
        {"[1}", AT("Missing a comma or ']' after an array element.", "2")},
        {"[1,]", AT("Invalid value.", "3")},
        {"[nul]", AT("Invalid value.", "4")},
        {"[tru", AT("Invalid value.", "4")},
        {"[-]", AT("Invalid value.", "2")},
        {"[1.]", AT("Miss fraction part in number.", "3")},
        {"[1e]", AT("Miss exponent in number.", "3")},
        {"[1, 1e400]", AT("Number too big to be stored in double.", "4")},
        {"\"abc", AT("Missing a closing quotation mark in string.", "4")},
        {"\"a\nb\"", AT("Invalid escape character in string.", "2")},
        {"\"ab\\x\"", AT("Invalid escape character in string.", "3")},
        {"\"\\u12g4\"", AT("Incorrect hex digit after \\u escape in string.", "1")},
        {"\"\\u12", AT("Incorrect hex digit after \\u escape in string.", "1")},
        {"\"x\\ud800\"", AT("The surrogate pair in string is invalid.", "2")},
        {"\"\\ud800\\u0041\"", AT("The surrogate pair in string is invalid.", "1")},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        assert_string_equal(read_all(hc_text_of(rows[i].text)), rows[i].message);
    }
}

static void nothing_counts_after_a_nul(void **state) {
    (void)state;
    assert_string_equal(read_all(HC_TEXT("[1] \0garbage")), "");
    assert_string_equal(read_all(HC_TEXT("\0[1]")), AT("The document is empty.", "0"));
    assert_string_equal(read_all(HC_TEXT("\"a\0b\"")),
                        AT("Missing a closing quotation mark in string.", "2"));
}

static void a_byte_order_mark_is_skipped(void **state) {
    (void)state;
    assert_string_equal(read_all(HC_TEXT("\xef\xbb\xbf[]")), "");
    assert_string_equal(read_all(HC_TEXT("\xef\xbb\xbf[x]")), AT("Invalid value.", "4"));
}

static void nest(char *text, size_t depth) {
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
}

static void depth_is_limited(void **state) {
    (void)state;
    static char text[2 * (HC_JSON_MAX_DEPTH + 1)];
    nest(text, HC_JSON_MAX_DEPTH);
    assert_string_equal(read_all((struct hc_text){text, 2 * HC_JSON_MAX_DEPTH}), "");
    nest(text, HC_JSON_MAX_DEPTH + 1);
    assert_string_equal(read_all((struct hc_text){text, sizeof text}),
                        "JSON nesting depth exceeds maximum allowed limit (512)");
}

static void values_are_pulled_one_by_one(void **state) {
    (void)state;
    struct hc_json_reader json;
    struct hc_json_value value;
    struct hc_json_string name;
    hc_json_begin(&json, HC_TEXT(" {\"a\": [1, \"x\", {}], \"b\": null, \"c\": true} "));
    assert_true(hc_json_read(&json, &value));
    assert_int_equal(value.kind, HC_JSON_OBJECT);
    assert_true(hc_json_next_member(&json, &name));
    assert_true(hc_json_string_is(name, "a"));
    assert_true(hc_json_read(&json, &value));
    assert_int_equal(value.kind, HC_JSON_ARRAY);
    assert_true(hc_json_next_element(&json));
    assert_true(hc_json_read(&json, &value));
    assert_int_equal(value.number.int64, 1);
    assert_true(hc_json_next_element(&json));
    assert_true(hc_json_read(&json, &value));
    assert_true(hc_json_string_is(value.string, "x"));
    assert_true(hc_json_next_element(&json));
    assert_true(hc_json_read(&json, &value));
    assert_false(hc_json_next_member(&json, &name));
    assert_false(hc_json_next_element(&json));
    assert_true(hc_json_next_member(&json, &name));
    assert_true(hc_json_read(&json, &value));
    assert_int_equal(value.kind, HC_JSON_NULL);
    assert_true(hc_json_next_member(&json, &name));
    assert_true(hc_json_read(&json, &value));
    assert_true(value.boolean);
    assert_false(hc_json_next_member(&json, &name));
    assert_int_equal(hc_json_end(&json, NULL), HC_OK);
}

static void a_failed_reader_reads_no_further(void **state) {
    (void)state;
    struct hc_json_reader json;
    struct hc_json_value value;
    struct hc_json_string name;
    hc_json_begin(&json, HC_TEXT("[1 2, 3]"));
    assert_true(hc_json_read(&json, &value));
    assert_true(hc_json_next_element(&json));
    assert_true(hc_json_read(&json, &value));
    assert_false(hc_json_next_element(&json));
    assert_true(hc_json_failed(&json));
    assert_false(hc_json_next_element(&json));
    assert_false(hc_json_next_member(&json, &name));
    assert_false(hc_json_read(&json, &value));
    assert_int_equal(value.kind, HC_JSON_NONE);
    assert_int_equal(hc_json_end(&json, NULL), HC_INTERNAL);
}

static void strings_are_decoded(void **state) {
    (void)state;
    static const struct {
        const char *json;
        struct hc_text text;
    } rows[] = {
        {"\"\"", {"", 0}},
        {"\"plain \xc3\xa9 \xff\"", {"plain \xc3\xa9 \xff", 10}},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", {"\"\\/\b\f\n\r\t", 8}},
        {"\"\\u0000\\u0041\\u00e9\\u20AC\"", {"\0A\xc3\xa9\xe2\x82\xac", 7}},
        {"\"\\ud83d\\ude00\\udc00\"", {"\xf0\x9f\x98\x80\xed\xb0\x80", 7}},
        {"\"a long text before \\t and after it\"", {"a long text before \t and after it", 33}},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct hc_json_reader json;
        struct hc_json_value value;
        struct hc_text text;
        hc_auto_pool pool = {0};
        hc_json_begin(&json, hc_text_of(rows[i].json));
        assert_true(hc_json_read(&json, &value));
        assert_true(hc_json_string_text(value.string, &pool, &text));
        assert_int_equal(value.string.size, rows[i].text.size);
        assert_true(hc_text_equal(text, rows[i].text));
    }
}

static void strings_without_escapes_are_views(void **state) {
    (void)state;
    struct hc_json_reader json;
    struct hc_json_value value;
    struct hc_text text;
    struct hc_text document = HC_TEXT("\"view\"");
    hc_json_begin(&json, document);
    assert_true(hc_json_read(&json, &value));
    assert_true(hc_json_string_text(value.string, NULL, &text));
    assert_ptr_equal(text.data, document.data + 1);
}

static void names_compare_decoded(void **state) {
    (void)state;
    struct hc_json_reader json;
    struct hc_json_value value;
    hc_json_begin(&json, HC_TEXT("\"n\\u0061me\""));
    assert_true(hc_json_read(&json, &value));
    assert_true(hc_json_string_is(value.string, "name"));
    assert_false(hc_json_string_is(value.string, "nam"));
    hc_json_begin(&json, HC_TEXT("\"name\\u0000\""));
    assert_true(hc_json_read(&json, &value));
    assert_false(hc_json_string_is(value.string, "name"));
}

static struct hc_json_value value_of(const char *text) {
    struct hc_json_reader json;
    struct hc_json_value value;
    hc_json_begin(&json, hc_text_of(text));
    assert_true(hc_json_read(&json, &value));
    return value;
}

static void values_of_another_kind_are_refused(void **state) {
    (void)state;
    struct hc_error error;
    struct hc_json_string string;
    struct hc_json_value value = value_of("1.0");
    bool boolean;
    int64_t integer;
    uint64_t natural;
    assert_int_equal(hc_json_as_string(&value, &string, &error), HC_INTERNAL);
    assert_string_equal(error.message, "attempt to access JSON non-string as string");
    assert_int_equal(hc_json_as_bool(&value, &boolean, &error), HC_INTERNAL);
    assert_string_equal(error.message, "attempt to access JSON non-boolean as boolean");
    assert_int_equal(hc_json_as_int64(&value, &integer, &error), HC_INTERNAL);
    assert_string_equal(error.message,
                        "attempt to access JSON non-signed-integer as signed-integer");
    assert_int_equal(hc_json_as_uint64(&value, &natural, &error), HC_INTERNAL);
    assert_string_equal(error.message,
                        "attempt to access JSON non-unsigned-integer as unsigned-integer");
    assert_int_equal(hc_json_as_array(&value, &error), HC_INTERNAL);
    assert_string_equal(error.message, "attempt to access JSON non-array as array");
    assert_int_equal(hc_json_as_object(&value, &error), HC_INTERNAL);
    assert_string_equal(error.message, "attempt to access JSON non-object as object");
    value = value_of("true");
    double real;
    assert_int_equal(hc_json_as_double(&value, &real, &error), HC_INTERNAL);
    assert_string_equal(error.message, "attempt to access JSON non-number as double");
}

static void integers_of_64_bits_are_exact(void **state) {
    (void)state;
    int64_t integer;
    uint64_t natural;
    double real;
    struct hc_json_value value = value_of("-9223372036854775808");
    assert_int_equal(hc_json_as_int64(&value, &integer, NULL), HC_OK);
    assert_true(integer == INT64_MIN);
    assert_int_equal(hc_json_as_uint64(&value, &natural, NULL), HC_INTERNAL);
    value = value_of("18446744073709551615");
    assert_int_equal(hc_json_as_uint64(&value, &natural, NULL), HC_OK);
    assert_true(natural == UINT64_MAX);
    assert_int_equal(hc_json_as_int64(&value, &integer, NULL), HC_INTERNAL);
    assert_int_equal(hc_json_as_double(&value, &real, NULL), HC_OK);
    assert_true(real == 18446744073709551616.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_named_and_placed),
        cmocka_unit_test(nothing_counts_after_a_nul),
        cmocka_unit_test(a_byte_order_mark_is_skipped),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(values_are_pulled_one_by_one),
        cmocka_unit_test(a_failed_reader_reads_no_further),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(strings_without_escapes_are_views),
        cmocka_unit_test(names_compare_decoded),
        cmocka_unit_test(values_of_another_kind_are_refused),
        cmocka_unit_test(integers_of_64_bits_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
