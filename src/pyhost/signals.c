/* Signals of a pyhost. */
#include "signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static const int numbers[] = {SIGINT, SIGTERM};

static void ignore_signal(int number) {
    (void)number;
}

static void restore(void) {
    for (size_t i = 0; i < 2; i++) {
        struct sigaction action;
        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler == ignore_signal) {
            signal(numbers[i], SIG_DFL);
        }
    }
}

/* A handler, not SIG_IGN, which programs would inherit. */
void hc_signals_shrug_off(void) {
    static bool prepared;
    if (!prepared) {
        prepared = true;
        pthread_atfork(NULL, NULL, restore);
    }
    struct sigaction action = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART};
    for (size_t i = 0; i < 2; i++) {
        sigaction(numbers[i], &action, NULL);
    }
}
