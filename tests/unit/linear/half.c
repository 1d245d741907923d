#include "half.h"

#include <math.h>

#include "test.h"

static void every_half_survives_the_way_there_and_back(void **state) {
    (void)state;
    for (uint32_t half = 0; half <= UINT16_MAX; half++) {
        float value = half_to_float((uint16_t)half);
        if (isnan(value)) {
            assert_true(isnan(half_to_float(float_to_half(value))));
        } else {
            assert_int_equal(float_to_half(value), half);
        }
    }
}

static void every_bfloat_survives_the_way_there_and_back(void **state) {
    (void)state;
    for (uint32_t bits = 0; bits <= UINT16_MAX; bits++) {
        float value = bfloat_to_float((uint16_t)bits);
        if (isnan(value)) {
            assert_true(isnan(bfloat_to_float(float_to_bfloat(value))));
        } else {
            assert_int_equal(float_to_bfloat(value), bits);
        }
    }
}

static void rounds_to_the_nearest_and_ties_to_even(void **state) {
    (void)state;
    static const struct {
        float value;
        uint16_t half;
        uint16_t bfloat;
    } rows[] = {
        {0.0F, 0, 0},
        {-0.0F, 0x8000, 0x8000},
        {1.0F, 0x3c00, 0x3f80},
        {-2.0F, 0xc000, 0xc000},
        {0x1.002p0F, 0x3c00, 0x3f80},   /* half way between two halves, the lower one even */
        {0x1.006p0F, 0x3c02, 0x3f80},   /* half way, the upper one even */
        {0x1.01p0F, 0x3c04, 0x3f80},    /* half way between two bfloats, the lower one even */
        {0x1.03p0F, 0x3c0c, 0x3f82},    /* half way, the upper one even */
        {65504.0F, 0x7bff, 0x4780},     /* the largest half */
        {65519.0F, 0x7bff, 0x4780},     /* still nearer to it than to 65536 */
        {65520.0F, 0x7c00, 0x4780},     /* infinite, as a half */
        {0x1p-24F, 0x0001, 0x3380},     /* the smallest half */
        {0x1p-25F, 0x0000, 0x3300},     /* half way to it, and 0 is even */
        {0x1.8p-25F, 0x0001, 0x3340},   /* nearer to it */
        {0x1p-14F, 0x0400, 0x3880},     /* the smallest that is not subnormal */
        {0x1.ff8p-15F, 0x03ff, 0x3880}, /* the largest that is */
        {INFINITY, 0x7c00, 0x7f80},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        assert_int_equal(float_to_half(rows[i].value), rows[i].half);
        assert_int_equal(float_to_bfloat(rows[i].value), rows[i].bfloat);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_survives_the_way_there_and_back),
        cmocka_unit_test(every_bfloat_survives_the_way_there_and_back),
        cmocka_unit_test(rounds_to_the_nearest_and_ties_to_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
