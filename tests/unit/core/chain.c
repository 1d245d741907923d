#include "core/chain.h"

#include "core/model.h"
#include "test.h"

enum { MAX_INSTANCES = 2, MAX_EXECUTIONS = 3 };

/* A model, and what its instances run. */
struct setting {
    struct hc_model model;
    struct hc_instance instances[MAX_INSTANCES];
    struct hc_instance *places[MAX_INSTANCES];
    struct hc_execution executions[MAX_INSTANCES][MAX_EXECUTIONS];
};

static void prepare(struct setting *setting, size_t n_instances, unsigned concurrency) {
    static char name[] = "m";
    *setting = (struct setting){0};
    setting->model.name = name;
    setting->model.instances = setting->places;
    setting->model.n_instances = n_instances;
    setting->model.concurrency = concurrency;
    pthread_mutex_init(&setting->model.lock, NULL);
    for (size_t i = 0; i < n_instances; i++) {
        setting->instances[i].model = &setting->model;
        setting->instances[i].executions = setting->executions[i];
        setting->places[i] = &setting->instances[i];
    }
}

/* Have INSTANCE run a batch of REQUESTS; the execution's id. */
static uint64_t run(struct hc_instance *instance, struct hc_request *requests, size_t n) {
    struct hc_execution *execution = &instance->executions[instance->n_executions++];
    execution->id = instance->n_executions;
    hc_list_init(&execution->requests);
    for (size_t i = 0; i < n; i++) {
        hc_list_append(&execution->requests, &requests[i]._job.link);
    }
    return execution->id;
}

/* The code of a call of MODEL from that execution; the call stays in REQUEST. */
static enum hc_code call(struct hc_request *request, struct hc_model *model,
                         struct hc_instance *from, uint64_t execution_id) {
    request->model = model;
    hc_chain_join(request, from, execution_id);
    return hc_chain_check(request, NULL);
}

static void finish(struct hc_request *requests, size_t n) {
    for (size_t i = 0; i < n; i++) {
        hc_pool_finish(&requests[i].pool);
    }
}

static void a_model_with_one_instance_may_not_ask_itself(void **state) {
    struct setting a;
    struct hc_request requests[2] = {0};
    struct hc_error error;
    (void)state;
    prepare(&a, 1, 0);
    uint64_t id = run(&a.instances[0], &requests[0], 1);
    assert_int_equal(call(&requests[1], &a.model, &a.instances[0], id), HC_UNAVAILABLE);
    assert_int_equal(hc_chain_check(&requests[1], &error), HC_UNAVAILABLE);
    assert_non_null(strstr(error.message, "every instance of model 'm' waits"));
    finish(requests, 2);
}

static void another_instance_answers(void **state) {
    struct setting a;
    struct hc_request requests[3] = {0};
    (void)state;
    prepare(&a, 2, 0);
    uint64_t id = run(&a.instances[0], &requests[0], 1);
    assert_int_equal(call(&requests[1], &a.model, &a.instances[0], id), HC_OK);
    uint64_t inner = run(&a.instances[1], &requests[1], 1);
    assert_int_equal(call(&requests[2], &a.model, &a.instances[1], inner), HC_UNAVAILABLE);
    finish(requests, 3);
}

static void chains_go_through_other_models(void **state) {
    struct setting a;
    struct setting b;
    struct hc_request requests[3] = {0};
    (void)state;
    prepare(&a, 1, 0);
    prepare(&b, 1, 0);
    uint64_t id = run(&a.instances[0], &requests[0], 1);
    assert_int_equal(call(&requests[1], &b.model, &a.instances[0], id), HC_OK);
    id = run(&b.instances[0], &requests[1], 1);
    assert_int_equal(call(&requests[2], &a.model, &b.instances[0], id), HC_UNAVAILABLE);
    finish(requests, 3);
}

static void any_request_of_a_batch_may_be_waited_for(void **state) {
    struct setting a;
    struct setting b;
    struct hc_request outer = {0};
    struct hc_request batch[2] = {0};
    struct hc_request last = {0};
    (void)state;
    prepare(&a, 1, 0);
    prepare(&b, 1, 0);
    uint64_t id = run(&a.instances[0], &outer, 1);
    assert_int_equal(call(&batch[1], &b.model, &a.instances[0], id), HC_OK);
    id = run(&b.instances[0], batch, 2);
    assert_int_equal(call(&last, &a.model, &b.instances[0], id), HC_UNAVAILABLE);
    finish(batch, 2);
    finish(&last, 1);
}

static void executions_side_by_side_are_counted(void **state) {
    struct setting a;
    struct hc_request requests[4] = {0};
    (void)state;
    prepare(&a, 1, 3);
    for (size_t i = 0; i < 3; i++) {
        uint64_t id = run(&a.instances[0], &requests[i], 1);
        assert_int_equal(call(&requests[i + 1], &a.model, &a.instances[0], id),
                         i < 2 ? HC_OK : HC_UNAVAILABLE);
    }
    finish(requests, 4);
}

static void an_execution_that_has_ended_waits_for_nothing(void **state) {
    struct setting a;
    struct hc_request request = {0};
    (void)state;
    prepare(&a, 1, 0);
    assert_int_equal(call(&request, &a.model, &a.instances[0], 7), HC_OK);
    assert_int_equal(request.n_waiters, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_with_one_instance_may_not_ask_itself),
        cmocka_unit_test(another_instance_answers),
        cmocka_unit_test(chains_go_through_other_models),
        cmocka_unit_test(any_request_of_a_batch_may_be_waited_for),
        cmocka_unit_test(executions_side_by_side_are_counted),
        cmocka_unit_test(an_execution_that_has_ended_waits_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
