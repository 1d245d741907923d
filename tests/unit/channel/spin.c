#include "channel/spin.h"

#include "base/clock.h"
#include "test.h"

static uint64_t now_ns;

/* One wait of that length; returns the budget that was granted. */
static uint64_t wait_for(struct hc_spinner *spinner, uint64_t wait_ns) {
    uint64_t budget_ns = hc_spin_begin(spinner, now_ns);
    now_ns += wait_ns;
    hc_spin_end(spinner, now_ns);
    return budget_ns;
}

static void short_waits_are_spun_through(void **state) {
    (void)state;
    struct hc_spin_board board = {.n_seats = 1};
    struct hc_spinner spinner = {.board = &board};
    for (int i = 0; i < 50; i++) {
        wait_for(&spinner, 20 * HC_NS_PER_US);
    }
    assert_true(wait_for(&spinner, 20 * HC_NS_PER_US) >= 20 * HC_NS_PER_US);
    assert_int_equal(board.n_taken, 0);
}

static void long_waits_end_the_spinning_and_short_ones_bring_it_back(void **state) {
    (void)state;
    struct hc_spin_board board = {.n_seats = 1};
    struct hc_spinner spinner = {.board = &board};
    for (int i = 0; i < 50; i++) {
        wait_for(&spinner, HC_NS_PER_S);
    }
    assert_int_equal(wait_for(&spinner, HC_NS_PER_S), 0);
    for (int i = 0; i < 30; i++) {
        wait_for(&spinner, 20 * HC_NS_PER_US);
    }
    assert_true(wait_for(&spinner, 20 * HC_NS_PER_US) > 0);
}

static void a_few_interrupted_waits_do_not_end_the_spinning(void **state) {
    (void)state;
    struct hc_spin_board board = {.n_seats = 1};
    struct hc_spinner spinner = {.board = &board};
    for (int i = 0; i < 100; i++) {
        bool interrupted = i % 10 >= 7;
        wait_for(&spinner, interrupted ? HC_NS_PER_S : 20 * HC_NS_PER_US);
    }
    for (int i = 0; i < 4; i++) {
        assert_true(wait_for(&spinner, HC_NS_PER_S) > 0);
    }
}

/* Two that wait for each other: as long as either sleeps, waits are 400 microseconds. */
static void a_trial_ends_the_sleep_of_all_who_only_wait_for_each_other_to_wake(void **state) {
    (void)state;
    enum { SLOW_US = 400, FAST_US = 40 };
    struct hc_spin_board board = {.n_seats = 2};
    struct hc_spinner spinners[2] = {{.board = &board}, {.board = &board}};
    for (int i = 0; i < 50; i++) {
        wait_for(&spinners[0], SLOW_US * HC_NS_PER_US);
        wait_for(&spinners[1], SLOW_US * HC_NS_PER_US);
    }
    bool fast = false;
    uint64_t end_ns = now_ns + 100 * HC_NS_PER_MS;
    while (now_ns < end_ns) {
        bool spins[2];
        for (int i = 0; i < 2; i++) {
            spins[i] = hc_spin_begin(&spinners[i], now_ns) > 0;
        }
        fast = spins[0] && spins[1];
        now_ns += (fast ? FAST_US : SLOW_US) * HC_NS_PER_US;
        hc_spin_end(&spinners[0], now_ns);
        hc_spin_end(&spinners[1], now_ns);
    }
    assert_true(fast);
}

static void trials_are_short_and_rare(void **state) {
    (void)state;
    struct hc_spin_board board = {.n_seats = 1};
    struct hc_spinner spinner = {.board = &board};
    for (int i = 0; i < 50; i++) {
        wait_for(&spinner, 600 * HC_NS_PER_US);
    }
    int n_spun = 0;
    for (int i = 0; i < 1000; i++) {
        n_spun += wait_for(&spinner, 600 * HC_NS_PER_US) > 0;
    }
    assert_true(n_spun > 50);
    assert_true(n_spun < 300);
}

static void what_is_announced_is_spun_for_however_long_waits_have_been(void **state) {
    (void)state;
    struct hc_spin_board board = {.n_seats = 1};
    struct hc_spinner spinner = {.board = &board};
    struct hc_spinner other = {.board = &board};
    for (int i = 0; i < 50; i++) {
        wait_for(&spinner, HC_NS_PER_S);
    }
    assert_int_equal(hc_spin_begin(&spinner, now_ns), 0);
    assert_true(hc_spin_begin_announced(&spinner));
    assert_false(hc_spin_begin_announced(&other));
    hc_spin_stop(&spinner);
    assert_int_equal(board.n_taken, 0);
}

static void there_are_only_so_many_seats(void **state) {
    (void)state;
    struct hc_spin_board board = {.n_seats = 1};
    struct hc_spinner first = {.board = &board};
    struct hc_spinner second = {.board = &board};
    assert_true(hc_spin_begin(&first, 0) > 0);
    assert_int_equal(hc_spin_begin(&second, 0), 0);
    hc_spin_stop(&second);
    assert_int_equal(board.n_taken, 1);
    hc_spin_stop(&first);
    hc_spin_stop(&first);
    assert_int_equal(board.n_taken, 0);
    assert_true(hc_spin_begin(&second, 0) > 0);
    hc_spin_end(&second, 1);
}

static void a_dead_spinner_loses_its_seat(void **state) {
    (void)state;
    struct hc_spin_board board = {.n_seats = 1};
    _Atomic uint32_t seat = 0;
    struct hc_spinner spinner = {.board = &board, .seat = &seat};
    assert_true(hc_spin_begin(&spinner, 0) > 0);
    assert_int_equal(seat, 1);
    hc_spin_forget(&board, &seat);
    hc_spin_forget(&board, &seat);
    assert_int_equal(board.n_taken, 0);
}

static void there_is_always_a_core(void **state) {
    (void)state;
    assert_true(hc_spin_usable_cores() >= 1);
    assert_true(hc_spin_seats() + 1 >= hc_spin_usable_cores());
    assert_true(hc_spin_seats() <= hc_spin_usable_cores());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_waits_are_spun_through),
        cmocka_unit_test(long_waits_end_the_spinning_and_short_ones_bring_it_back),
        cmocka_unit_test(a_few_interrupted_waits_do_not_end_the_spinning),
        cmocka_unit_test(a_trial_ends_the_sleep_of_all_who_only_wait_for_each_other_to_wake),
        cmocka_unit_test(trials_are_short_and_rare),
        cmocka_unit_test(what_is_announced_is_spun_for_however_long_waits_have_been),
        cmocka_unit_test(there_are_only_so_many_seats),
        cmocka_unit_test(a_dead_spinner_loses_its_seat),
        cmocka_unit_test(there_is_always_a_core),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
