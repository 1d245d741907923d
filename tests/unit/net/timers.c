#include "timers.h"

#include "test.h"

enum { N_TIMERS = 300, N_STEPS = 20000 };

/* The same sequence everywhere (xorshift). */
static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* The straightforward implementation: look at all of them. */
struct model {
    struct hc_timer timers[N_TIMERS];
    uint64_t due_ns[N_TIMERS]; /* 0: not started */
};

static uint64_t model_next(const struct model *model) {
    uint64_t next_ns = UINT64_MAX;
    for (size_t i = 0; i < N_TIMERS; i++) {
        if (model->due_ns[i] > 0 && model->due_ns[i] < next_ns) {
            next_ns = model->due_ns[i];
        }
    }
    return next_ns;
}

static void change_one(struct hc_timers *timers, struct model *model, size_t i, uint64_t due_ns) {
    if (model->due_ns[i] == 0) {
        hc_timers_add(timers, &model->timers[i], due_ns);
    } else if (due_ns % 4 == 0) {
        hc_timers_remove(timers, &model->timers[i]);
        due_ns = 0;
    } else {
        hc_timers_move(timers, &model->timers[i], due_ns);
    }
    model->due_ns[i] = due_ns;
}

static void pop_due(struct hc_timers *timers, struct model *model, uint64_t now_ns) {
    struct hc_timer *timer;
    size_t n_looks = SIZE_MAX;
    uint64_t previous_ns = 0;
    while ((timer = hc_timers_pop(timers, now_ns, &n_looks)) != NULL) {
        size_t i = (size_t)(timer - model->timers);
        assert_true(model->due_ns[i] > 0 && model->due_ns[i] <= now_ns);
        assert_true(model->due_ns[i] >= previous_ns);
        previous_ns = model->due_ns[i];
        model->due_ns[i] = 0;
    }
    assert_true(model_next(model) > now_ns);
}

static void agrees_with_looking_at_all_of_them(void **state) {
    (void)state;
    static struct model model;
    struct hc_timers timers = {0};
    uint64_t random = 88172645463325252u;
    uint64_t now_ns = 1000;
    for (size_t step = 0; step < N_STEPS; step++) {
        size_t i = next_random(&random) % N_TIMERS;
        change_one(&timers, &model, i, now_ns + 1 + next_random(&random) % 1000);
        assert_true(hc_timers_next_ns(&timers) <= model_next(&model));
        if (step % 7 == 0) {
            now_ns += next_random(&random) % 50;
            pop_due(&timers, &model, now_ns);
        }
    }
    hc_timers_finish(&timers);
}

static void a_move_to_later_counts(void **state) {
    (void)state;
    struct hc_timers timers = {0};
    struct hc_timer timer = {0};
    size_t n_looks = 10;
    hc_timers_add(&timers, &timer, 100);
    hc_timers_move(&timers, &timer, 200);
    assert_null(hc_timers_pop(&timers, 150, &n_looks));
    assert_int_equal(hc_timers_next_ns(&timers), 200);
    assert_ptr_equal(hc_timers_pop(&timers, 200, &n_looks), &timer);
    assert_int_equal(hc_timers_next_ns(&timers), UINT64_MAX);
    hc_timers_finish(&timers);
}

static void looks_are_bounded(void **state) {
    (void)state;
    struct hc_timers timers = {0};
    struct hc_timer timer = {0};
    size_t n_looks = 3;
    size_t n_popped = 0;
    hc_timers_add(&timers, &timer, 1);
    while (hc_timers_pop(&timers, 10, &n_looks) != NULL) {
        hc_timers_add(&timers, &timer, 1);
        n_popped++;
    }
    assert_int_equal(n_popped, 3);
    hc_timers_finish(&timers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_looking_at_all_of_them),
        cmocka_unit_test(a_move_to_later_counts),
        cmocka_unit_test(looks_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
