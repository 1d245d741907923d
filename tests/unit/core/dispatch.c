/*
 * Dispatch with a backend made of paper: submits are recorded, and the test decides what the
 * instances do next.
 */
#include "core/dispatch.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "core/context.h"
#include "test.h"

enum { N_INSTANCES = 3, N_REQUESTS = 64 };

struct fake_instance {
    struct hc_instance *instance;
    struct {
        uint64_t id;
        struct hc_request *request; /* the first */
        size_t n_requests;
        bool started;
    } work[HC_INSTANCE_DEPTH];
    unsigned n_work;
};

static const struct hc_stats_times some_times = {1, 2, 3, 4};

struct fixture {
    struct hc_model model;
    struct hc_instance instances[N_INSTANCES];
    struct hc_execution executions[N_INSTANCES][HC_INSTANCE_DEPTH];
    struct hc_instance *places[N_INSTANCES];
    struct fake_instance fakes[N_INSTANCES];
    struct hc_context context;
    struct hc_request requests[N_REQUESTS];
    unsigned n_answers[N_REQUESTS];
    enum hc_code last_code[N_REQUESTS];
    bool cancelled[N_REQUESTS];
    unsigned n_discards;
    unsigned n_kicks;
};

static struct fixture *fixture;

static size_t index_of(const struct hc_request *request) {
    return (size_t)(request - fixture->requests);
}

static struct fake_instance *fake_of(const struct hc_instance *instance) {
    return &fixture->fakes[instance->index];
}

static void fake_submit(struct hc_instance *instance, struct hc_execution *execution) {
    struct fake_instance *fake = fake_of(instance);
    assert_true(fake->n_work < HC_INSTANCE_DEPTH);
    fake->work[fake->n_work].n_requests = execution->n_requests;
    fake->work[fake->n_work].id = execution->id;
    fake->work[fake->n_work].request = hc_request_of_job(execution->requests.next);
    fake->work[fake->n_work].started = false;
    fake->n_work++;
}

static void fake_kick(struct hc_instance *instance) {
    (void)instance;
    fixture->n_kicks++;
}

static bool fake_withdraw(struct hc_instance *instance, struct hc_execution *execution) {
    struct fake_instance *fake = fake_of(instance);
    for (unsigned i = 0; i < fake->n_work; i++) {
        if (fake->work[i].id == execution->id && !fake->work[i].started) {
            fake->n_work--;
            if (i < fake->n_work) {
                fake->work[i] = fake->work[i + 1];
            }
            return true;
        }
    }
    return false;
}

static void fake_cancel(struct hc_request *request) {
    fixture->cancelled[index_of(request)] = true;
}

static void fake_discard(struct hc_request *request) {
    (void)request;
    fixture->n_discards++;
}

static const struct hc_backend fake_backend = {
    .name = "fake",
    .discard = fake_discard,
    .submit = fake_submit,
    .kick = fake_kick,
    .withdraw = fake_withdraw,
    .cancel = fake_cancel,
};

static void on_response(struct hc_request *request, struct hc_response *response, bool final) {
    assert_true(final);
    fixture->n_answers[index_of(request)]++;
    fixture->last_code[index_of(request)] = response->code;
    hc_response_release(response);
}

static int set_up(void **state) {
    fixture = hc_new(struct fixture);
    struct hc_model *model = &fixture->model;
    pthread_mutex_init(&model->lock, NULL);
    model->depth = HC_INSTANCE_DEPTH;
    hc_batcher_init(&model->batcher,
                    &(struct hc_batcher_settings){.queue = {.n_levels = 1, .default_level = 1}});
    model->backend = &fake_backend;
    model->instances = fixture->places;
    model->n_instances = N_INSTANCES;
    for (unsigned i = 0; i < N_INSTANCES; i++) {
        fixture->places[i] = &fixture->instances[i];
        fixture->instances[i].model = model;
        fixture->instances[i].index = i;
        fixture->instances[i].executions = fixture->executions[i];
        hc_list_init(&fixture->instances[i].unanswered);
        fixture->fakes[i].instance = &fixture->instances[i];
    }
    struct hc_loop *loop;
    assert_int_equal(hc_loop_create(0, &loop, NULL), HC_OK);
    hc_context_init(&fixture->context, NULL, loop, 0);
    for (size_t i = 0; i < N_REQUESTS; i++) {
        fixture->requests[i].context = &fixture->context;
        fixture->requests[i].model = model;
        fixture->requests[i].on_response = on_response;
    }
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    hc_batcher_finish(&fixture->model.batcher);
    hc_loop_destroy(fixture->context.loop);
    hc_context_finish(&fixture->context);
    free(fixture);
    return 0;
}

/* Run the tasks that were posted to the loop. */
static void run_loop(void) {
    hc_loop_stop(fixture->context.loop);
    hc_loop_run(fixture->context.loop);
}

static void enqueue(size_t i) {
    assert_int_equal(hc_dispatch_enqueue(&fixture->requests[i], NULL), HC_OK);
}

static void all_up(void) {
    for (size_t i = 0; i < N_INSTANCES; i++) {
        hc_dispatch_up(&fixture->instances[i]);
    }
}

/* The instance runs its oldest work to the end and answers. */
static void finish_oldest(struct fake_instance *fake) {
    struct hc_request *request = fake->work[0].request;
    uint64_t id = fake->work[0].id;
    fake->n_work--;
    fake->work[0] = fake->work[1];
    hc_dispatch_answered(request);
    fixture->n_answers[index_of(request)]++;
    assert_true(hc_dispatch_executed(fake->instance, id, &some_times));
}

static void requests_wait_for_an_instance(void **state) {
    (void)state;
    enqueue(0);
    enqueue(1);
    assert_int_equal(hc_dispatch_in_flight(&fixture->model), 2);
    assert_int_equal(fixture->fakes[0].n_work, 0);
    hc_dispatch_up(&fixture->instances[1]);
    assert_int_equal(fixture->fakes[1].n_work, 2);
    assert_ptr_equal(fixture->fakes[1].work[0].request, &fixture->requests[0]);
    assert_int_equal(fixture->n_kicks, 2);
}

static void idle_instances_come_first(void **state) {
    (void)state;
    all_up();
    for (size_t i = 0; i < N_INSTANCES; i++) {
        enqueue(i);
    }
    for (size_t i = 0; i < N_INSTANCES; i++) {
        assert_int_equal(fixture->fakes[i].n_work, 1);
    }
    for (size_t i = 0; i < 2 * N_INSTANCES; i++) {
        enqueue(N_INSTANCES + i);
    }
    for (size_t i = 0; i < N_INSTANCES; i++) {
        assert_int_equal(fixture->fakes[i].n_work, HC_INSTANCE_DEPTH);
    }
    assert_int_equal(fixture->model.batcher.queue.n_jobs, N_INSTANCES);
}

static void the_queue_keeps_its_order(void **state) {
    (void)state;
    for (size_t i = 0; i < 10; i++) {
        enqueue(i);
    }
    hc_dispatch_up(&fixture->instances[0]);
    for (size_t i = 0; i < 10; i++) {
        assert_ptr_equal(fixture->fakes[0].work[0].request, &fixture->requests[i]);
        finish_oldest(&fixture->fakes[0]);
    }
    assert_int_equal(hc_dispatch_in_flight(&fixture->model), 0);
}

static void an_idle_instance_takes_what_waits_behind_another(void **state) {
    (void)state;
    hc_dispatch_up(&fixture->instances[0]);
    enqueue(0);
    enqueue(1);
    fixture->fakes[0].work[0].started = true;
    hc_dispatch_up(&fixture->instances[1]);
    enqueue(2);
    assert_int_equal(fixture->fakes[0].n_work, 2);
    finish_oldest(&fixture->fakes[1]);
    assert_int_equal(fixture->fakes[0].n_work, 1);
    assert_int_equal(fixture->fakes[1].n_work, 1);
    assert_ptr_equal(fixture->fakes[1].work[0].request, &fixture->requests[1]);
}

static void what_has_started_is_not_taken_back(void **state) {
    (void)state;
    hc_dispatch_up(&fixture->instances[0]);
    enqueue(0);
    enqueue(1);
    fixture->fakes[0].work[0].started = true;
    fixture->fakes[0].work[1].started = true;
    hc_dispatch_up(&fixture->instances[1]);
    enqueue(2);
    finish_oldest(&fixture->fakes[1]);
    assert_int_equal(fixture->fakes[0].n_work, 2);
    assert_int_equal(fixture->fakes[1].n_work, 0);
}

static void death_fails_what_had_started_and_requeues_the_rest(void **state) {
    (void)state;
    hc_dispatch_up(&fixture->instances[0]);
    for (size_t i = 0; i < 4; i++) {
        enqueue(i);
    }
    fixture->fakes[0].work[0].started = true;
    hc_dispatch_down(&fixture->instances[0]);
    hc_dispatch_recover(&fixture->instances[0], HC_INTERNAL, "it died");
    run_loop();
    assert_int_equal(fixture->n_answers[0], 1);
    assert_int_equal(fixture->last_code[0], HC_INTERNAL);
    assert_int_equal(fixture->n_discards, 1);
    assert_int_equal(fixture->model.batcher.queue.n_jobs, 3);
    hc_dispatch_up(&fixture->instances[1]);
    assert_ptr_equal(fixture->fakes[1].work[0].request, &fixture->requests[1]);
    assert_ptr_equal(fixture->fakes[1].work[1].request, &fixture->requests[2]);
}

static void queued_requests_can_be_cancelled(void **state) {
    (void)state;
    enqueue(0);
    assert_true(hc_dispatch_cancel(&fixture->requests[0]));
    assert_int_equal(hc_dispatch_in_flight(&fixture->model), 0);
    hc_dispatch_up(&fixture->instances[0]);
    enqueue(1);
    assert_false(hc_dispatch_cancel(&fixture->requests[1]));
    assert_true(fixture->cancelled[1]);
}

static void what_waits_behind_another_execution_can_be_cancelled(void **state) {
    (void)state;
    hc_dispatch_up(&fixture->instances[0]);
    for (size_t i = 0; i < 3; i++) {
        enqueue(i);
    }
    fixture->fakes[0].work[0].started = true;
    assert_true(hc_dispatch_cancel(&fixture->requests[1]));
    assert_false(fixture->cancelled[1]);
    assert_ptr_equal(fixture->fakes[0].work[1].request, &fixture->requests[2]);
    assert_int_equal(hc_dispatch_in_flight(&fixture->model), 2);
}

static void unknown_executions_are_refused(void **state) {
    (void)state;
    hc_dispatch_up(&fixture->instances[0]);
    enqueue(0);
    assert_false(hc_dispatch_executed(&fixture->instances[0], 99, &some_times));
    assert_false(
        hc_dispatch_executed(&fixture->instances[1], fixture->fakes[0].work[0].id, &some_times));
    assert_true(hc_dispatch_has(&fixture->requests[0], &fixture->instances[0]));
    assert_false(hc_dispatch_has(&fixture->requests[0], &fixture->instances[1]));
}

static void enqueue_one(struct hc_task *task) {
    (void)task;
    enqueue(0);
    hc_loop_stop(fixture->context.loop);
}

/* What an instance that needs notice is told when a batch is due after DELAY_NS. */
static unsigned count_kicks(uint64_t delay_ns) {
    struct hc_task task = {.run = enqueue_one};
    struct hc_backend backend = fake_backend;
    backend.notice_ns = HC_NS_PER_S;
    fixture->model.backend = &backend;
    fixture->model.batcher.max_rows = 8;
    fixture->model.batcher.largest_preferred = 8;
    fixture->model.batcher.delay_ns = delay_ns;
    atomic_init(&fixture->model.references, 1);
    hc_alarms_init(&fixture->model.alarms, &fixture->model, 1);
    all_up();
    hc_loop_post(fixture->context.loop, &task);
    hc_loop_run(fixture->context.loop);
    assert_int_equal(fixture->fakes[0].n_work, 0);
    hc_alarms_finish(&fixture->model.alarms);
    fixture->model.backend = &fake_backend;
    return fixture->n_kicks;
}

static void an_idle_instance_is_told_that_its_batch_is_due(void **state) {
    (void)state;
    assert_int_equal(count_kicks(HC_NS_PER_S / 2), 1);
}

static void an_instance_is_not_told_too_early(void **state) {
    (void)state;
    assert_int_equal(count_kicks(10 * HC_NS_PER_S), 0);
}

static void enqueue_three(struct hc_task *task) {
    (void)task;
    for (size_t i = 0; i < 3; i++) {
        enqueue(i);
        assert_int_equal(fixture->fakes[0].n_work, 0);
    }
    hc_loop_stop(fixture->context.loop);
}

static void what_comes_in_one_turn_runs_together_where_it_may(void **state) {
    (void)state;
    struct hc_task task = {.run = enqueue_three};
    fixture->model.batcher.max_rows = 8;
    fixture->model.batcher.largest_preferred = 8;
    atomic_init(&fixture->model.references, 1);
    hc_alarms_init(&fixture->model.alarms, &fixture->model, 1);
    all_up();
    hc_loop_post(fixture->context.loop, &task);
    hc_loop_run(fixture->context.loop);
    assert_int_equal(fixture->fakes[0].n_work, 1);
    assert_int_equal(fixture->fakes[0].work[0].n_requests, 3);
    assert_int_equal(fixture->n_kicks, 1);
    assert_int_equal(fixture->model.references, 1);
    hc_alarms_finish(&fixture->model.alarms);
}

static uint32_t next_random(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* An instance does something: begins its work, ends it, dies, comes up. */
static void random_step(uint32_t *seed) {
    struct fake_instance *fake = &fixture->fakes[next_random(seed) % N_INSTANCES];
    bool up = fake->instance->state == HC_INSTANCE_READY;
    switch (next_random(seed) % 8) {
    case 0:
        if (up) {
            hc_dispatch_down(fake->instance);
            hc_dispatch_recover(fake->instance, HC_INTERNAL, "it died");
            fake->n_work = 0;
        }
        break;
    case 1:
        hc_dispatch_up(fake->instance);
        break;
    case 2:
    case 3:
        if (fake->n_work > 0) {
            fake->work[0].started = true;
        }
        break;
    default:
        if (fake->n_work > 0 && fake->work[0].started) {
            finish_oldest(fake);
        }
        break;
    }
}

/* The client of a request leaves: what was taken back for it counts as answered. */
static void cancel(size_t i) {
    if (fixture->n_answers[i] == 0 && hc_dispatch_cancel(&fixture->requests[i])) {
        fixture->n_answers[i]++;
    }
}

static void every_request_is_answered_exactly_once_in_any_order_of_events(void **state) {
    (void)state;
    uint32_t seed = 42;
    size_t n_enqueued = 0;
    for (int step = 0; step < 20000 || n_enqueued < N_REQUESTS; step++) {
        if (n_enqueued < N_REQUESTS && next_random(&seed) % 4 == 0) {
            enqueue(n_enqueued++);
        }
        if (n_enqueued > 0 && next_random(&seed) % 16 == 0) {
            cancel(next_random(&seed) % n_enqueued);
        }
        random_step(&seed);
    }
    all_up();
    for (size_t i = 0; i < N_INSTANCES; i++) {
        while (fixture->fakes[i].n_work > 0) {
            fixture->fakes[i].work[0].started = true;
            finish_oldest(&fixture->fakes[i]);
        }
    }
    run_loop();
    assert_int_equal(hc_dispatch_in_flight(&fixture->model), 0);
    for (size_t i = 0; i < N_REQUESTS; i++) {
        assert_int_equal(fixture->n_answers[i], 1);
    }
}

#define DISPATCH_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        DISPATCH_TEST(requests_wait_for_an_instance),
        DISPATCH_TEST(idle_instances_come_first),
        DISPATCH_TEST(the_queue_keeps_its_order),
        DISPATCH_TEST(an_idle_instance_takes_what_waits_behind_another),
        DISPATCH_TEST(what_has_started_is_not_taken_back),
        DISPATCH_TEST(death_fails_what_had_started_and_requeues_the_rest),
        DISPATCH_TEST(queued_requests_can_be_cancelled),
        DISPATCH_TEST(what_waits_behind_another_execution_can_be_cancelled),
        DISPATCH_TEST(unknown_executions_are_refused),
        DISPATCH_TEST(what_comes_in_one_turn_runs_together_where_it_may),
        DISPATCH_TEST(an_idle_instance_is_told_that_its_batch_is_due),
        DISPATCH_TEST(an_instance_is_not_told_too_early),
        DISPATCH_TEST(every_request_is_answered_exactly_once_in_any_order_of_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
