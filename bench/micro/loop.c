/*
 * What an event loop costs: how late a timer of 100 microseconds is, what it costs to start, move
 * and stop one among 10,000, and how long a task takes to reach a sleeping loop.
 */
#include "net/loop.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"

enum { N_SAMPLES = 5000, N_TIMERS = 10000, N_ROUNDS = 100 };

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void print_quantiles(const char *what, uint64_t *samples) {
    qsort(samples, N_SAMPLES, sizeof *samples, compare);
    printf("%-32s median %6.1f us, 99 %% %6.1f us, worst %8.1f us\n", what,
           (double)samples[N_SAMPLES / 2] / 1e3, (double)samples[N_SAMPLES / 100 * 99] / 1e3,
           (double)samples[N_SAMPLES - 1] / 1e3);
}

struct bench {
    struct hc_loop *loop;
    struct hc_timer timer;
    struct hc_task task;
    uint64_t began_ns;
    size_t n;
    uint64_t samples[N_SAMPLES];
};

static void start_timer(struct bench *bench) {
    bench->began_ns = hc_clock_ns() + 100 * HC_NS_PER_US;
    hc_timer_start(bench->loop, &bench->timer, bench->began_ns);
}

static void on_due(struct hc_timer *timer) {
    struct bench *bench = hc_list_item(timer, struct bench, timer);
    bench->samples[bench->n++] = hc_clock_ns() - bench->began_ns;
    if (bench->n == N_SAMPLES) {
        hc_loop_stop(bench->loop);
    } else {
        start_timer(bench);
    }
}

static void measure_lateness(void) {
    struct bench *bench = hc_new(struct bench);
    hc_loop_create(0, &bench->loop, NULL);
    bench->timer.on_due = on_due;
    start_timer(bench);
    hc_loop_run(bench->loop);
    print_quantiles("lateness of a 100 us timer", bench->samples);
    hc_loop_destroy(bench->loop);
    free(bench);
}

static void run_sample(struct hc_task *task) {
    struct bench *bench = hc_list_item(task, struct bench, task);
    bench->samples[bench->n] = hc_clock_ns() - bench->began_ns;
    __atomic_store_n(&bench->n, bench->n + 1, __ATOMIC_RELEASE);
}

static void measure_post(void) {
    struct bench *bench = hc_new(struct bench);
    hc_loop_create(0, &bench->loop, NULL);
    hc_loop_start(bench->loop, "bench", NULL);
    bench->task.run = run_sample;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct timespec pause = {.tv_nsec = 50000}; /* so that the loop sleeps */
        nanosleep(&pause, NULL);
        bench->began_ns = hc_clock_ns();
        hc_loop_post(bench->loop, &bench->task);
        while (__atomic_load_n(&bench->n, __ATOMIC_ACQUIRE) == i) {
            nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
        }
    }
    hc_loop_stop(bench->loop);
    hc_loop_join(bench->loop);
    print_quantiles("a task to a sleeping loop", bench->samples);
    hc_loop_destroy(bench->loop);
    free(bench);
}

static uint64_t far_away(size_t i) {
    return UINT64_MAX / 2 + (i * UINT64_C(2654435761) & 0xffffff);
}

static void measure_timers(void) {
    struct hc_loop *loop;
    struct hc_timer *timers = hc_alloc_array(N_TIMERS, sizeof *timers);
    uint64_t start_ns = 0, later_ns = 0, earlier_ns = 0, stop_ns = 0;
    hc_loop_create(0, &loop, NULL);
    for (size_t round = 0; round < N_ROUNDS; round++) {
        uint64_t t0 = hc_clock_ns();
        for (size_t i = 0; i < N_TIMERS; i++) {
            hc_timer_start(loop, &timers[i], far_away(i));
        }
        uint64_t t1 = hc_clock_ns();
        for (size_t i = 0; i < N_TIMERS; i++) {
            hc_timer_start(loop, &timers[i], far_away(i) + 0x2000000);
        }
        uint64_t t2 = hc_clock_ns();
        for (size_t i = 0; i < N_TIMERS; i++) {
            hc_timer_start(loop, &timers[i], far_away(i) - 0x800000);
        }
        uint64_t t3 = hc_clock_ns();
        for (size_t i = 0; i < N_TIMERS; i++) {
            hc_timer_stop(&timers[i]);
        }
        uint64_t t4 = hc_clock_ns();
        start_ns += t1 - t0;
        later_ns += t2 - t1;
        earlier_ns += t3 - t2;
        stop_ns += t4 - t3;
    }
    double n = (double)N_ROUNDS * N_TIMERS;
    printf("a timer among %d: start %.0f ns, move later %.0f ns, move earlier %.0f ns, "
           "stop %.0f ns\n",
           N_TIMERS, (double)start_ns / n, (double)later_ns / n, (double)earlier_ns / n,
           (double)stop_ns / n);
    hc_loop_destroy(loop);
    free(timers);
}

int main(void) {
    measure_lateness();
    measure_post();
    measure_timers();
    return 0;
}
