/* Signals of a pyhost. */
#include "signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static const int numbers[] = {SIGINT, SIGTERM};

static _Thread_local sigset_t mask_before_fork;

static void ignore_signal(int number) {
    (void)number;
}

/* From here until the child has its own actions back, signals to it wait instead of being lost. */
static void before_fork(void) {
    sigset_t shrugged_off;
    sigemptyset(&shrugged_off);
    for (size_t i = 0; i < 2; i++) {
        sigaddset(&shrugged_off, numbers[i]);
    }
    pthread_sigmask(SIG_BLOCK, &shrugged_off, &mask_before_fork);
}

static void after_fork(void) {
    pthread_sigmask(SIG_SETMASK, &mask_before_fork, NULL);
}

static void after_fork_in_child(void) {
    for (size_t i = 0; i < 2; i++) {
        struct sigaction action;
        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler == ignore_signal) {
            signal(numbers[i], SIG_DFL);
        }
    }
    after_fork();
}

/* A handler, not SIG_IGN, which programs would inherit. */
void hc_signals_shrug_off(void) {
    static bool prepared;
    if (!prepared) {
        prepared = true;
        pthread_atfork(before_fork, after_fork, after_fork_in_child);
    }
    struct sigaction action = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART};
    for (size_t i = 0; i < 2; i++) {
        sigaction(numbers[i], &action, NULL);
    }
}
