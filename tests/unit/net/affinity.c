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

static void test_a_loop_stays_for_a_while_where_it_has_moved(void **state) {
    (void)state;
    struct hc_affinity affinity = {0};
    assert_int_equal(apart(&affinity, 10, HC_NS_PER_S), 1);
    assert_int_equal(apart(&affinity, 10, HC_NS_PER_S + 19 * HC_NS_PER_MS), 0);
    assert_int_equal(apart(&affinity, 10, HC_NS_PER_S + 20 * HC_NS_PER_MS), 1);
}

static void test_input_is_looked_at_by_a_loop_that_spins_more_than_it_works(void **state) {
    (void)state;
    struct hc_affinity affinity = {0};
    hc_affinity_spin_begins(&affinity, HC_NS_PER_S);
    assert_false(affinity.wanted);
    hc_affinity_spun(&affinity, HC_NS_PER_S, HC_NS_PER_S + 1000);
    hc_affinity_spin_begins(&affinity, HC_NS_PER_S + 1999);
    assert_true(affinity.wanted);
    hc_affinity_spun(&affinity, HC_NS_PER_S + 1999, HC_NS_PER_S + 2999);
    hc_affinity_spin_begins(&affinity, HC_NS_PER_S + 3999);
    assert_false(affinity.wanted);
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
        cmocka_unit_test(test_a_loop_stays_for_a_while_where_it_has_moved),
        cmocka_unit_test(test_input_is_looked_at_by_a_loop_that_spins_more_than_it_works),
        cmocka_unit_test(test_a_core_that_is_none_is_not_moved_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
