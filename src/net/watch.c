/* Readiness of descriptors, by libevent, which is seen in this file and nowhere else. */
#include <event2/event.h>
#include <event2/event_struct.h>

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "loop_internal.h"

_Static_assert(sizeof(struct event) <= HC_WATCH_EVENT_SIZE, "no room for libevent's struct");
_Static_assert(_Alignof(struct event) <= 16, "libevent's struct needs more alignment");

static void on_libevent_message(int severity, const char *message) {
    if (severity == EVENT_LOG_ERR) {
        hc_log_error("libevent: %s", message);
    } else if (severity != EVENT_LOG_DEBUG) {
        hc_log_warning("libevent: %s", message);
    }
}

static void log_through_ours(void) {
    event_set_log_callback(on_libevent_message);
}

enum hc_code hc_loop_base_create(struct event_base **base, struct hc_error *error) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, log_through_ours);
    struct event_config *config = event_config_new();
    struct event_base *created = NULL;
    if (config != NULL) {
        event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
        /* One thread a base, and no timers in it: no locks and no reading of clocks. */
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV |
                                          EVENT_BASE_FLAG_NO_CACHE_TIME);
        created = event_base_new_with_config(config);
        event_config_free(config);
    }
    if (created == NULL) {
        return hc_error_set(error, HC_INTERNAL, "cannot create an event loop: %s", strerror(errno));
    }
    *base = created;
    return HC_OK;
}

void hc_loop_base_destroy(struct event_base *base) {
    if (base != NULL) {
        event_base_free(base);
    }
}

void hc_loop_look(struct hc_loop *loop, bool may_sleep) {
    loop->waited = false;
    event_base_loop(loop->base, may_sleep ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK);
    hc_loop_wait_ended(loop);
}

static struct event *event_of(struct hc_watch *watch) {
    return (struct event *)watch->_event;
}

static void on_event(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    struct hc_watch *watch = arg;
    hc_loop_wait_ended(watch->_loop);
    watch->_loop->n_calls++;
    watch->on_ready(watch, (what & EV_READ ? HC_WATCH_READ : 0u) |
                               (what & EV_WRITE ? HC_WATCH_WRITE : 0u) |
                               (what & EV_CLOSED ? HC_WATCH_HANGUP : 0u));
}

enum hc_code hc_watch_start(struct hc_loop *loop, struct hc_watch *watch, unsigned events,
                            struct hc_error *error) {
    short what =
        (short)(EV_PERSIST | (events & HC_WATCH_READ ? EV_READ : 0) |
                (events & HC_WATCH_WRITE ? EV_WRITE : 0) |
                (events & HC_WATCH_HANGUP ? EV_CLOSED : 0) | (events & HC_WATCH_EDGE ? EV_ET : 0));
    if (event_assign(event_of(watch), loop->base, watch->fd, what, on_event, watch) != 0 ||
        event_add(event_of(watch), NULL) != 0) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "cannot watch a descriptor: %s",
                            strerror(errno));
    }
    watch->_loop = loop;
    return HC_OK;
}

enum hc_code hc_watch_change(struct hc_watch *watch, unsigned events, struct hc_error *error) {
    struct hc_loop *loop = watch->_loop;
    hc_watch_stop(watch);
    return hc_watch_start(loop, watch, events, error);
}

void hc_watch_stop(struct hc_watch *watch) {
    if (watch->_loop != NULL) {
        event_del(event_of(watch));
        watch->_loop = NULL;
    }
}
