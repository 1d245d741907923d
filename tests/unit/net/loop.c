#include "net/loop.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "test.h"

/* Every test has a loop of its own, which stops when the test's callbacks say so. */
struct fixture {
    struct hc_loop *loop;
    int pair[2];
    char text[64];
};

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    *state = fixture;
    return hc_loop_create(7, &fixture->loop, NULL) != HC_OK ||
           socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fixture->pair) != 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    hc_loop_destroy(fixture->loop);
    close(fixture->pair[0]);
    close(fixture->pair[1]);
    free(fixture);
    return 0;
}

static void note(struct fixture *fixture, char letter) {
    size_t size = strlen(fixture->text);
    assert_true(size + 1 < sizeof fixture->text);
    fixture->text[size] = letter;
}

/* A task, watch or timer that notes its letter, with what else it is to do. */
struct noter {
    struct hc_task task;
    struct hc_watch watch;
    struct hc_timer timer;
    struct fixture *fixture;
    char letter;
    int n_left; /* times to go on, then stop the loop */
    struct noter *other;
};

static void note_or_stop(struct noter *noter) {
    note(noter->fixture, noter->letter);
    if (noter->n_left-- == 0) {
        hc_loop_stop(noter->fixture->loop);
    }
}

static void run_noter(struct hc_task *task) {
    note_or_stop(hc_list_item(task, struct noter, task));
}

static struct noter make_noter(struct fixture *fixture, char letter, int n_left) {
    return (struct noter){
        .task.run = run_noter, .fixture = fixture, .letter = letter, .n_left = n_left};
}

static void tasks_run_in_the_order_posted(void **state) {
    struct fixture *fixture = *state;
    struct noter noters[4];
    for (size_t i = 0; i < N_ITEMS(noters); i++) {
        noters[i] = make_noter(fixture, (char)('a' + i), i == 3 ? 0 : 100);
        hc_loop_post(fixture->loop, &noters[i].task);
    }
    hc_loop_run(fixture->loop);
    assert_string_equal(fixture->text, "abcd");
}

static void run_poster(struct hc_task *task) {
    struct noter *noter = hc_list_item(task, struct noter, task);
    task->run = run_noter;
    hc_loop_post(noter->fixture->loop, task);
    note(noter->fixture, '(');
    note(noter->fixture, ')');
}

static void a_task_may_post_itself_and_never_runs_inside_another(void **state) {
    struct fixture *fixture = *state;
    struct noter noter = make_noter(fixture, 'x', 0);
    noter.task.run = run_poster;
    hc_loop_post(fixture->loop, &noter.task);
    hc_loop_run(fixture->loop);
    assert_string_equal(fixture->text, "()x");
}

enum { N_THREADS = 4, N_TASKS = 2000 };

struct counted {
    struct hc_task task;
    struct poster *poster;
    int number;
};

struct poster {
    pthread_t thread;
    struct hc_loop *loop;
    int n_run;
    int *n_done; /* of all posters; the loop's thread only */
    struct counted tasks[N_TASKS];
};

static void run_counted(struct hc_task *task) {
    struct counted *counted = hc_list_item(task, struct counted, task);
    assert_ptr_equal(hc_loop_current(), counted->poster->loop);
    assert_int_equal(counted->number, counted->poster->n_run);
    if (++counted->poster->n_run == N_TASKS && ++*counted->poster->n_done == N_THREADS) {
        hc_loop_stop(counted->poster->loop);
    }
}

static void *post_all(void *arg) {
    struct poster *poster = arg;
    for (int i = 0; i < N_TASKS; i++) {
        poster->tasks[i] = (struct counted){.task.run = run_counted, .poster = poster, .number = i};
        hc_loop_post(poster->loop, &poster->tasks[i].task);
    }
    return NULL;
}

static void many_threads_may_post(void **state) {
    struct fixture *fixture = *state;
    static struct poster posters[N_THREADS];
    int n_done = 0;
    assert_int_equal(hc_loop_start(fixture->loop, "a name longer than fifteen", NULL), HC_OK);
    for (size_t i = 0; i < N_THREADS; i++) {
        posters[i].loop = fixture->loop;
        posters[i].n_done = &n_done;
        pthread_create(&posters[i].thread, NULL, post_all, &posters[i]);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        pthread_join(posters[i].thread, NULL);
    }
    hc_loop_join(fixture->loop);
    assert_int_equal(n_done, N_THREADS);
}

static void stopping_before_it_runs_is_enough(void **state) {
    struct fixture *fixture = *state;
    assert_null(hc_loop_current());
    assert_int_equal(hc_loop_index(fixture->loop), 7);
    hc_loop_stop(fixture->loop);
    hc_loop_stop(fixture->loop);
    hc_loop_run(fixture->loop);
    assert_null(hc_loop_current());
}

static void on_readable(struct hc_watch *watch, unsigned events) {
    struct noter *noter = hc_list_item(watch, struct noter, watch);
    assert_true(events & HC_WATCH_READ);
    note_or_stop(noter);
}

static struct noter make_watcher(struct fixture *fixture, int n_left) {
    struct noter noter = make_noter(fixture, 'r', n_left);
    noter.watch = (struct hc_watch){.fd = fixture->pair[0], .on_ready = on_readable};
    return noter;
}

static void a_level_watch_repeats_while_readable(void **state) {
    struct fixture *fixture = *state;
    struct noter noter = make_watcher(fixture, 2);
    assert_int_equal(write(fixture->pair[1], "x", 1), 1);
    assert_int_equal(hc_watch_start(fixture->loop, &noter.watch, HC_WATCH_READ, NULL), HC_OK);
    hc_loop_run(fixture->loop);
    assert_string_equal(fixture->text, "rrr");
    hc_watch_stop(&noter.watch);
}

static void on_due_write(struct hc_timer *timer) {
    struct noter *noter = hc_list_item(timer, struct noter, timer);
    note(noter->fixture, 'w');
    assert_int_equal(write(noter->fixture->pair[1], "x", 1), 1);
}

static void an_edge_watch_tells_of_each_arrival_once(void **state) {
    struct fixture *fixture = *state;
    struct noter noter = make_watcher(fixture, 1);
    noter.timer.on_due = on_due_write;
    assert_int_equal(write(fixture->pair[1], "x", 1), 1);
    hc_watch_start(fixture->loop, &noter.watch, HC_WATCH_READ | HC_WATCH_EDGE, NULL);
    hc_timer_start(fixture->loop, &noter.timer, hc_clock_ns() + HC_NS_PER_MS);
    hc_loop_run(fixture->loop);
    assert_string_equal(fixture->text, "rwr");
    hc_watch_stop(&noter.watch);
}

static void on_ready_then_change(struct hc_watch *watch, unsigned events) {
    struct noter *noter = hc_list_item(watch, struct noter, watch);
    if (events & HC_WATCH_READ) {
        note(noter->fixture, 'r');
        hc_watch_change(watch, HC_WATCH_WRITE, NULL);
    } else {
        note(noter->fixture, 'w');
        hc_watch_stop(watch);
        hc_loop_stop(noter->fixture->loop);
    }
}

static void a_watch_may_be_changed_and_stopped_from_its_callback(void **state) {
    struct fixture *fixture = *state;
    struct noter *noter = malloc(sizeof *noter);
    *noter = make_watcher(fixture, 0);
    noter->watch.on_ready = on_ready_then_change;
    assert_int_equal(write(fixture->pair[1], "x", 1), 1);
    hc_watch_start(fixture->loop, &noter->watch, HC_WATCH_READ, NULL);
    hc_loop_run(fixture->loop);
    assert_string_equal(fixture->text, "rw");
    free(noter);
}

static void on_ready_stop_both(struct hc_watch *watch, unsigned events) {
    (void)events;
    struct noter *noter = hc_list_item(watch, struct noter, watch);
    note(noter->fixture, noter->letter);
    hc_watch_stop(&noter->other->watch);
    hc_watch_stop(watch);
    hc_loop_stop(noter->fixture->loop);
}

static void a_watch_stopped_by_another_is_not_called_though_ready(void **state) {
    struct fixture *fixture = *state;
    struct noter noters[2];
    for (size_t i = 0; i < 2; i++) {
        noters[i] = make_noter(fixture, 'r', 0);
        noters[i].watch = (struct hc_watch){.fd = fixture->pair[i], .on_ready = on_ready_stop_both};
        noters[i].other = &noters[1 - i];
        assert_int_equal(write(fixture->pair[1 - i], "x", 1), 1);
        hc_watch_start(fixture->loop, &noters[i].watch, HC_WATCH_READ, NULL);
    }
    hc_loop_run(fixture->loop);
    assert_string_equal(fixture->text, "r");
}

static void on_hangup(struct hc_watch *watch, unsigned events) {
    struct noter *noter = hc_list_item(watch, struct noter, watch);
    assert_int_equal(events, HC_WATCH_READ | HC_WATCH_HANGUP);
    note_or_stop(noter);
}

static void the_peers_last_word_is_a_hangup(void **state) {
    struct fixture *fixture = *state;
    struct noter noter = make_watcher(fixture, 0);
    noter.watch.on_ready = on_hangup;
    shutdown(fixture->pair[1], SHUT_WR);
    hc_watch_start(fixture->loop, &noter.watch, HC_WATCH_READ | HC_WATCH_HANGUP | HC_WATCH_EDGE,
                   NULL);
    hc_loop_run(fixture->loop);
    assert_string_equal(fixture->text, "r");
    hc_watch_stop(&noter.watch);
}

static void what_cannot_be_watched_is_an_error(void **state) {
    struct fixture *fixture = *state;
    struct hc_error error;
    struct hc_watch watch = {.fd = 1 << 20, .on_ready = on_readable};
    assert_int_equal(hc_watch_start(fixture->loop, &watch, HC_WATCH_READ, &error),
                     HC_RESOURCE_EXHAUSTED);
    assert_string_equal(error.message, "cannot watch a descriptor: Bad file descriptor");
    hc_watch_stop(&watch);
}

static void on_due(struct hc_timer *timer) {
    struct noter *noter = hc_list_item(timer, struct noter, timer);
    assert_false(hc_timer_started(timer));
    assert_true(hc_clock_ns() >= timer->_due_ns);
    note_or_stop(noter);
}

static void timers_are_called_in_order_and_never_early(void **state) {
    struct fixture *fixture = *state;
    static const int delays_us[] = {300, 100, 500, 200, 400};
    struct noter noters[5];
    uint64_t now_ns = hc_clock_ns();
    for (size_t i = 0; i < N_ITEMS(noters); i++) {
        noters[i] = make_noter(fixture, (char)('0' + delays_us[i] / 100), i == 2 ? 0 : 100);
        noters[i].timer.on_due = on_due;
        hc_timer_start(fixture->loop, &noters[i].timer,
                       now_ns + (uint64_t)delays_us[i] * HC_NS_PER_US);
    }
    hc_loop_run(fixture->loop);
    assert_string_equal(fixture->text, "12345");
}

static void timers_may_be_moved_and_stopped(void **state) {
    struct fixture *fixture = *state;
    struct noter noters[3];
    uint64_t now_ns = hc_clock_ns();
    for (size_t i = 0; i < N_ITEMS(noters); i++) {
        noters[i] = make_noter(fixture, (char)('a' + i), i == 0 ? 0 : 100);
        noters[i].timer.on_due = on_due;
        hc_timer_start(fixture->loop, &noters[i].timer, now_ns + 500 * HC_NS_PER_US);
    }
    hc_timer_start(fixture->loop, &noters[0].timer, now_ns + HC_NS_PER_MS);
    hc_timer_start(fixture->loop, &noters[1].timer, now_ns + 100 * HC_NS_PER_US);
    hc_timer_stop(&noters[2].timer);
    hc_timer_stop(&noters[2].timer);
    hc_loop_run(fixture->loop);
    assert_string_equal(fixture->text, "ba");
}

static void on_due_again(struct hc_timer *timer) {
    struct noter *noter = hc_list_item(timer, struct noter, timer);
    hc_timer_start(noter->fixture->loop, timer, 1);
    note_or_stop(noter);
}

static void a_timer_in_the_past_does_not_hold_up_the_loop(void **state) {
    struct fixture *fixture = *state;
    struct noter noter = make_noter(fixture, 't', 3);
    struct noter task = make_noter(fixture, 'x', 100);
    noter.timer.on_due = on_due_again;
    hc_loop_post(fixture->loop, &task.task);
    hc_timer_start(fixture->loop, &noter.timer, 1);
    hc_loop_run(fixture->loop);
    assert_string_equal(fixture->text, "txttt");
    hc_timer_stop(&noter.timer);
}

static void the_least_loaded_loop_is_found(void **state) {
    struct fixture *fixture = *state;
    struct hc_loop *loops[3] = {fixture->loop};
    assert_int_equal(hc_loop_create(1, &loops[1], NULL), HC_OK);
    assert_int_equal(hc_loop_create(2, &loops[2], NULL), HC_OK);
    assert_ptr_equal(hc_loop_least_loaded(loops, 3), loops[0]);
    hc_loop_add_load(loops[0], 2);
    hc_loop_add_load(loops[1], 1);
    hc_loop_add_load(loops[2], 3);
    assert_ptr_equal(hc_loop_least_loaded(loops, 3), loops[1]);
    hc_loop_add_load(loops[2], -3);
    assert_ptr_equal(hc_loop_least_loaded(loops, 3), loops[2]);
    hc_loop_destroy(loops[1]);
    hc_loop_destroy(loops[2]);
}

#define LOOP_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        LOOP_TEST(tasks_run_in_the_order_posted),
        LOOP_TEST(a_task_may_post_itself_and_never_runs_inside_another),
        LOOP_TEST(many_threads_may_post),
        LOOP_TEST(stopping_before_it_runs_is_enough),
        LOOP_TEST(a_level_watch_repeats_while_readable),
        LOOP_TEST(an_edge_watch_tells_of_each_arrival_once),
        LOOP_TEST(a_watch_may_be_changed_and_stopped_from_its_callback),
        LOOP_TEST(a_watch_stopped_by_another_is_not_called_though_ready),
        LOOP_TEST(the_peers_last_word_is_a_hangup),
        LOOP_TEST(what_cannot_be_watched_is_an_error),
        LOOP_TEST(timers_are_called_in_order_and_never_early),
        LOOP_TEST(timers_may_be_moved_and_stopped),
        LOOP_TEST(a_timer_in_the_past_does_not_hold_up_the_loop),
        LOOP_TEST(the_least_loaded_loop_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
