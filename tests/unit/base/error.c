#include "base/error.h"

#include "test.h"

static enum hc_code fails(struct hc_error *error) {
    HC_TRY(hc_error_set(error, HC_NOT_FOUND, "no '%s'", "x"));
    return HC_OK;
}

static void the_code_travels(void **state) {
    (void)state;
    struct hc_error error = {0};
    assert_int_equal(fails(&error), HC_NOT_FOUND);
    assert_int_equal(error.code, HC_NOT_FOUND);
    assert_string_equal(error.message, "no 'x'");
    assert_int_equal(fails(NULL), HC_NOT_FOUND);
}

static void a_prefix_is_put_before(void **state) {
    (void)state;
    struct hc_error error = {0};
    hc_error_set(&error, HC_INTERNAL, "broken");
    assert_int_equal(hc_error_prefix(&error, "in step %d: ", 3), HC_INTERNAL);
    assert_string_equal(error.message, "in step 3: broken");
}

static void long_messages_are_cut(void **state) {
    (void)state;
    char text[2 * HC_ERROR_MESSAGE_SIZE];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct hc_error error = {0};
    hc_error_set(&error, HC_INTERNAL, "%s", text);
    assert_int_equal(strlen(error.message), HC_ERROR_MESSAGE_SIZE - 1);
    hc_error_prefix(&error, "%s", text);
    assert_int_equal(strlen(error.message), HC_ERROR_MESSAGE_SIZE - 1);
}

static void codes_from_elsewhere_are_checked(void **state) {
    (void)state;
    assert_true(hc_code_valid(0));
    assert_true(hc_code_valid(16));
    assert_false(hc_code_valid(17));
    assert_false(hc_code_valid(-1));
    assert_int_equal(hc_code_http((enum hc_code)99), 500);
    assert_int_equal(hc_code_http(HC_UNIMPLEMENTED), 501);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_code_travels),
        cmocka_unit_test(a_prefix_is_put_before),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(codes_from_elsewhere_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
