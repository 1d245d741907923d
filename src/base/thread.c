/* Starting threads. */
#include "base/thread.h"

#include <pthread.h>
#include <signal.h>

bool hc_thread_start(void *(*run)(void *user), void *user) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pthread_t thread;
    int failure = pthread_create(&thread, NULL, run, user);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure == 0) {
        pthread_detach(thread);
    }
    return failure == 0;
}
