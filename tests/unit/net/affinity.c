#include "affinity.h"

#include "base/clock.h"
#include "test.h"

enum { APART_FOR_SURE = 4 };

/* Tells of N inputs from elsewhere, all at NOW_NS; the number of moves. */
static unsigned apart(struct hc_affinity *affinity, unsigned n, uint64_t now_ns) {
    unsigned n_moves = 0;
    for (unsigned i = 0; i < n; i++) {
        n_moves += hc_affinity_judge(affinity, true, now_ns);
    }
    return n_moves;
}

static void test_few_inputs_from_elsewhere_move_nothing(void **state) {
    (void)state;
    struct hc_affinity affinity = {0};
    assert_int_equal(apart(&affinity, APART_FOR_SURE - 1, HC_NS_PER_S), 0);
    assert_int_equal(apart(&affinity, 1, HC_NS_PER_S), 1);
}

static void test_as_many_from_here_move_nothing(void **state) {
    (void)state;
    struct hc_affinity affinity = {0};
    for (unsigned i = 0; i < 100; i++) {
        assert_false(hc_affinity_judge(&affinity, true, i * HC_NS_PER_S));
        assert_false(hc_affinity_judge(&affinity, false, i * HC_NS_PER_S));
    }
}

static void test_more_from_elsewhere_than_from_here_move(void **state) {
    (void)state;
    struct hc_affinity affinity = {0};
    unsigned n_moves = 0;
    for (unsigned i = 0; i < 3 * APART_FOR_SURE; i++) {
        n_moves += hc_affinity_judge(&affinity, i % 3 != 0, HC_NS_PER_S);
    }
    assert_int_equal(n_moves, 1);
}

static void test_what_does_not_help_is_done_less_and_less_often(void **state) {
    (void)state;
    struct hc_affinity affinity = {0};
    uint64_t last_ms = 0;
    uint64_t last_rest_ms = 0;
    unsigned n_moves = 0;
    for (uint64_t ms = 1000; ms < 60 * 1000; ms++) {
        if (apart(&affinity, 10, ms * HC_NS_PER_MS) == 0) {
            continue;
        }
        if (n_moves++ > 0) {
            assert_true(ms - last_ms >= last_rest_ms);
            assert_true(ms - last_ms >= 20 && ms - last_ms <= 1000);
            last_rest_ms = ms - last_ms;
        }
        last_ms = ms;
    }
    assert_int_equal(last_rest_ms, 1000);
    assert_in_range(n_moves, 60, 70);
}

static void test_what_has_helped_is_done_again_soon(void **state) {
    (void)state;
    struct hc_affinity affinity = {0};
    for (uint64_t ms = 1000; ms < 10 * 1000; ms++) {
        apart(&affinity, 10, ms * HC_NS_PER_MS);
    }
    assert_int_equal(apart(&affinity, 10, 30 * HC_NS_PER_S), 1);
    assert_int_equal(apart(&affinity, 10, 30 * HC_NS_PER_S + 19 * HC_NS_PER_MS), 0);
    assert_int_equal(apart(&affinity, 10, 30 * HC_NS_PER_S + 20 * HC_NS_PER_MS), 1);
}

static void test_a_core_that_is_none_is_not_moved_to(void **state) {
    (void)state;
    hc_affinity_move(-1);
    hc_affinity_move(1 << 20);
    assert_int_equal(hc_affinity_input_core(-1), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_inputs_from_elsewhere_move_nothing),
        cmocka_unit_test(test_as_many_from_here_move_nothing),
        cmocka_unit_test(test_more_from_elsewhere_than_from_here_move),
        cmocka_unit_test(test_what_does_not_help_is_done_less_and_less_often),
        cmocka_unit_test(test_what_has_helped_is_done_again_soon),
        cmocka_unit_test(test_a_core_that_is_none_is_not_moved_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
