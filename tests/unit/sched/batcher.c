#include "sched/batcher.h"

#include "test.h"

/* ---- What a batch consists of ---- */

struct arrival {
    uint32_t rows;
    const char *signature;
};

/* When the batcher is asked at NOW about jobs that came at 0: how many go, or when to ask again. */
struct row {
    const char *what;
    uint64_t max_rows;
    int32_t preferred[3];
    uint64_t delay_ns;
    struct arrival jobs[6];
    uint64_t now_ns;
    size_t expected;
    uint64_t ready_ns;
};

static const struct row rows[] = {
    {"without batching, one goes alone", 0, {0}, 0, {{1, ""}, {1, ""}}, 0, 1, 0},
    {"what is there goes at once", 8, {8}, 0, {{1, ""}, {2, ""}}, 0, 2, 0},
    {"no more rows than are allowed", 4, {4}, 0, {{2, ""}, {2, ""}, {1, ""}}, 0, 2, 0},
    {"the next one does not fit", 4, {4}, 50, {{3, ""}, {2, ""}}, 0, 1, 0},
    {"one that is alone too large for the rest", 4, {4}, 0, {{4, ""}, {1, ""}}, 0, 1, 0},
    {"another signature ends the batch", 8, {8}, 50, {{1, "a"}, {1, "b"}, {1, "a"}}, 0, 1, 0},
    {"waits for company", 8, {8}, 50, {{1, ""}, {1, ""}}, 20, 0, 50},
    {"has waited for company", 8, {8}, 50, {{1, ""}, {1, ""}}, 50, 2, 0},
    {"a preferred size need not wait", 8, {2, 8}, 50, {{1, ""}, {1, ""}}, 0, 2, 0},
    {"the largest preferred one", 8, {2, 4}, 50, {{1, ""}, {1, ""}, {2, ""}, {1, ""}}, 0, 3, 0},
    {"beyond every preferred size", 8, {2}, 50, {{3, ""}}, 0, 1, 0},
    {"between preferred sizes", 8, {2, 8}, 50, {{1, ""}, {2, ""}}, 0, 0, 50},
    {"too late for preferences", 8, {2, 8}, 50, {{1, ""}, {1, ""}, {1, ""}}, 60, 3, 0},
    {"nothing there", 8, {8}, 50, {{0}}, 0, 0, UINT64_MAX},
};

static struct hc_batcher make(const struct row *row) {
    struct hc_batcher batcher;
    size_t n_preferred = 0;
    while (n_preferred < N_ITEMS(row->preferred) && row->preferred[n_preferred] > 0) {
        n_preferred++;
    }
    hc_batcher_init(&batcher, &(struct hc_batcher_settings){
                                  .max_rows = row->max_rows,
                                  .preferred_rows = row->preferred,
                                  .n_preferred = n_preferred,
                                  .delay_ns = row->delay_ns,
                                  .queue = {.n_levels = 1, .default_level = 1},
                              });
    return batcher;
}

static void batches_are_formed_by_the_rules(void **state) {
    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        const struct row *row = &rows[i];
        struct hc_batcher batcher = make(row);
        struct hc_job jobs[N_ITEMS(row->jobs)] = {0};
        for (size_t j = 0; j < N_ITEMS(jobs) && row->jobs[j].rows > 0; j++) {
            jobs[j].rows = row->jobs[j].rows;
            jobs[j].signature = hc_text_of(row->jobs[j].signature);
            hc_queue_add(&batcher.queue, &jobs[j], 0);
        }
        struct hc_list batch;
        hc_list_init(&batch);
        uint64_t ready_ns;
        bool taken = hc_batcher_take(&batcher, row->now_ns, &batch, &ready_ns);
        size_t n = 0;
        for (struct hc_job *job; (job = hc_job_pop(&batch)) != NULL; n++) {
            assert_ptr_equal(job, &jobs[n]);
        }
        if (n != row->expected || taken != (n > 0) || (!taken && ready_ns != row->ready_ns)) {
            fail_msg("%s: %zu jobs, ready at %llu", row->what, n, (unsigned long long)ready_ns);
        }
        hc_batcher_finish(&batcher);
    }
}

static void a_waiting_batch_grows_up_to_the_largest_preferred_size(void **state) {
    (void)state;
    const struct row row = {.max_rows = 8, .preferred = {4}};
    struct hc_batcher batcher = make(&row);
    struct hc_job first = {.rows = 1, .signature = HC_TEXT("a")};
    struct hc_job same = {.rows = 2, .signature = HC_TEXT("a")};
    struct hc_job other = {.rows = 1, .signature = HC_TEXT("b")};
    assert_null(hc_batcher_take_joining(&batcher, &first, 1));
    hc_queue_add(&batcher.queue, &same, 0);
    hc_queue_add(&batcher.queue, &other, 0);
    assert_null(hc_batcher_take_joining(&batcher, &first, 3));
    assert_ptr_equal(hc_batcher_take_joining(&batcher, &first, 2), &same);
    assert_null(hc_batcher_take_joining(&batcher, &first, 1));
    hc_batcher_finish(&batcher);
}

/* ---- Any order of events ---- */

enum { N_JOBS = 64, N_STEPS = 3000000, N_LEVELS = 3 };

static uint64_t random_state = 88172645463325252u;

static uint32_t next_random(uint32_t n) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % n;
}

struct tracked {
    struct hc_job job;
    uint64_t number; /* in the order of arrival */
    bool waiting;
};

struct world {
    struct hc_batcher batcher;
    struct tracked jobs[N_JOBS];
    uint64_t now_ns;
    uint64_t n_arrived;
    size_t n_waiting;
    bool delays;
    uint64_t max_rows;
    uint64_t timeout_ns;
};

static const char *const signatures[] = {"", "a", "b"};

static void arrive(struct world *world) {
    struct tracked *tracked = &world->jobs[next_random(N_JOBS)];
    if (tracked->waiting) {
        return;
    }
    uint32_t max = world->max_rows > 0 ? (uint32_t)world->max_rows : 4;
    tracked->job = (struct hc_job){
        .rows = 1 + next_random(max),
        .priority = next_random(N_LEVELS + 2),
        .timeout_ns = next_random(60),
        .signature = hc_text_of(signatures[next_random(8) < 6 ? 0 : next_random(3)]),
    };
    if (hc_queue_add(&world->batcher.queue, &tracked->job, world->now_ns)) {
        tracked->waiting = true;
        tracked->number = world->n_arrived++;
        world->n_waiting++;
    } else {
        assert_true(world->n_waiting >= 10);
    }
}

static struct tracked *leave(struct world *world, struct hc_job *job) {
    struct tracked *tracked = hc_list_item(job, struct tracked, job);
    assert_true(tracked->waiting);
    tracked->waiting = false;
    world->n_waiting--;
    return tracked;
}

static uint64_t level_of(const struct hc_job *job) {
    return job->priority == 0 || job->priority > N_LEVELS ? 2 : job->priority;
}

/* Nobody of the same level who came before is still waiting, unless that one was late. */
static void assert_in_order(const struct world *world, const struct tracked *taken) {
    for (size_t i = 0; i < N_JOBS && !world->delays; i++) {
        const struct tracked *other = &world->jobs[i];
        if (other->waiting && level_of(&other->job) <= level_of(&taken->job)) {
            assert_true(level_of(&other->job) == level_of(&taken->job) &&
                        other->number > taken->number);
        }
    }
}

static void take(struct world *world) {
    struct hc_list batch;
    hc_list_init(&batch);
    uint64_t ready_ns;
    if (!hc_batcher_take(&world->batcher, world->now_ns, &batch, &ready_ns)) {
        assert_true(ready_ns > world->now_ns);
        const struct hc_job *first = hc_queue_first(&world->batcher.queue);
        assert_true(first == NULL || ready_ns <= first->enqueued_ns + world->batcher.delay_ns);
        return;
    }
    uint64_t n_rows = 0;
    size_t n_jobs = 0;
    struct hc_text signature = hc_job_of(batch.next)->signature;
    struct hc_job *job;
    while ((job = hc_job_pop(&batch)) != NULL) {
        n_rows += job->rows;
        n_jobs++;
        assert_true(hc_text_equal(job->signature, signature));
        assert_in_order(world, leave(world, job));
    }
    assert_true(n_jobs == 1 || n_rows <= world->max_rows);
}

static void expire(struct world *world) {
    hc_queue_expire(&world->batcher.queue, world->now_ns);
    struct hc_job *job;
    while ((job = hc_job_pop(&world->batcher.queue.dropped)) != NULL) {
        assert_false(world->delays);
        uint64_t waited_ns = world->now_ns - job->enqueued_ns;
        assert_true(waited_ns >= world->timeout_ns ||
                    (job->timeout_ns > 0 && waited_ns >= job->timeout_ns));
        leave(world, job);
    }
    for (size_t i = 0; i < N_JOBS && !world->delays; i++) {
        assert_false(world->jobs[i].waiting &&
                     world->jobs[i].job.enqueued_ns + world->timeout_ns <= world->now_ns);
    }
}

static void cancel(struct world *world) {
    struct tracked *tracked = &world->jobs[next_random(N_JOBS)];
    if (tracked->waiting) {
        hc_queue_remove(&world->batcher.queue, &tracked->job);
        leave(world, &tracked->job);
    }
}

static void step(struct world *world) {
    switch (next_random(8)) {
    case 0:
        world->now_ns += next_random(30);
        expire(world);
        break;
    case 1:
    case 2:
        take(world);
        break;
    case 3:
        cancel(world);
        break;
    default:
        arrive(world);
        break;
    }
    assert_int_equal(world->batcher.queue.n_jobs, world->n_waiting);
}

static void run_world(uint64_t max_rows, uint64_t delay_ns, bool delays, uint64_t timeout_ns) {
    static const int32_t preferred[] = {2, 5};
    struct world *world = calloc(1, sizeof *world);
    world->delays = delays;
    world->max_rows = max_rows;
    world->timeout_ns = timeout_ns;
    hc_batcher_init(&world->batcher, &(struct hc_batcher_settings){
                                         .max_rows = max_rows,
                                         .preferred_rows = preferred,
                                         .n_preferred = max_rows > 5 ? 2 : 0,
                                         .delay_ns = delay_ns,
                                         .queue = {.n_levels = N_LEVELS,
                                                   .default_level = 2,
                                                   .policy = {.max_size = 10,
                                                              .timeout_ns = timeout_ns,
                                                              .may_shorten = true,
                                                              .delays = delays}},
                                     });
    for (size_t i = 0; i < N_STEPS / 6; i++) {
        step(world);
    }
    while (world->n_waiting > 0) {
        world->now_ns += delay_ns;
        take(world);
    }
    hc_batcher_finish(&world->batcher);
    free(world);
}

static void nothing_is_lost_or_out_of_order_whatever_happens(void **state) {
    (void)state;
    run_world(0, 0, false, 100);
    run_world(8, 0, false, 100);
    run_world(8, 40, false, 100);
    run_world(8, 40, true, 20);
    run_world(4, 10, false, 1000000);
    run_world(1, 10, true, 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_formed_by_the_rules),
        cmocka_unit_test(a_waiting_batch_grows_up_to_the_largest_preferred_size),
        cmocka_unit_test(nothing_is_lost_or_out_of_order_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
