#include "sched/queue.h"

#include "test.h"

static const struct hc_queue_policy no_policy = {0};

/* A queue of three levels, the second being the usual one. */
#define MAKE(name, policy_)                                                                        \
    struct hc_queue name;                                                                          \
    hc_queue_init(                                                                                 \
        &name, &(struct hc_queue_settings){.n_levels = 3, .default_level = 2, .policy = policy_})

static void assert_order(struct hc_queue *queue, struct hc_job *const *jobs, size_t n) {
    struct hc_job *job = hc_queue_first(queue);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(job, jobs[i]);
        job = hc_queue_next(queue, job);
    }
    assert_null(job);
    assert_int_equal(queue->n_jobs, n);
}

static void more_urgent_levels_come_first(void **state) {
    (void)state;
    MAKE(queue, no_policy);
    struct hc_job low = {.priority = 3};
    struct hc_job unsaid = {0};
    struct hc_job unknown = {.priority = 9};
    struct hc_job high = {.priority = 1};
    struct hc_job second = {.priority = 2};
    struct hc_job *jobs[] = {&low, &unsaid, &unknown, &high, &second};
    for (size_t i = 0; i < N_ITEMS(jobs); i++) {
        assert_true(hc_queue_add(&queue, jobs[i], i));
    }
    assert_order(&queue, (struct hc_job *[]){&high, &unsaid, &unknown, &second, &low}, 5);
    hc_queue_finish(&queue);
}

static void a_full_level_takes_no_more(void **state) {
    (void)state;
    MAKE(queue, ((struct hc_queue_policy){.max_size = 1}));
    struct hc_job a = {0};
    struct hc_job b = {0};
    struct hc_job other_level = {.priority = 1};
    assert_true(hc_queue_add(&queue, &a, 0));
    assert_false(hc_queue_add(&queue, &b, 0));
    assert_true(hc_queue_add(&queue, &other_level, 0));
    hc_queue_remove(&queue, &a);
    assert_true(hc_queue_add(&queue, &b, 0));
    hc_queue_finish(&queue);
}

static void what_waits_too_long_is_dropped(void **state) {
    (void)state;
    MAKE(queue, ((struct hc_queue_policy){.timeout_ns = 100}));
    struct hc_job a = {0};
    struct hc_job b = {0};
    hc_queue_add(&queue, &a, 0);
    hc_queue_add(&queue, &b, 50);
    assert_int_equal(hc_queue_deadline_ns(&queue), 100);
    hc_queue_expire(&queue, 99);
    assert_true(hc_list_empty(&queue.dropped));
    hc_queue_expire(&queue, 100);
    assert_ptr_equal(hc_job_pop(&queue.dropped), &a);
    assert_order(&queue, (struct hc_job *[]){&b}, 1);
    assert_int_equal(hc_queue_deadline_ns(&queue), 150);
    hc_queue_finish(&queue);
}

static void what_waits_too_long_is_put_behind_the_others(void **state) {
    (void)state;
    MAKE(queue, ((struct hc_queue_policy){.timeout_ns = 100, .delays = true}));
    struct hc_job a = {0};
    struct hc_job b = {0};
    struct hc_job other_level = {.priority = 3};
    hc_queue_add(&queue, &a, 0);
    hc_queue_add(&queue, &b, 50);
    hc_queue_add(&queue, &other_level, 60);
    hc_queue_expire(&queue, 120);
    assert_true(hc_list_empty(&queue.dropped));
    assert_order(&queue, (struct hc_job *[]){&b, &a, &other_level}, 3);
    hc_queue_expire(&queue, UINT64_MAX - 1);
    assert_order(&queue, (struct hc_job *[]){&a, &b, &other_level}, 3);
    hc_queue_finish(&queue);
}

static void jobs_may_shorten_the_time_only_where_allowed(void **state) {
    (void)state;
    static const struct {
        uint64_t timeout_ns, own_ns, expected_ns;
        bool may_shorten;
    } rows[] = {
        {100, 50, 50, true},   {100, 150, 100, true},     {100, 0, 100, true},
        {100, 50, 100, false}, {0, 50, UINT64_MAX, true},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        MAKE(queue, ((struct hc_queue_policy){.timeout_ns = rows[i].timeout_ns,
                                              .may_shorten = rows[i].may_shorten}));
        struct hc_job job = {.timeout_ns = rows[i].own_ns};
        hc_queue_add(&queue, &job, 0);
        assert_int_equal(hc_queue_deadline_ns(&queue), rows[i].expected_ns);
        hc_queue_finish(&queue);
    }
}

static void what_is_put_back_comes_first_and_keeps_its_deadline(void **state) {
    (void)state;
    MAKE(queue, ((struct hc_queue_policy){.timeout_ns = 100}));
    struct hc_job a = {0};
    struct hc_job b = {0};
    hc_queue_add(&queue, &a, 0);
    hc_queue_add(&queue, &b, 10);
    hc_queue_remove(&queue, &a);
    assert_int_equal(hc_queue_deadline_ns(&queue), 110);
    hc_queue_put_back(&queue, &a);
    assert_order(&queue, (struct hc_job *[]){&a, &b}, 2);
    assert_int_equal(hc_queue_deadline_ns(&queue), 100);
    hc_queue_finish(&queue);
}

static void any_number_of_levels_is_kept_in_order(void **state) {
    (void)state;
    enum { N = 500 };
    struct hc_queue queue;
    hc_queue_init(&queue, &(struct hc_queue_settings){.n_levels = UINT64_MAX, .default_level = 1});
    static struct hc_job jobs[N];
    for (size_t i = 0; i < N; i++) {
        jobs[i].priority = 1 + (i * 7919) % 1000;
        assert_true(hc_queue_add(&queue, &jobs[i], i));
    }
    uint64_t last = 0;
    struct hc_job *job;
    while ((job = hc_queue_first(&queue)) != NULL) {
        assert_true(job->priority >= last);
        last = job->priority;
        hc_queue_remove(&queue, job);
    }
    hc_queue_finish(&queue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_urgent_levels_come_first),
        cmocka_unit_test(a_full_level_takes_no_more),
        cmocka_unit_test(what_waits_too_long_is_dropped),
        cmocka_unit_test(what_waits_too_long_is_put_behind_the_others),
        cmocka_unit_test(jobs_may_shorten_the_time_only_where_allowed),
        cmocka_unit_test(what_is_put_back_comes_first_and_keeps_its_deadline),
        cmocka_unit_test(any_number_of_levels_is_kept_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
