#include "base/text.h"

#include "test.h"

static void numbers_are_digits_only(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t limit;
        bool ok;
        uint64_t number;
    } rows[] = {
        {"0", UINT64_MAX, true, 0},
        {"007", UINT64_MAX, true, 7},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"99999999999999999999999", UINT64_MAX, false, 0},
        {"10", 9, false, 0},
        {"9", 9, true, 9},
        {"", UINT64_MAX, false, 0},
        {"+1", UINT64_MAX, false, 0},
        {"-1", UINT64_MAX, false, 0},
        {" 1", UINT64_MAX, false, 0},
        {"1 ", UINT64_MAX, false, 0},
        {"0x1", UINT64_MAX, false, 0},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        uint64_t number = 0;
        assert_int_equal(hc_text_number(hc_text_of(rows[i].text), rows[i].limit, &number),
                         rows[i].ok);
        assert_int_equal(number, rows[i].number);
    }
}

static void comparisons(void **state) {
    (void)state;
    assert_true(hc_text_is(HC_TEXT("abc"), "abc"));
    assert_false(hc_text_is(HC_TEXT("abc"), "abcd"));
    assert_true(hc_text_is((struct hc_text){NULL, 0}, ""));
    assert_true(hc_text_is_nocase(HC_TEXT("Content-LENGTH"), "content-length"));
    assert_true(hc_text_starts(HC_TEXT("triton_x"), "triton_"));
    assert_false(hc_text_starts(HC_TEXT("tri"), "triton_"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_digits_only),
        cmocka_unit_test(comparisons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
