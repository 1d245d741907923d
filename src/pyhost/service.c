/* The service thread. */
#include "service.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STACK_SIZE = 64 * 1024 };

static atomic_int thread_id;

int hc_service_thread(void) {
    return thread_id;
}

static void *watch_server(void *user) {
    thread_id = gettid();
    struct pollfd control = {.fd = (int)(intptr_t)user, .events = POLLRDHUP};
    while ((control.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) == 0) {
        if (poll(&control, 1, -1) < 0 && errno != EINTR) {
            break;
        }
    }
    kill(-getpid(), SIGKILL);
    _exit(1); /* where this process does not lead a group */
}

void hc_service_start(int control) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    if (pthread_create(&thread, &attributes, watch_server, (void *)(intptr_t)control) != 0) {
        fputs("hippocamp-pyhost: cannot start the service thread\n", stderr);
        exit(1);
    }
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
