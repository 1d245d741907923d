/* Quantiles of the last minute, to within the width of a bucket. */
#include "metrics/quantiles.h"

#include <math.h>

#include "base/clock.h"
#include "test.h"

static const uint64_t start_ns = 1000 * HC_NS_PER_S;

static void nothing_has_no_quantiles(void **state) {
    (void)state;
    struct hc_quantiles *quantiles = hc_quantiles_create();
    assert_true(isnan(hc_quantiles_read(quantiles, 0.5, start_ns)));
    hc_quantiles_destroy(quantiles);
}

static void one_value_is_every_quantile(void **state) {
    (void)state;
    static const uint64_t values[] = {0, 1, 63, 64, 127};
    for (size_t i = 0; i < N_ITEMS(values); i++) {
        struct hc_quantiles *quantiles = hc_quantiles_create();
        hc_quantiles_add(quantiles, values[i], start_ns);
        assert_true(hc_quantiles_read(quantiles, 0, start_ns) == (double)values[i]);
        assert_true(hc_quantiles_read(quantiles, 1, start_ns) == (double)values[i]);
        hc_quantiles_destroy(quantiles);
    }
}

static void ranks_find_their_values(void **state) {
    (void)state;
    static const double ranks[] = {0.001, 0.5, 0.9, 0.99, 0.999, 1};
    struct hc_quantiles *quantiles = hc_quantiles_create();
    for (uint64_t i = 1; i <= 100000; i++) {
        hc_quantiles_add(quantiles, i, start_ns);
    }
    for (size_t i = 0; i < N_ITEMS(ranks); i++) {
        double expected = ranks[i] * 100000;
        double found = hc_quantiles_read(quantiles, ranks[i], start_ns);
        assert_true(fabs(found - expected) <= expected / 64);
    }
    hc_quantiles_destroy(quantiles);
}

static void values_beyond_all_bounds_count_as_the_largest(void **state) {
    (void)state;
    struct hc_quantiles *quantiles = hc_quantiles_create();
    hc_quantiles_add(quantiles, UINT64_MAX, start_ns);
    assert_true(hc_quantiles_read(quantiles, 0.5, start_ns) > 1e12);
    hc_quantiles_destroy(quantiles);
}

static void what_is_older_than_a_minute_is_forgotten(void **state) {
    (void)state;
    struct hc_quantiles *quantiles = hc_quantiles_create();
    hc_quantiles_add(quantiles, 10, start_ns);
    assert_true(hc_quantiles_read(quantiles, 0.5, start_ns + 45 * HC_NS_PER_S) == 10);
    assert_true(isnan(hc_quantiles_read(quantiles, 0.5, start_ns + 61 * HC_NS_PER_S)));
    hc_quantiles_add(quantiles, 20, start_ns + 61 * HC_NS_PER_S);
    assert_true(hc_quantiles_read(quantiles, 0, start_ns + 61 * HC_NS_PER_S) == 20);
    hc_quantiles_destroy(quantiles);
}

static void parts_add_up(void **state) {
    (void)state;
    struct hc_quantiles *a = hc_quantiles_create();
    struct hc_quantiles *b = hc_quantiles_create();
    hc_quantiles_add(a, 1, start_ns);
    hc_quantiles_add(b, 5, start_ns);
    hc_quantiles_add(b, 9, start_ns + 30 * HC_NS_PER_S);
    hc_quantiles_merge(a, b, start_ns + 30 * HC_NS_PER_S);
    assert_true(hc_quantiles_read(a, 0.5, start_ns + 30 * HC_NS_PER_S) == 5);
    assert_true(hc_quantiles_read(a, 1, start_ns + 30 * HC_NS_PER_S) == 9);
    hc_quantiles_destroy(a);
    hc_quantiles_destroy(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_has_no_quantiles),
        cmocka_unit_test(one_value_is_every_quantile),
        cmocka_unit_test(ranks_find_their_values),
        cmocka_unit_test(values_beyond_all_bounds_count_as_the_largest),
        cmocka_unit_test(what_is_older_than_a_minute_is_forgotten),
        cmocka_unit_test(parts_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
