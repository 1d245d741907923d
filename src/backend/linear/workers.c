/*
 * Worker threads: as many as the server may use cores, for all models together. Each takes the
 * instance that has waited longest, runs one execution of it, and puts it back if it has more.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "channel/spin.h"
#include "internal.h"

struct worker {
    pthread_t thread;
    struct scratch scratch;
    struct hc_spinner spinner;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct hc_list ready; /* instances, by ready_link */
    atomic_size_t n_ready;
    bool stopping;
    struct worker *workers;
    size_t n_workers;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

void linear_workers_push(struct linear_instance *own) {
    pthread_mutex_lock(&pool.lock);
    hc_list_append(&pool.ready, &own->ready_link);
    atomic_fetch_add_explicit(&pool.n_ready, 1, memory_order_relaxed);
    pthread_cond_signal(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
}

/* Look for a while without the lock, so that a busy model's work is taken up at once. */
static void spin(struct worker *worker) {
    uint64_t now_ns = hc_clock_ns();
    uint64_t end_ns = now_ns + hc_spin_begin(&worker->spinner, now_ns);
    while (now_ns < end_ns && atomic_load_explicit(&pool.n_ready, memory_order_relaxed) == 0) {
        sched_yield();
        now_ns = hc_clock_ns();
    }
    hc_spin_stop(&worker->spinner);
}

/* The next instance to run; NULL: the end. */
static struct linear_instance *next_instance(struct worker *worker) {
    pthread_mutex_lock(&pool.lock);
    bool waits = hc_list_empty(&pool.ready) && !pool.stopping;
    if (waits) {
        pthread_mutex_unlock(&pool.lock);
        spin(worker);
        pthread_mutex_lock(&pool.lock);
    }
    while (hc_list_empty(&pool.ready) && !pool.stopping) {
        pthread_cond_wait(&pool.wake, &pool.lock);
    }
    struct hc_list *link = hc_list_pop(&pool.ready);
    if (link != NULL) {
        atomic_fetch_sub_explicit(&pool.n_ready, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&pool.lock);
    if (waits) {
        hc_spin_end(&worker->spinner, hc_clock_ns());
    }
    return link == NULL ? NULL : hc_list_item(link, struct linear_instance, ready_link);
}

static void *run_worker(void *user) {
    struct worker *worker = user;
    struct linear_instance *own;
    bool in_place;
    while ((own = next_instance(worker)) != NULL) {
        if (linear_run_one(own, &worker->scratch, false, &in_place)) {
            linear_workers_push(own);
        }
    }
    return NULL;
}

static enum hc_code start_worker(struct hc_server *server, size_t index, struct hc_error *error) {
    struct worker *worker = &pool.workers[index];
    char name[32];
    worker->spinner.board = (void *)server->spin_board.base;
    int result = pthread_create(&worker->thread, NULL, run_worker, worker);
    if (result != 0) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "a worker thread does not start: %s",
                            strerror(result));
    }
    snprintf(name, sizeof name, "linear-%zu", index);
    name[15] = '\0'; /* the kernel takes no more */
    pthread_setname_np(worker->thread, name);
    pool.n_workers++;
    return HC_OK;
}

enum hc_code linear_workers_start(struct hc_server *server, struct hc_error *error) {
    if (pool.workers != NULL) {
        return HC_OK;
    }
    hc_list_init(&pool.ready);
    unsigned n = hc_spin_usable_cores();
    pool.workers = hc_alloc_array(n, sizeof *pool.workers);
    for (size_t i = 0; i < n; i++) {
        HC_TRY(start_worker(server, i, error));
    }
    return HC_OK;
}

void linear_workers_stop(void) {
    pthread_mutex_lock(&pool.lock);
    pool.stopping = true;
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
    for (size_t i = 0; i < pool.n_workers; i++) {
        pthread_join(pool.workers[i].thread, NULL);
        scratch_finish(&pool.workers[i].scratch);
    }
    free(hc_take(pool.workers));
    pool.n_workers = 0;
}
