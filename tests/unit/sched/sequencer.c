#include "sched/sequencer.h"

#include <stdio.h>

#include "base/alloc.h"
#include "test.h"

enum { N_INSTANCES = 3, N_SLOTS = 4, IDLE_NS = 1000 };

/* A sequencer of one instance with two slots. */
static void set_up(struct hc_sequencer *sequencer, bool direct) {
    hc_sequencer_init(sequencer,
                      &(struct hc_sequencer_settings){
                          .n_instances = 1,
                          .n_slots = 2,
                          .idle_ns = IDLE_NS,
                          .direct = direct,
                          .batches = {.max_rows = 8, .queue = {.n_levels = 1, .default_level = 1}},
                      });
}

static struct hc_job job(const char *name, bool starts, bool ends) {
    return (struct hc_job){.rows = 1, .name = hc_text_of(name), .starts = starts, .ends = ends};
}

/* The jobs that the instance gets now, and how many places their batch has. */
static size_t take(struct hc_sequencer *sequencer, struct hc_job **jobs, size_t *n_places,
                   uint64_t now_ns) {
    struct hc_list batch;
    uint64_t ready_ns;
    size_t n = 0;
    hc_list_init(&batch);
    *n_places = 0;
    hc_sequencer_take(sequencer, 0, now_ns, &batch, n_places, &ready_ns);
    while ((jobs[n] = hc_job_pop(&batch)) != NULL) {
        n++;
    }
    return n;
}

static void jobs_of_a_sequence_run_one_after_the_other(void **state) {
    (void)state;
    for (int direct = 0; direct < 2; direct++) {
        struct hc_sequencer sequencer;
        set_up(&sequencer, direct == 1);
        struct hc_job a1 = job("a", true, false);
        struct hc_job a2 = job("a", false, true);
        struct hc_job *taken[4];
        size_t n_places;
        assert_true(hc_sequencer_add(&sequencer, &a1, 0));
        assert_true(hc_sequencer_add(&sequencer, &a2, 0));
        assert_int_equal(take(&sequencer, taken, &n_places, 0), 1);
        assert_ptr_equal(taken[0], &a1);
        assert_int_equal(take(&sequencer, taken, &n_places, 0), 0);
        hc_sequencer_done(&sequencer, &a1, 1);
        assert_int_equal(take(&sequencer, taken, &n_places, 1), 1);
        assert_ptr_equal(taken[0], &a2);
        hc_sequencer_done(&sequencer, &a2, 2);
        assert_int_equal(sequencer.n_jobs, 0);
        hc_sequencer_finish(&sequencer);
    }
}

static void what_was_not_started_is_refused(void **state) {
    (void)state;
    struct hc_sequencer sequencer;
    set_up(&sequencer, true);
    struct hc_job first = job("a", false, false);
    assert_false(hc_sequencer_add(&sequencer, &first, 0));
    struct hc_job all = job("a", true, true);
    assert_true(hc_sequencer_add(&sequencer, &all, 0));
    struct hc_job after_the_end = job("a", false, false);
    assert_false(hc_sequencer_add(&sequencer, &after_the_end, 0));
    struct hc_job *taken[4];
    size_t n_places;
    assert_int_equal(take(&sequencer, taken, &n_places, 0), 1);
    hc_sequencer_done(&sequencer, &all, 0);
    hc_sequencer_finish(&sequencer);
}

static void a_direct_batch_has_a_place_for_each_slot_up_to_the_last_job(void **state) {
    (void)state;
    struct hc_sequencer sequencer;
    set_up(&sequencer, true);
    struct hc_job a = job("a", true, false);
    struct hc_job b1 = job("b", true, false);
    struct hc_job b2 = job("b", false, false);
    struct hc_job *taken[4];
    size_t n_places;
    hc_sequencer_add(&sequencer, &a, 0);
    hc_sequencer_add(&sequencer, &b1, 0);
    assert_int_equal(take(&sequencer, taken, &n_places, 0), 2);
    assert_int_equal(n_places, 2);
    hc_sequencer_done(&sequencer, &a, 1);
    hc_sequencer_done(&sequencer, &b1, 1);
    hc_sequencer_add(&sequencer, &b2, 2);
    assert_int_equal(take(&sequencer, taken, &n_places, 2), 1);
    assert_int_equal(n_places, 2);
    assert_int_equal(b2.slot, 1);
    hc_sequencer_done(&sequencer, &b2, 3);
    hc_sequencer_finish(&sequencer);
}

static void without_a_slot_sequences_wait_for_one_to_end_or_fall_idle(void **state) {
    (void)state;
    struct hc_sequencer sequencer;
    set_up(&sequencer, false);
    struct hc_job jobs[] = {job("a", true, true), job("b", true, false), job("c", true, false),
                            job("d", true, true), job("c", false, true)};
    struct hc_job *taken[6];
    size_t n_places;
    for (size_t i = 0; i < N_ITEMS(jobs); i++) {
        assert_true(hc_sequencer_add(&sequencer, &jobs[i], 0));
    }
    assert_int_equal(take(&sequencer, taken, &n_places, 0), 2);
    hc_sequencer_done(&sequencer, &jobs[0], 10);
    assert_int_equal(take(&sequencer, taken, &n_places, 10), 1);
    assert_ptr_equal(taken[0], &jobs[2]);
    assert_int_equal(hc_sequencer_expiry_ns(&sequencer), UINT64_MAX);
    hc_sequencer_done(&sequencer, &jobs[1], 20);
    assert_int_equal(hc_sequencer_expiry_ns(&sequencer), 20 + IDLE_NS);
    hc_sequencer_expire(&sequencer, 20 + IDLE_NS);
    assert_int_equal(take(&sequencer, taken, &n_places, 20 + IDLE_NS), 1);
    assert_ptr_equal(taken[0], &jobs[3]);
    hc_sequencer_done(&sequencer, &jobs[3], 30 + IDLE_NS);
    hc_sequencer_done(&sequencer, &jobs[2], 30 + IDLE_NS);
    assert_int_equal(take(&sequencer, taken, &n_places, 30 + IDLE_NS), 1);
    hc_sequencer_done(&sequencer, &jobs[4], 40 + IDLE_NS);
    hc_sequencer_finish(&sequencer);
}

static void a_sequence_that_may_not_wait_longer_for_a_slot_is_dropped_with_all_its_jobs(
    void **state) {
    (void)state;
    struct hc_sequencer sequencer;
    set_up(&sequencer, true);
    struct hc_job jobs[] = {job("a", true, false), job("b", true, false), job("c", true, false),
                            job("c", false, false)};
    struct hc_job late = job("c", false, false);
    jobs[0].timeout_ns = 10; /* it has a slot at once */
    jobs[2].timeout_ns = 60;
    jobs[3].timeout_ns = 30;
    for (size_t i = 0; i < N_ITEMS(jobs); i++) {
        assert_true(hc_sequencer_add(&sequencer, &jobs[i], i));
    }
    assert_int_equal(hc_sequencer_expiry_ns(&sequencer), 33);
    hc_sequencer_expire(&sequencer, 32);
    assert_true(hc_list_empty(&sequencer.dropped));
    hc_sequencer_expire(&sequencer, 33);
    assert_ptr_equal(hc_job_pop(&sequencer.dropped), &jobs[2]);
    assert_ptr_equal(hc_job_pop(&sequencer.dropped), &jobs[3]);
    assert_true(hc_list_empty(&sequencer.dropped));
    assert_false(hc_sequencer_add(&sequencer, &late, 40));
    struct hc_job *taken[4];
    size_t n_places;
    assert_int_equal(take(&sequencer, taken, &n_places, 50), 2);
    hc_sequencer_done(&sequencer, &jobs[0], 60);
    hc_sequencer_done(&sequencer, &jobs[1], 60);
    hc_sequencer_finish(&sequencer);
}

static void idle_sequences_have_to_start_again(void **state) {
    (void)state;
    struct hc_sequencer sequencer;
    set_up(&sequencer, true);
    struct hc_job first = job("a", true, false);
    struct hc_job late = job("a", false, false);
    struct hc_job *taken[4];
    size_t n_places;
    hc_sequencer_add(&sequencer, &first, 0);
    take(&sequencer, taken, &n_places, 0);
    hc_sequencer_done(&sequencer, &first, 5);
    assert_false(hc_sequencer_add(&sequencer, &late, 5 + IDLE_NS));
    hc_sequencer_finish(&sequencer);
}

/* ---- Any order of events ---- */

enum { N_SEQUENCES = 24, N_JOBS = 64, N_STEPS = 1000000 };

/* So many jobs may come while one waits that has its instance and slot, or waits for them. */
enum { MOST_OVERTAKES = 500 };

/* So long that no sequence falls idle before the end. */
static const uint64_t world_idle_ns = UINT64_C(1) << 40;

static uint64_t random_state = 88172645463325252u;

static uint32_t next_random(uint32_t n) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % n;
}

struct tracked {
    struct hc_job job;
    enum { FREE, WAITING, RUNNING } state;
    uint64_t number; /* in the order of arrival */
    size_t sequence;
    size_t instance;
};

struct world {
    struct hc_sequencer sequencer;
    struct tracked jobs[N_JOBS];
    char names[N_SEQUENCES][8];
    struct {
        bool open;       /* more jobs may come */
        size_t instance; /* of the last job that ran; N_INSTANCES: none has */
    } sequences[N_SEQUENCES];
    uint64_t now_ns;
    uint64_t n_arrived;
    size_t n_waiting;
    size_t n_dropped;
    size_t n_owned; /* sequences that have begun and not ended */
    bool closed[N_INSTANCES];
};

static void on_sequence_end(void *user, void *owned) {
    struct world *world = user;
    assert_ptr_equal(owned, world);
    world->n_owned--;
}

/* Whatever the owner keeps for a sequence is kept until its end. */
static void own(struct world *world, struct hc_job *job) {
    void **owned = hc_sequencer_owned(job);
    if (*owned == NULL) {
        assert_true(job->starts);
        world->n_owned++;
        *owned = world;
    }
}

static bool is_under_way(const struct world *world, size_t sequence) {
    for (size_t i = 0; i < N_JOBS; i++) {
        if (world->jobs[i].state != FREE && world->jobs[i].sequence == sequence) {
            return true;
        }
    }
    return false;
}

/* What has waited for a slot for too long: jobs of sequences that have not begun. */
static void expire(struct world *world) {
    hc_sequencer_expire(&world->sequencer, world->now_ns);
    struct hc_job *dropped;
    while ((dropped = hc_job_pop(&world->sequencer.dropped)) != NULL) {
        struct tracked *tracked = hc_list_item(dropped, struct tracked, job);
        assert_true(tracked->state == WAITING);
        assert_int_equal(world->sequences[tracked->sequence].instance, N_INSTANCES);
        world->sequences[tracked->sequence].open = false;
        tracked->state = FREE;
        world->n_waiting--;
        world->n_dropped++;
    }
}

static void arrive(struct world *world) {
    struct tracked *tracked = &world->jobs[next_random(N_JOBS)];
    size_t sequence = next_random(N_SEQUENCES);
    if (tracked->state != FREE) {
        return;
    }
    bool open = world->sequences[sequence].open;
    if (!open && is_under_way(world, sequence)) {
        return; /* the one of that name has not quite ended */
    }
    tracked->job = job(world->names[sequence], !open, next_random(4) == 0);
    tracked->job.timeout_ns = next_random(4) == 0 ? 1 + next_random(500) : 0;
    tracked->sequence = sequence;
    assert_true(hc_sequencer_add(&world->sequencer, &tracked->job, world->now_ns));
    if (!open) {
        world->sequences[sequence].instance = N_INSTANCES;
    }
    world->sequences[sequence].open = !tracked->job.ends;
    tracked->state = WAITING;
    tracked->number = world->n_arrived++;
    world->n_waiting++;
}

/* The job is the next of its sequence, none of which runs, and the instance is that of the others.
 */
static void assert_in_turn(struct world *world, const struct tracked *taken, size_t instance) {
    for (size_t i = 0; i < N_JOBS; i++) {
        const struct tracked *other = &world->jobs[i];
        if (other != taken && other->state != FREE && other->sequence == taken->sequence) {
            assert_true(other->state == WAITING && other->number > taken->number);
        }
    }
    size_t before = world->sequences[taken->sequence].instance;
    assert_true(before == N_INSTANCES || before == instance);
    world->sequences[taken->sequence].instance = instance;
}

static void take_some(struct world *world) {
    size_t instance = next_random(N_INSTANCES);
    struct hc_list batch;
    size_t n_places = 0;
    size_t n_jobs = 0;
    uint64_t ready_ns;
    bool was_vacant = hc_sequencer_is_vacant(&world->sequencer, instance);
    hc_list_init(&batch);
    hc_sequencer_take(&world->sequencer, instance, world->now_ns, &batch, &n_places, &ready_ns);
    uint32_t last_slot = 0;
    struct hc_job *taken;
    while ((taken = hc_job_pop(&batch)) != NULL) {
        struct tracked *tracked = hc_list_item(taken, struct tracked, job);
        assert_true(tracked->state == WAITING && taken->slot < n_places);
        assert_true(n_jobs == 0 || taken->slot > last_slot);
        last_slot = taken->slot;
        assert_in_turn(world, tracked, instance);
        assert_true(world->n_arrived - tracked->number < MOST_OVERTAKES);
        own(world, taken);
        tracked->state = RUNNING;
        tracked->instance = instance;
        world->n_waiting--;
        n_jobs++;
    }
    assert_true(n_places <= N_SLOTS && n_jobs <= n_places);
    assert_true(n_jobs == 0 || !hc_sequencer_is_vacant(&world->sequencer, instance));
    assert_true(n_jobs == 0 || !was_vacant || !world->closed[instance]);
}

static void finish_one(struct world *world) {
    struct tracked *tracked = &world->jobs[next_random(N_JOBS)];
    if (tracked->state != RUNNING) {
        return;
    }
    if (next_random(8) == 0) {
        tracked->state = WAITING;
        world->n_waiting++;
        hc_sequencer_put_back(&world->sequencer, &tracked->job, world->now_ns);
    } else {
        tracked->state = FREE;
        hc_sequencer_done(&world->sequencer, &tracked->job, world->now_ns);
    }
}

/* An instance is taken out of service, or put back into it. */
static void open_or_close(struct world *world) {
    size_t instance = next_random(N_INSTANCES);
    world->closed[instance] = !world->closed[instance];
    if (world->closed[instance]) {
        hc_sequencer_close(&world->sequencer, instance);
    } else {
        hc_sequencer_open(&world->sequencer, instance, world->now_ns);
    }
}

static void open_all(struct world *world) {
    for (size_t i = 0; i < N_INSTANCES; i++) {
        hc_sequencer_open(&world->sequencer, i, world->now_ns);
        world->closed[i] = false;
    }
}

/* A waiting job is given up, and the rest of its sequence with it. */
static void cancel_one(struct world *world) {
    struct tracked *tracked = &world->jobs[next_random(N_JOBS)];
    struct hc_list dropped;
    struct hc_job *other;
    if (tracked->state != WAITING) {
        return;
    }
    hc_list_init(&dropped);
    hc_sequencer_cancel(&world->sequencer, &tracked->job, world->now_ns, &dropped);
    tracked->state = FREE;
    world->n_waiting--;
    world->sequences[tracked->sequence].open = false;
    while ((other = hc_job_pop(&dropped)) != NULL) {
        struct tracked *lost = hc_list_item(other, struct tracked, job);
        assert_true(lost->state == WAITING && lost->sequence == tracked->sequence);
        lost->state = FREE;
        world->n_waiting--;
    }
    for (size_t i = 0; i < N_JOBS; i++) {
        assert_false(world->jobs[i].state == WAITING &&
                     world->jobs[i].sequence == tracked->sequence);
    }
}

static void step(struct world *world) {
    switch (next_random(5)) {
    case 0:
        world->now_ns += next_random(100);
        expire(world);
        if (next_random(50) == 0) {
            open_or_close(world);
        }
        if (next_random(20) == 0) {
            cancel_one(world);
        }
        break;
    case 1:
        take_some(world);
        break;
    case 2:
    case 3:
        finish_one(world);
        break;
    default:
        arrive(world);
        break;
    }
    assert_int_equal(world->sequencer.n_jobs, world->n_waiting);
    assert_int_equal(hc_sequencer_first(&world->sequencer) != NULL, world->n_waiting > 0);
}

/* Nothing is left waiting when no more comes, provided that open sequences fall idle. */
static void end_all(struct world *world) {
    for (size_t i = 0; i < 100000; i++) {
        take_some(world);
        finish_one(world);
        world->now_ns += 1;
        if (i % 1000 == 0) {
            world->now_ns += world_idle_ns;
            expire(world);
        }
    }
}

static void run_world(bool direct) {
    struct world *world = hc_new(struct world);
    for (size_t i = 0; i < N_SEQUENCES; i++) {
        snprintf(world->names[i], sizeof world->names[i], "s%zu", i);
    }
    hc_sequencer_init(&world->sequencer,
                      &(struct hc_sequencer_settings){
                          .n_instances = N_INSTANCES,
                          .n_slots = N_SLOTS,
                          .idle_ns = world_idle_ns,
                          .direct = direct,
                          .batches = {.max_rows = 3, .queue = {.n_levels = 1, .default_level = 1}},
                          .on_end = on_sequence_end,
                          .user = world,
                      });
    for (size_t i = 0; i < N_STEPS; i++) {
        step(world);
    }
    open_all(world);
    end_all(world);
    assert_int_equal(world->n_waiting, 0);
    assert_true(world->n_dropped > N_STEPS / 1000);
    hc_sequencer_finish(&world->sequencer);
    assert_int_equal(world->n_owned, 0);
    free(world);
}

static void order_and_place_are_kept_and_nobody_starves_whatever_happens(void **state) {
    (void)state;
    run_world(true);
    run_world(false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_of_a_sequence_run_one_after_the_other),
        cmocka_unit_test(what_was_not_started_is_refused),
        cmocka_unit_test(a_direct_batch_has_a_place_for_each_slot_up_to_the_last_job),
        cmocka_unit_test(without_a_slot_sequences_wait_for_one_to_end_or_fall_idle),
        cmocka_unit_test(
            a_sequence_that_may_not_wait_longer_for_a_slot_is_dropped_with_all_its_jobs),
        cmocka_unit_test(idle_sequences_have_to_start_again),
        cmocka_unit_test(order_and_place_are_kept_and_nobody_starves_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
