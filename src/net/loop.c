/* Event loops: their lives, their threads and what a turn consists of. */
#include "net/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "loop_internal.h"

/* What falling asleep and coming back takes on common machines: at least, and after a long sleep,
 * which is a deep one. */
static const uint64_t wake_up_ns = 50 * HC_NS_PER_US;
static const uint64_t deep_wake_up_ns = 150 * HC_NS_PER_US;
static const uint64_t deep_ns = 5 * HC_NS_PER_MS;

static _Thread_local struct hc_loop *current;

struct hc_loop *hc_loop_current(void) {
    return current;
}

unsigned hc_loop_index(const struct hc_loop *loop) {
    return loop->index;
}

uint64_t hc_loop_now_ns(const struct hc_loop *loop) {
    return loop->now_ns;
}

/* The bell and the alarm only end the wait; what they stand for is looked at in every turn. */
static void on_bell(struct hc_watch *watch, unsigned events) {
    (void)watch;
    (void)events;
}

static void on_alarm(struct hc_watch *watch, unsigned events) {
    (void)events;
    watch->_loop->alarm_due_ns = UINT64_MAX;
}

static void run_stop(struct hc_task *task) {
    hc_list_item(task, struct hc_loop, stop_task)->stopped = true;
}

static enum hc_code watch_own(struct hc_loop *loop, struct hc_watch *watch, int fd,
                              void (*on_ready)(struct hc_watch *, unsigned),
                              struct hc_error *error) {
    if (fd < 0) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "cannot create an event loop: %s",
                            strerror(errno));
    }
    watch->fd = fd;
    watch->on_ready = on_ready;
    return hc_watch_start(loop, watch, HC_WATCH_READ | HC_WATCH_EDGE, error);
}

static enum hc_code set_up(struct hc_loop *loop, struct hc_error *error) {
    HC_TRY(hc_loop_base_create(&loop->base, error));
    HC_TRY(watch_own(loop, &loop->bell, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), on_bell, error));
    return watch_own(loop, &loop->alarm,
                     timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), on_alarm, error);
}

enum hc_code hc_loop_create(unsigned index, struct hc_loop **loop, struct hc_error *error) {
    struct hc_loop *created = hc_new(struct hc_loop);
    created->index = index;
    created->now_ns = hc_clock_ns();
    created->alarm_due_ns = UINT64_MAX;
    created->bell.fd = -1;
    created->alarm.fd = -1;
    created->stop_task.run = run_stop;
    hc_list_init(&created->pollers);
    enum hc_code code = set_up(created, error);
    if (code != HC_OK) {
        hc_loop_destroy(created);
        return code;
    }
    *loop = created;
    return HC_OK;
}

void hc_loop_destroy(struct hc_loop *loop) {
    if (loop == NULL) {
        return;
    }
    hc_watch_stop(&loop->bell);
    hc_watch_stop(&loop->alarm);
    hc_fd_close(loop->bell.fd);
    hc_fd_close(loop->alarm.fd);
    hc_loop_base_destroy(loop->base);
    hc_timers_finish(&loop->timers);
    free(loop);
}

static void run_timers(struct hc_loop *loop) {
    size_t n_looks = hc_timers_count(&loop->timers);
    struct hc_timer *timer;
    while ((timer = hc_timers_pop(&loop->timers, loop->now_ns, &n_looks)) != NULL) {
        timer->_loop = NULL;
        timer->on_due(timer);
    }
}

static void run_tasks(struct hc_loop *loop) {
    struct hc_task *task = hc_inbox_take(&loop->inbox);
    while (task != NULL) {
        struct hc_task *next = task->_next;
        task->run(task);
        task = next;
    }
}

/*
 * Have the alarm end the sleep in time; false when a timer is due so soon that sleep does not pay.
 * A timerfd knows no slack, but a core that sleeps needs tens of microseconds to come back: the
 * alarm goes off that much early, and if it was quicker the loop turns until the time has come.
 */
static bool set_alarm(struct hc_loop *loop) {
    uint64_t next_ns = hc_timers_next_ns(&loop->timers);
    if (next_ns >= loop->alarm_due_ns) {
        return true; /* a needless wake-up at worst */
    }
    uint64_t now_ns = hc_clock_ns();
    if (next_ns <= now_ns + wake_up_ns) {
        return false;
    }
    uint64_t alarm_ns = next_ns - (next_ns - now_ns < deep_ns ? wake_up_ns : deep_wake_up_ns);
    struct itimerspec when = {.it_value = {.tv_sec = (time_t)(alarm_ns / HC_NS_PER_S),
                                           .tv_nsec = (long)(alarm_ns % HC_NS_PER_S)}};
    if (timerfd_settime(loop->alarm.fd, TFD_TIMER_ABSTIME, &when, NULL) != 0) {
        return false;
    }
    loop->alarm_due_ns = next_ns;
    return true;
}

/* Tell all who may bring work that they must wake the loop; false when there is some already. */
static bool fall_asleep(struct hc_loop *loop) {
    loop->asleep = true;
    return set_alarm(loop) && hc_loop_arm(loop) && hc_inbox_sleep(&loop->inbox);
}

void hc_loop_wait_ended(struct hc_loop *loop) {
    if (loop->waited) {
        return;
    }
    loop->waited = true;
    loop->now_ns = hc_clock_ns();
    if (loop->asleep) {
        loop->asleep = false;
        hc_inbox_wake(&loop->inbox);
        hc_loop_disarm(loop);
    }
    if (loop->spin_waits) {
        loop->spin_waits = false;
        if (loop->spin->woke != NULL) {
            loop->spin->woke(loop->spin);
        }
    }
}

static void turn(struct hc_loop *loop) {
    run_timers(loop);
    bool found = hc_loop_poll(loop);
    run_tasks(loop);
    if (loop->stopped) {
        return;
    }
    found = found || hc_loop_spin(loop);
    hc_loop_look(loop, !found && fall_asleep(loop));
}

void hc_loop_run(struct hc_loop *loop) {
    current = loop;
    while (!loop->stopped) {
        turn(loop);
    }
    current = NULL;
}

static void *run_thread(void *arg) {
    hc_loop_run(arg);
    return NULL;
}

enum hc_code hc_loop_start(struct hc_loop *loop, const char *name, struct hc_error *error) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&loop->thread, NULL, run_thread, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "cannot start thread '%s': %s", name,
                            strerror(result));
    }
    loop->has_thread = true;
    char short_name[16];
    strncpy(short_name, name, sizeof short_name - 1);
    short_name[sizeof short_name - 1] = '\0';
    pthread_setname_np(loop->thread, short_name);
    return HC_OK;
}

void hc_loop_join(struct hc_loop *loop) {
    if (loop->has_thread) {
        pthread_join(loop->thread, NULL);
        loop->has_thread = false;
    }
}

void hc_loop_post(struct hc_loop *loop, struct hc_task *task) {
    if (hc_inbox_push(&loop->inbox, task)) {
        eventfd_write(loop->bell.fd, 1);
    }
}

void hc_loop_stop(struct hc_loop *loop) {
    if (!atomic_exchange(&loop->stopping, true)) {
        hc_loop_post(loop, &loop->stop_task);
    }
}

void hc_timer_start(struct hc_loop *loop, struct hc_timer *timer, uint64_t due_ns) {
    if (timer->_loop == NULL) {
        timer->_loop = loop;
        hc_timers_add(&loop->timers, timer, due_ns);
    } else {
        hc_timers_move(&loop->timers, timer, due_ns);
    }
}

void hc_timer_stop(struct hc_timer *timer) {
    if (timer->_loop != NULL) {
        hc_timers_remove(&timer->_loop->timers, timer);
        timer->_loop = NULL;
    }
}

void hc_loop_add_load(struct hc_loop *loop, int difference) {
    atomic_fetch_add_explicit(&loop->load, (unsigned)difference, memory_order_relaxed);
}

unsigned hc_loop_load(const struct hc_loop *loop) {
    return atomic_load_explicit(&loop->load, memory_order_relaxed);
}

struct hc_loop *hc_loop_least_loaded(struct hc_loop *const *loops, size_t n_loops) {
    struct hc_loop *least = loops[0];
    for (size_t i = 1; i < n_loops; i++) {
        if (hc_loop_load(loops[i]) < hc_loop_load(least)) {
            least = loops[i];
        }
    }
    return least;
}
