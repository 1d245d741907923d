#include "signals.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

enum { TIMEOUT_S = 5 };

static void signals_do_nothing(void **state) {
    (void)state;
    hc_signals_shrug_off();
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(raise(SIGINT), 0);
}

/* Also in its first moments: a pool of workers may be made and terminated at once. */
static void a_child_can_be_ended_at_any_time(void **state) {
    (void)state;
    hc_signals_shrug_off();
    for (int i = 0; i < 500; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            alarm(TIMEOUT_S);
            pause();
            _exit(1);
        }
        int status;
        assert_int_equal(kill(child, SIGTERM), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGTERM);
    }
}

static void forking_leaves_the_mask_of_signals_as_it_was(void **state) {
    (void)state;
    sigset_t before;
    sigset_t after;
    hc_signals_shrug_off();
    sigemptyset(&before);
    sigaddset(&before, SIGINT);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    pid_t child = fork();
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    if (child == 0) {
        _exit(sigismember(&after, SIGINT) == 1 && sigismember(&after, SIGTERM) == 0 ? 0 : 1);
    }
    assert_true(sigismember(&after, SIGINT) == 1 && sigismember(&after, SIGTERM) == 0);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    sigemptyset(&before);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_do_nothing),
        cmocka_unit_test(a_child_can_be_ended_at_any_time),
        cmocka_unit_test(forking_leaves_the_mask_of_signals_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
