#include "sched/limiter.h"

#include <string.h>

#include "test.h"

static const struct hc_limiter_need one_of_r[] = {{"R", 1, false}};
static const struct hc_limiter_need four_of_r[] = {{"R", 4, false}};
static const struct hc_limiter_need one_of_all[] = {{"G", 1, true}};
static const struct hc_limiter_need some_of_both[] = {{"R", 2, false}, {"S", 1, false}};

static struct hc_limiter_member member(const struct hc_limiter_need *needs, size_t n_needs,
                                       int device, uint32_t priority) {
    return (struct hc_limiter_member){
        .needs = needs, .n_needs = n_needs, .device = device, .priority = priority};
}

static void join(struct hc_limiter *limiter, struct hc_limiter_member *members, size_t n) {
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(hc_limiter_join(limiter, &members[i], NULL), HC_OK);
    }
}

static void leave(struct hc_limiter *limiter, struct hc_limiter_member *members, size_t n) {
    for (size_t i = 0; i < n; i++) {
        hc_limiter_leave(limiter, &members[i]);
    }
    hc_limiter_finish(limiter);
}

static void without_limits_there_is_what_the_largest_needs(void **state) {
    (void)state;
    struct hc_limiter limiter;
    struct hc_limiter_member members[] = {member(four_of_r, 1, 0, 0), member(one_of_r, 1, 0, 0),
                                          member(one_of_r, 1, 0, 0)};
    hc_limiter_init(&limiter, NULL, 0);
    join(&limiter, members, 3);
    for (size_t i = 0; i < 3; i++) {
        hc_limiter_wait(&limiter, &members[i]);
    }
    assert_ptr_equal(hc_limiter_next(&limiter), &members[0]);
    assert_null(hc_limiter_next(&limiter));
    hc_limiter_done(&limiter, &members[0], true);
    assert_ptr_equal(hc_limiter_next(&limiter), &members[1]);
    assert_ptr_equal(hc_limiter_next(&limiter), &members[2]);
    hc_limiter_done(&limiter, &members[1], true);
    hc_limiter_done(&limiter, &members[2], true);
    leave(&limiter, members, 3);
}

static void each_device_has_resources_of_its_own_unless_they_are_global(void **state) {
    (void)state;
    const struct {
        const struct hc_limiter_need *needs;
        size_t n_at_a_time;
    } rows[] = {{one_of_r, 2}, {one_of_all, 1}};
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct hc_limiter limiter;
        struct hc_limiter_member members[] = {member(rows[i].needs, 1, 0, 0),
                                              member(rows[i].needs, 1, 1, 0)};
        size_t n = 0;
        hc_limiter_init(&limiter, NULL, 0);
        join(&limiter, members, 2);
        hc_limiter_wait(&limiter, &members[0]);
        hc_limiter_wait(&limiter, &members[1]);
        while (hc_limiter_next(&limiter) != NULL) {
            n++;
        }
        assert_int_equal(n, rows[i].n_at_a_time);
        for (size_t j = 0; j < 2; j++) {
            if (members[j].state == HC_LIMITER_RUNNING) {
                hc_limiter_done(&limiter, &members[j], true);
            } else {
                hc_limiter_give_up(&limiter, &members[j]);
            }
        }
        leave(&limiter, members, 2);
    }
}

static void what_can_never_run_is_refused(void **state) {
    (void)state;
    static char r[] = "R";
    static char g[] = "G";
    static const struct hc_limiter_limit limits[] = {{r, 3, -1}, {r, 9, 1}, {g, 1, 0}};
    static const struct hc_limiter_need r_of_all[] = {{"R", 1, true}};
    static const struct hc_limiter_need many_of_all[] = {{"G", 2, true}};
    const struct {
        size_t n_limits;
        const struct hc_limiter_need *needs;
        int device;
        const char *message; /* NULL: none */
    } rows[] = {
        {0, four_of_r, 0, NULL},
        {N_ITEMS(limits), four_of_r, 1, NULL},
        {N_ITEMS(limits), four_of_r, 0,
         "Resource count for \"R\" is limited to 3 which will prevent scheduling of one or more "
         "model instances, the minimum required count is 4"},
        {N_ITEMS(limits), one_of_all, 7, NULL},
        {N_ITEMS(limits), many_of_all, 0,
         "Resource count for \"G\" is limited to 1 which will prevent scheduling of one or more "
         "model instances, the minimum required count is 2"},
        {0, r_of_all, 0,
         "Resource \"R\" is present as both global and device-specific resource in the model "
         "configuration."},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct hc_limiter limiter;
        struct hc_limiter_member first = member(one_of_r, 1, 0, 0);
        struct hc_limiter_member second = member(rows[i].needs, 1, rows[i].device, 0);
        struct hc_error error = {0};
        hc_limiter_init(&limiter, limits, rows[i].n_limits);
        join(&limiter, &first, 1);
        enum hc_code code = hc_limiter_join(&limiter, &second, &error);
        assert_int_equal(code, rows[i].message == NULL ? HC_OK : HC_INVALID_ARGUMENT);
        if (code == HC_OK) {
            hc_limiter_leave(&limiter, &second);
        } else {
            assert_string_equal(error.message, rows[i].message);
        }
        leave(&limiter, &first, 1);
    }
}

static void one_that_waits_holds_up_only_those_that_need_the_same(void **state) {
    (void)state;
    struct hc_limiter limiter;
    struct hc_limiter_member members[] = {member(one_of_r, 1, 0, 0), member(four_of_r, 1, 0, 0),
                                          member(one_of_r, 1, 0, 0), member(one_of_all, 1, 0, 0)};
    hc_limiter_init(&limiter, NULL, 0);
    join(&limiter, members, 4);
    hc_limiter_wait(&limiter, &members[0]);
    assert_ptr_equal(hc_limiter_next(&limiter), &members[0]);
    for (size_t i = 1; i < 4; i++) {
        hc_limiter_wait(&limiter, &members[i]);
    }
    assert_ptr_equal(hc_limiter_next(&limiter), &members[3]);
    assert_null(hc_limiter_next(&limiter));
    hc_limiter_done(&limiter, &members[0], true);
    assert_ptr_equal(hc_limiter_next(&limiter), &members[1]);
    assert_null(hc_limiter_next(&limiter));
    hc_limiter_done(&limiter, &members[1], true);
    hc_limiter_done(&limiter, &members[3], true);
    assert_ptr_equal(hc_limiter_next(&limiter), &members[2]);
    hc_limiter_done(&limiter, &members[2], false);
    leave(&limiter, members, 4);
}

static void priorities_divide_the_runs(void **state) {
    (void)state;
    enum { N_RUNS = 6000 };
    struct hc_limiter limiter;
    struct hc_limiter_member members[] = {member(one_of_r, 1, 0, 0), member(one_of_r, 1, 0, 2),
                                          member(one_of_r, 1, 0, 3)};
    size_t n_runs[3] = {0};
    hc_limiter_init(&limiter, NULL, 0);
    join(&limiter, members, 3);
    for (size_t i = 0; i < 3; i++) {
        hc_limiter_wait(&limiter, &members[i]);
    }
    for (size_t i = 0; i < N_RUNS; i++) {
        struct hc_limiter_member *next = hc_limiter_next(&limiter);
        n_runs[next - members]++;
        hc_limiter_done(&limiter, next, true);
        hc_limiter_wait(&limiter, next);
    }
    assert_in_range(n_runs[0], N_RUNS * 6 / 11 - 2, N_RUNS * 6 / 11 + 2);
    assert_in_range(n_runs[1], N_RUNS * 3 / 11 - 2, N_RUNS * 3 / 11 + 2);
    assert_in_range(n_runs[2], N_RUNS * 2 / 11 - 2, N_RUNS * 2 / 11 + 2);
    for (size_t i = 0; i < 3; i++) {
        hc_limiter_give_up(&limiter, &members[i]);
    }
    leave(&limiter, members, 3);
}

/* ---- Any order of events ---- */

enum { N_MEMBERS = 40, N_STEPS = 3000000, MOST_OVERTAKES = 4 * N_MEMBERS };

static uint64_t random_state = 88172645463325252u;

static uint32_t next_random(uint32_t n) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % n;
}

struct world {
    struct hc_limiter limiter;
    struct hc_limiter_member members[N_MEMBERS];
    bool joined[N_MEMBERS];
    unsigned n_overtakes[N_MEMBERS]; /* runs, since it began to wait, of what it waits for */
    uint64_t n_runs;
};

/* What runs uses of resource R, S or G, on DEVICE or (G) on all. */
static uint64_t used(const struct world *world, const char *resource, int device) {
    uint64_t sum = 0;
    for (size_t i = 0; i < N_MEMBERS; i++) {
        const struct hc_limiter_member *member = &world->members[i];
        if (!world->joined[i] || member->state != HC_LIMITER_RUNNING ||
            (device >= 0 && member->device != device)) {
            continue;
        }
        for (size_t j = 0; j < member->n_needs; j++) {
            sum += strcmp(member->needs[j].resource, resource) == 0 ? member->needs[j].count : 0;
        }
    }
    return sum;
}

static void assert_within_limits(const struct world *world) {
    assert_true(used(world, "G", -1) <= 3);
    for (int device = 0; device < 2; device++) {
        assert_true(used(world, "R", device) <= 5);
        assert_true(used(world, "S", device) <= 1);
    }
}

static bool competes(const struct hc_limiter_member *a, const struct hc_limiter_member *b) {
    for (size_t i = 0; i < a->n_needs; i++) {
        for (size_t j = 0; j < b->n_needs; j++) {
            if (a->_pools[i] == b->_pools[j]) {
                return true;
            }
        }
    }
    return false;
}

static void grant(struct world *world) {
    struct hc_limiter_member *next;
    while ((next = hc_limiter_next(&world->limiter)) != NULL) {
        assert_int_equal(next->state, HC_LIMITER_RUNNING);
        world->n_runs++;
        for (size_t i = 0; i < N_MEMBERS; i++) {
            bool waits = world->joined[i] && world->members[i].state == HC_LIMITER_WAITING;
            bool overtakes = waits && competes(next, &world->members[i]);
            world->n_overtakes[i] += overtakes ? 1 : 0;
            assert_true(world->n_overtakes[i] < MOST_OVERTAKES);
        }
    }
}

static void step_joined(struct world *world, size_t i) {
    struct hc_limiter_member *one = &world->members[i];
    switch (one->state) {
    case HC_LIMITER_IDLE:
        if (next_random(20) == 0) {
            hc_limiter_leave(&world->limiter, one);
            world->joined[i] = false;
        } else {
            world->n_overtakes[i] = 0;
            hc_limiter_wait(&world->limiter, one);
        }
        break;
    case HC_LIMITER_WAITING:
        if (next_random(20) == 0) {
            hc_limiter_give_up(&world->limiter, one);
        }
        break;
    case HC_LIMITER_RUNNING:
        hc_limiter_done(&world->limiter, one, next_random(8) != 0);
        break;
    }
}

static void join_any(struct world *world, size_t i) {
    static const struct {
        const struct hc_limiter_need *needs;
        size_t n_needs;
    } kinds[] = {{one_of_r, 1}, {four_of_r, 1}, {one_of_all, 1}, {some_of_both, 2}, {NULL, 0}};
    size_t kind = next_random(N_ITEMS(kinds));
    world->members[i] =
        member(kinds[kind].needs, kinds[kind].n_needs, (int)next_random(2), next_random(4));
    assert_int_equal(hc_limiter_join(&world->limiter, &world->members[i], NULL), HC_OK);
    world->joined[i] = true;
}

/* Ends what runs until nobody waits any more. */
static void end_all(struct world *world) {
    for (size_t i = 0; i < N_MEMBERS * N_MEMBERS; i++) {
        struct hc_limiter_member *one = &world->members[i % N_MEMBERS];
        if (world->joined[i % N_MEMBERS] && one->state == HC_LIMITER_RUNNING) {
            hc_limiter_done(&world->limiter, one, true);
            grant(world);
        }
    }
    for (size_t i = 0; i < N_MEMBERS; i++) {
        if (world->joined[i]) {
            assert_int_equal(world->members[i].state, HC_LIMITER_IDLE);
            hc_limiter_leave(&world->limiter, &world->members[i]);
        }
    }
}

static void limits_hold_and_nobody_starves_whatever_happens(void **state) {
    (void)state;
    static char r[] = "R";
    static char s[] = "S";
    static char g[] = "G";
    static const struct hc_limiter_limit limits[] = {{r, 5, -1}, {s, 1, -1}, {g, 3, -1}};
    static struct world world;
    hc_limiter_init(&world.limiter, limits, N_ITEMS(limits));
    for (size_t i = 0; i < N_STEPS; i++) {
        size_t one = next_random(N_MEMBERS);
        if (world.joined[one]) {
            step_joined(&world, one);
        } else {
            join_any(&world, one);
        }
        grant(&world);
        if (i % 64 == 0) {
            assert_within_limits(&world);
        }
    }
    assert_true(world.n_runs > N_STEPS / 10);
    end_all(&world);
    hc_limiter_finish(&world.limiter);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limits_there_is_what_the_largest_needs),
        cmocka_unit_test(each_device_has_resources_of_its_own_unless_they_are_global),
        cmocka_unit_test(what_can_never_run_is_refused),
        cmocka_unit_test(one_that_waits_holds_up_only_those_that_need_the_same),
        cmocka_unit_test(priorities_divide_the_runs),
        cmocka_unit_test(limits_hold_and_nobody_starves_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
