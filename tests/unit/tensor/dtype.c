#include "tensor/dtype.h"

#include "test.h"

static void names_parse_back(void **state) {
    (void)state;
    for (enum hc_dtype dtype = HC_DTYPE_BOOL; dtype < HC_N_DTYPES; dtype++) {
        assert_int_equal(hc_dtype_parse(hc_text_of(hc_dtype_name(dtype))), dtype);
    }
    assert_int_equal(hc_dtype_parse(HC_TEXT("fp32")), HC_DTYPE_INVALID);
    assert_int_equal(hc_dtype_parse(HC_TEXT("<invalid>")), HC_DTYPE_INVALID);
}

static void numbers_beyond_the_table_are_invalid(void **state) {
    (void)state;
    assert_string_equal(hc_dtype_name((enum hc_dtype)15), "<invalid>");
    assert_int_equal(hc_dtype_size((enum hc_dtype) - 1), 0);
    assert_string_equal(hc_dtype_config_name(HC_DTYPE_BYTES), "TYPE_STRING");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_parse_back),
        cmocka_unit_test(numbers_beyond_the_table_are_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
