#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop.h"
#include "test.h"

/* A poller that follows a script, one letter a call of `poll`, and a journal of all calls. */
struct fixture {
    struct hc_loop *loop;
    char journal[256];
};

struct scripted {
    struct hc_poller poller;
    struct fixture *fixture;
    const char *script; /* f: found, -: nothing, d: deactivate, o: deactivate the other, s: stop */
    const char *arm_script; /* f: found, -: nothing, d: deactivate */
    struct scripted *other;
};

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    *state = fixture;
    return hc_loop_create(0, &fixture->loop, NULL) != HC_OK;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    hc_loop_destroy(fixture->loop);
    free(fixture);
    return 0;
}

static void note(struct fixture *fixture, const char *text) {
    size_t used = strlen(fixture->journal);
    size_t room = sizeof fixture->journal - used;
    assert_true((size_t)snprintf(fixture->journal + used, room, "%s", text) < room);
}

static struct scripted *scripted_of(struct hc_poller *poller) {
    return hc_list_item(poller, struct scripted, poller);
}

static bool act(struct scripted *scripted, char letter) {
    switch (letter) {
    case 'f':
        return true;
    case 'd':
        hc_poller_deactivate(&scripted->poller);
        return false;
    case 'o':
        hc_poller_deactivate(&scripted->other->poller);
        return false;
    case 's':
        hc_loop_stop(scripted->fixture->loop);
        return true;
    default:
        return false;
    }
}

static bool poll_scripted(struct hc_poller *poller) {
    struct scripted *scripted = scripted_of(poller);
    assert_false(poller->_armed);
    note(scripted->fixture, "p");
    return act(scripted, *scripted->script != '\0' ? *scripted->script++ : 's');
}

static bool arm_scripted(struct hc_poller *poller) {
    struct scripted *scripted = scripted_of(poller);
    note(scripted->fixture, "a");
    return act(scripted, *scripted->arm_script != '\0' ? *scripted->arm_script++ : 'f');
}

static void disarm_scripted(struct hc_poller *poller) {
    note(scripted_of(poller)->fixture, "d");
}

static struct scripted make_scripted(struct fixture *fixture, const char *script,
                                     const char *arm_script) {
    return (struct scripted){
        .poller = {.poll = poll_scripted, .arm = arm_scripted, .disarm = disarm_scripted},
        .fixture = fixture,
        .script = script,
        .arm_script = arm_script};
}

static void run_with(struct scripted *scripted) {
    struct fixture *fixture = scripted->fixture;
    hc_poller_activate(fixture->loop, &scripted->poller);
    hc_loop_run(fixture->loop);
    hc_poller_deactivate(&scripted->poller);
}

static void while_it_finds_work_the_loop_is_not_armed(void **state) {
    struct scripted scripted = make_scripted(*state, "ffff", "");
    run_with(&scripted);
    assert_string_equal(scripted.fixture->journal, "ppppp");
}

static void work_seen_while_arming_keeps_it_awake(void **state) {
    struct scripted scripted = make_scripted(*state, "--", "ff");
    run_with(&scripted);
    assert_string_equal(scripted.fixture->journal, "padpadp");
}

static void stop_on_due(struct hc_timer *timer) {
    hc_loop_stop(timer->_loop != NULL ? timer->_loop : hc_loop_current());
}

static void on_bell(struct hc_watch *watch, unsigned events) {
    (void)events;
    struct fixture *fixture = *(struct fixture **)(watch + 1);
    note(fixture, "w");
    hc_watch_stop(watch);
}

static void it_is_disarmed_before_what_woke_the_loop_is_called(void **state) {
    struct {
        struct hc_watch watch;
        struct fixture *fixture;
    } bell = {{.fd = eventfd(1, 0), .on_ready = on_bell}, *state};
    struct scripted scripted = make_scripted(*state, "-", "-");
    hc_watch_start(bell.fixture->loop, &bell.watch, HC_WATCH_READ, NULL);
    run_with(&scripted);
    assert_string_equal(scripted.fixture->journal, "padwp");
    close(bell.watch.fd);
}

static void one_that_deactivates_itself_is_left_alone(void **state) {
    struct fixture *fixture = *state;
    struct scripted scripted = make_scripted(fixture, "fd", "");
    struct hc_timer timer = {.on_due = stop_on_due};
    hc_timer_start(fixture->loop, &timer, hc_clock_ns() + HC_NS_PER_MS);
    run_with(&scripted);
    assert_string_equal(fixture->journal, "pp");
}

static void deactivating_while_arming_disarms(void **state) {
    struct fixture *fixture = *state;
    struct scripted scripted = make_scripted(fixture, "-", "d");
    struct hc_timer timer = {.on_due = stop_on_due};
    hc_timer_start(fixture->loop, &timer, hc_clock_ns() + HC_NS_PER_MS);
    run_with(&scripted);
    assert_string_equal(fixture->journal, "pad");
}

static void one_may_deactivate_the_next(void **state) {
    struct fixture *fixture = *state;
    struct scripted first = make_scripted(fixture, "os", "f");
    struct scripted second = make_scripted(fixture, "ffff", "");
    first.other = &second;
    hc_poller_activate(fixture->loop, &first.poller);
    hc_poller_activate(fixture->loop, &second.poller);
    hc_loop_run(fixture->loop);
    hc_poller_deactivate(&first.poller);
    assert_string_equal(fixture->journal, "padp");
}

struct counting_spin {
    struct hc_spin spin;
    struct fixture *fixture;
    uint64_t budget_ns;
};

static uint64_t begin_spin(struct hc_spin *spin) {
    struct counting_spin *counting = hc_list_item(spin, struct counting_spin, spin);
    note(counting->fixture, "(");
    return counting->budget_ns;
}

static void end_spin(struct hc_spin *spin, bool paid) {
    note(hc_list_item(spin, struct counting_spin, spin)->fixture, paid ? "+" : "-");
}

static void spin_woke(struct hc_spin *spin) {
    note(hc_list_item(spin, struct counting_spin, spin)->fixture, ")");
}

static struct counting_spin set_spin(struct fixture *fixture, uint64_t budget_ns) {
    return (struct counting_spin){
        .spin = {begin_spin, end_spin, spin_woke}, .fixture = fixture, .budget_ns = budget_ns};
}

static void spinning_polls_until_work_comes(void **state) {
    struct counting_spin spin = set_spin(*state, HC_NS_PER_S);
    struct scripted scripted = make_scripted(*state, "----f", "");
    hc_loop_set_spin(spin.fixture->loop, &spin.spin);
    run_with(&scripted);
    assert_string_equal(spin.fixture->journal, "p(pppp+)p");
}

static void without_a_budget_it_arms_at_once(void **state) {
    struct counting_spin spin = set_spin(*state, 0);
    struct scripted scripted = make_scripted(*state, "-", "f");
    hc_loop_set_spin(spin.fixture->loop, &spin.spin);
    run_with(&scripted);
    assert_string_equal(spin.fixture->journal, "p(ad)p");
}

static bool poll_nothing(struct hc_poller *poller) {
    (void)poller;
    return false;
}

static void a_spin_in_vain_ends_and_the_loop_sleeps(void **state) {
    struct counting_spin spin = set_spin(*state, 20 * HC_NS_PER_US);
    struct scripted scripted = make_scripted(*state, "", "-");
    struct hc_timer timer = {.on_due = stop_on_due};
    scripted.poller.poll = poll_nothing;
    hc_loop_set_spin(spin.fixture->loop, &spin.spin);
    hc_timer_start(spin.fixture->loop, &timer, hc_clock_ns() + 20 * HC_NS_PER_MS);
    run_with(&scripted);
    /* It wakes up a little before the timer is due, and may look again. */
    assert_memory_equal(spin.fixture->journal, "(-ad)", strlen("(-ad)"));
}

/* A spin whose budget is longer than any test may take: only what comes from outside ends it. */
static void spin_until_stopped(struct fixture *fixture) {
    struct counting_spin spin = set_spin(fixture, 3600 * HC_NS_PER_S);
    struct scripted scripted = make_scripted(fixture, "", "");
    scripted.poller.poll = poll_nothing;
    hc_loop_set_spin(fixture->loop, &spin.spin);
    run_with(&scripted);
    assert_string_equal(fixture->journal, "(+)");
}

static void a_timer_ends_a_spin(void **state) {
    struct fixture *fixture = *state;
    struct hc_timer timer = {.on_due = stop_on_due};
    hc_timer_start(fixture->loop, &timer, hc_clock_ns() + 50 * HC_NS_PER_US);
    spin_until_stopped(fixture);
}

static void on_bell_stop(struct hc_watch *watch, unsigned events) {
    (void)events;
    hc_loop_stop(watch->_loop);
    hc_watch_stop(watch);
}

static void a_socket_ends_a_spin(void **state) {
    struct fixture *fixture = *state;
    struct hc_watch bell = {.fd = eventfd(1, 0), .on_ready = on_bell_stop};
    hc_watch_start(fixture->loop, &bell, HC_WATCH_READ, NULL);
    spin_until_stopped(fixture);
    close(bell.fd);
}

static void *stop_from_elsewhere(void *arg) {
    struct fixture *fixture = arg;
    hc_loop_stop(fixture->loop);
    return NULL;
}

static void a_task_ends_a_spin(void **state) {
    struct fixture *fixture = *state;
    pthread_t thread;
    struct counting_spin spin = set_spin(fixture, 3600 * HC_NS_PER_S);
    struct scripted scripted = make_scripted(fixture, "", "");
    scripted.poller.poll = poll_nothing;
    hc_loop_set_spin(fixture->loop, &spin.spin);
    pthread_create(&thread, NULL, stop_from_elsewhere, fixture);
    run_with(&scripted); /* returns at all */
    pthread_join(thread, NULL);
}

static void nothing_active_never_spins(void **state) {
    struct counting_spin spin = set_spin(*state, HC_NS_PER_S);
    struct hc_timer timer = {.on_due = stop_on_due};
    hc_loop_set_spin(spin.fixture->loop, &spin.spin);
    hc_timer_start(spin.fixture->loop, &timer, hc_clock_ns() + HC_NS_PER_MS);
    hc_loop_run(spin.fixture->loop);
    assert_string_equal(spin.fixture->journal, "");
}

#define LOOP_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        LOOP_TEST(while_it_finds_work_the_loop_is_not_armed),
        LOOP_TEST(work_seen_while_arming_keeps_it_awake),
        LOOP_TEST(it_is_disarmed_before_what_woke_the_loop_is_called),
        LOOP_TEST(one_that_deactivates_itself_is_left_alone),
        LOOP_TEST(deactivating_while_arming_disarms),
        LOOP_TEST(one_may_deactivate_the_next),
        LOOP_TEST(spinning_polls_until_work_comes),
        LOOP_TEST(without_a_budget_it_arms_at_once),
        LOOP_TEST(a_spin_in_vain_ends_and_the_loop_sleeps),
        LOOP_TEST(a_timer_ends_a_spin),
        LOOP_TEST(a_socket_ends_a_spin),
        LOOP_TEST(a_task_ends_a_spin),
        LOOP_TEST(nothing_active_never_spins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
