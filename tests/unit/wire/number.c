#include "wire/number.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "test.h"

static uint64_t random_state = 88172645463325252u;

static uint64_t random_bits(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static const char *print_double(double value) {
    static char text[HC_NUMBER_ROOM + 1];
    memset(text, 'x', sizeof text);
    text[hc_number_print_double(value, text)] = '\0';
    return text;
}

static void doubles_are_laid_out_as_rapidjson_does(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-1, "-1.0"},
        {0.1f, "0.10000000149011612"},
        {0.1, "0.1"},
        {12.5, "12.5"},
        {1234567.125, "1234567.125"},
        {12345678.125, "12345678.125"},
        {123456789.125, "123456789.125"},
        {-1234567890123.5, "-1234567890123.5"},
        {9007199254740991.0, "9007199254740991.0"},
        {9007199254740994.0, "9007199254740994.0"},
        {1e20, "100000000000000000000.0"},
        {123456789012345680000.0, "123456789012345680000.0"},
        {1e21, "1e21"},
        {-1.5e22, "-1.5e22"},
        {0.000001, "0.000001"},
        {0.00000123456789012345, "0.00000123456789012345"},
        {1e-7, "1e-7"},
        {1.5e-9, "1.5e-9"},
        {DBL_MAX, "1.7976931348623157e308"},
        {-DBL_MIN, "-2.2250738585072014e-308"},
        {4.9406564584124654e-324, "5e-324"},
        {FLT_MAX, "3.4028234663852886e38"},
        {1.0f / 3, "0.3333333432674408"},
        {NAN, "NaN"},
        {-NAN, "NaN"},
        {INFINITY, "Infinity"},
        {-INFINITY, "-Infinity"},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        assert_string_equal(print_double(rows[i].value), rows[i].text);
    }
}

static void printed_doubles_read_back(void **state) {
    (void)state;
    for (int i = 0; i < 200000; i++) {
        double value;
        uint64_t bits = random_bits();
        memcpy(&value, &bits, sizeof value);
        value = i % 3 == 0 ? (float)value : i % 3 == 1 ? (double)(int64_t)bits / 1e6 : value;
        if (!isfinite(value)) {
            continue;
        }
        const char *text = print_double(value);
        assert_true(strtod(text, NULL) == value);
        assert_non_null(strpbrk(text, ".e"));
    }
}

static void integers_are_printed(void **state) {
    (void)state;
    char text[HC_NUMBER_ROOM + 1];
    char expected[32];
    for (int i = 0; i < 100000; i++) {
        uint64_t value = random_bits() >> (i % 64);
        text[hc_number_print_uint64(value, text)] = '\0';
        snprintf(expected, sizeof expected, "%" PRIu64, value);
        assert_string_equal(text, expected);
        text[hc_number_print_int64((int64_t)value, text)] = '\0';
        snprintf(expected, sizeof expected, "%" PRId64, (int64_t)value);
        assert_string_equal(text, expected);
    }
    text[hc_number_print_uint64(0, text)] = '\0';
    assert_string_equal(text, "0");
    text[hc_number_print_int64(INT64_MIN, text)] = '\0';
    assert_string_equal(text, "-9223372036854775808");
}

static void integers_keep_64_bits(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum hc_number_kind kind;
        uint64_t bits;
    } rows[] = {
        {"0", HC_NUMBER_INT64, 0},
        {"-0", HC_NUMBER_INT64, 0},
        {"-1", HC_NUMBER_INT64, UINT64_MAX},
        {"9223372036854775807", HC_NUMBER_INT64, INT64_MAX},
        {"9223372036854775808", HC_NUMBER_UINT64, UINT64_C(1) << 63},
        {"-9223372036854775808", HC_NUMBER_INT64, UINT64_C(1) << 63},
        {"18446744073709551615", HC_NUMBER_UINT64, UINT64_MAX},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct hc_number number;
        size_t size;
        assert_int_equal(hc_number_read(hc_text_of(rows[i].text), &number, &size), HC_NUMBER_READ);
        assert_int_equal(size, strlen(rows[i].text));
        assert_int_equal(number.kind, rows[i].kind);
        assert_true(number.uint64 == rows[i].bits);
    }
}

static void other_numbers_are_doubles(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double value;
    } rows[] = {
        {"1.0", 1},
        {"-0.0", -0.0},
        {"1e0", 1},
        {"1E+2", 100},
        {"12.5e-1", 1.25},
        {"18446744073709551616", 18446744073709551616.0},
        {"-9223372036854775809", -9223372036854775808.0},
        {"0e999", 0},
        {"1e-400", 0},
        {"4.9e-324", 4.9406564584124654e-324},
        {"Inf", INFINITY},
        {"-Infinity", -INFINITY},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct hc_number number;
        size_t size;
        assert_int_equal(hc_number_read(hc_text_of(rows[i].text), &number, &size), HC_NUMBER_READ);
        assert_int_equal(size, strlen(rows[i].text));
        assert_int_equal(number.kind, HC_NUMBER_DOUBLE);
        assert_true(number.real == rows[i].value);
        assert_int_equal(signbit(number.real), signbit(rows[i].value));
    }
}

static void nan_is_a_number(void **state) {
    (void)state;
    struct hc_number number;
    size_t size;
    assert_int_equal(hc_number_read(HC_TEXT("NaN"), &number, &size), HC_NUMBER_READ);
    assert_true(isnan(number.real));
    assert_int_equal(hc_number_read(HC_TEXT("-NaN]"), &number, &size), HC_NUMBER_READ);
    assert_true(isnan(number.real));
    assert_int_equal(size, 4);
}

static void a_number_ends_where_it_ends(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t size;
    } rows[] = {
        {"1,2", 1},  {"01", 1},   {"-01", 2},       {"1.5.5", 3}, {"1e5.5", 3},
        {"1-", 1},   {"1.0x", 3}, {"0x10", 1},      {"1_000", 1}, {"12 ", 2},
        {"Infx", 3}, {"NaNa", 3}, {"Infinity1", 8},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct hc_number number;
        size_t size;
        assert_int_equal(hc_number_read(hc_text_of(rows[i].text), &number, &size), HC_NUMBER_READ);
        assert_int_equal(size, rows[i].size);
    }
}

static void what_is_no_number_is_refused_where_it_goes_wrong(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum hc_number_result result;
        size_t size;
    } rows[] = {
        {"", HC_NUMBER_INVALID, 0},
        {"-", HC_NUMBER_INVALID, 1},
        {"+1", HC_NUMBER_INVALID, 0},
        {".5", HC_NUMBER_INVALID, 0},
        {"--1", HC_NUMBER_INVALID, 1},
        {"x", HC_NUMBER_INVALID, 0},
        {"nan", HC_NUMBER_INVALID, 0},
        {"Nan", HC_NUMBER_INVALID, 2},
        {"-In", HC_NUMBER_INVALID, 3},
        {"Infinit", HC_NUMBER_INVALID, 7},
        {"1.", HC_NUMBER_MISSES_FRACTION, 2},
        {"1.e5", HC_NUMBER_MISSES_FRACTION, 2},
        {"1e", HC_NUMBER_MISSES_EXPONENT, 2},
        {"1.5E+", HC_NUMBER_MISSES_EXPONENT, 5},
        {"1e-x", HC_NUMBER_MISSES_EXPONENT, 3},
        {"1e309", HC_NUMBER_TOO_BIG, 0},
        {"-10e308", HC_NUMBER_TOO_BIG, 0},
        {"1e99999999999999999999", HC_NUMBER_TOO_BIG, 0},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct hc_number number;
        size_t size;
        assert_int_equal(hc_number_read(hc_text_of(rows[i].text), &number, &size), rows[i].result);
        assert_int_equal(size, rows[i].size);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_are_laid_out_as_rapidjson_does),
        cmocka_unit_test(printed_doubles_read_back),
        cmocka_unit_test(integers_are_printed),
        cmocka_unit_test(integers_keep_64_bits),
        cmocka_unit_test(other_numbers_are_doubles),
        cmocka_unit_test(nan_is_a_number),
        cmocka_unit_test(a_number_ends_where_it_ends),
        cmocka_unit_test(what_is_no_number_is_refused_where_it_goes_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
