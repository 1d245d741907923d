/* A listening TCP socket, whose connections are spread over loops. */
#include "net/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

enum { MAX_ACCEPTS = 64 /* a turn */ };

static const uint64_t pause_ns = 100 * HC_NS_PER_MS;

struct hc_listener {
    struct hc_listener_config config;
    struct hc_address address;
    struct hc_watch watch;
    struct hc_timer pause;
    struct hc_task start;
    bool starved; /* the lack of descriptors was logged */
    struct hc_loop *loops[];
};

/* A connection on its way to another loop. */
struct handover {
    struct hc_task task;
    void (*on_accept)(void *data, struct hc_loop *loop, int fd, const struct hc_address *peer);
    void *data;
    struct hc_loop *loop;
    int fd;
    struct hc_address peer;
};

static void run_handover(struct hc_task *task) {
    struct handover *handover = hc_list_item(task, struct handover, task);
    handover->on_accept(handover->data, handover->loop, handover->fd, &handover->peer);
    free(handover);
}

void hc_listener_adopt(struct hc_listener *listener, int fd, const struct hc_address *peer) {
    const struct hc_listener_config *config = &listener->config;
    struct hc_loop *loop = hc_loop_least_loaded(config->loops, config->n_loops);
    hc_loop_add_load(loop, 1);
    if (loop == hc_loop_current()) {
        config->on_accept(config->data, loop, fd, peer);
        return;
    }
    struct handover *handover = hc_new(struct handover);
    *handover = (struct handover){.task.run = run_handover,
                                  .on_accept = config->on_accept,
                                  .data = config->data,
                                  .loop = loop,
                                  .fd = fd,
                                  .peer = *peer};
    hc_loop_post(loop, &handover->task);
}

static bool is_starvation(int code) {
    return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

static void pause_accepting(struct hc_listener *listener, int code) {
    if (!listener->starved) {
        listener->starved = true;
        hc_log_warning("cannot accept connections for now: %s", strerror(code));
    }
    struct hc_loop *loop = listener->config.loops[0];
    hc_watch_stop(&listener->watch);
    hc_timer_start(loop, &listener->pause, hc_clock_ns() + pause_ns);
}

static void on_acceptable(struct hc_watch *watch, unsigned events) {
    (void)events;
    struct hc_listener *listener = hc_list_item(watch, struct hc_listener, watch);
    for (int i = 0; i < MAX_ACCEPTS; i++) {
        struct hc_address peer = {0};
        socklen_t size = sizeof peer;
        int fd = accept4(watch->fd, &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            listener->starved = false;
            hc_listener_adopt(listener, fd, &peer);
        } else if (is_starvation(errno)) {
            pause_accepting(listener, errno);
            return;
        } else if (errno == EAGAIN) {
            return;
        } /* else this one connection failed before it was accepted */
    }
}

static void start_accepting(struct hc_listener *listener) {
    struct hc_error error;
    struct hc_loop *loop = listener->config.loops[0];
    if (hc_watch_start(loop, &listener->watch, HC_WATCH_READ, &error) != HC_OK) {
        hc_log_error("cannot accept connections: %s", error.message);
        hc_timer_start(loop, &listener->pause, hc_clock_ns() + pause_ns);
    }
}

static void run_start(struct hc_task *task) {
    start_accepting(hc_list_item(task, struct hc_listener, start));
}

static void on_pause_over(struct hc_timer *timer) {
    start_accepting(hc_list_item(timer, struct hc_listener, pause));
}

static enum hc_code set_option(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value) == 0 ? HC_OK : HC_INTERNAL;
}

/* A listening socket at one of the places that the address stands for; errno tells of failure. */
static int listen_at(const struct addrinfo *place, bool reuse_port) {
    hc_auto(fd) fd = socket(place->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* accepted sockets inherit it */
    if (place->ai_family == AF_INET6) {
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    }
    if (reuse_port && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) != HC_OK) {
        return -1;
    }
    if (bind(fd, place->ai_addr, place->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
        return -1;
    }
    return hc_fd_take(&fd);
}

static enum hc_code open_socket(const struct hc_listener_config *config, int *fd,
                                struct hc_error *error) {
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *places;
    char port[8];
    snprintf(port, sizeof port, "%u", config->port);
    int result = getaddrinfo(config->address, port, &hints, &places);
    if (result != 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "invalid address '%s': %s", config->address,
                            gai_strerror(result));
    }
    int opened = -1;
    for (struct addrinfo *place = places; place != NULL && opened < 0; place = place->ai_next) {
        opened = listen_at(place, config->reuse_port);
    }
    int code = errno;
    freeaddrinfo(places);
    if (opened >= 0) {
        *fd = opened;
        return HC_OK;
    }
    if (code == EADDRINUSE) {
        return hc_error_set(error, HC_UNAVAILABLE, "Socket '%s:%s' already in use ",
                            config->address, port);
    }
    return hc_error_set(error, HC_UNAVAILABLE, "cannot listen on '%s:%s': %s", config->address,
                        port, strerror(code));
}

enum hc_code hc_listener_create(const struct hc_listener_config *config,
                                struct hc_listener **listener, struct hc_error *error) {
    int fd = -1;
    HC_TRY(open_socket(config, &fd, error));
    size_t loops_size = config->n_loops * sizeof config->loops[0];
    struct hc_listener *created = hc_alloc(sizeof *created + loops_size);
    memcpy(created->loops, config->loops, loops_size);
    created->config = *config;
    created->config.loops = created->loops;
    created->watch = (struct hc_watch){.fd = fd, .on_ready = on_acceptable};
    created->pause.on_due = on_pause_over;
    created->start.run = run_start;
    socklen_t size = sizeof created->address;
    getsockname(fd, &created->address.any, &size);
    hc_loop_post(created->loops[0], &created->start);
    *listener = created;
    return HC_OK;
}

uint16_t hc_listener_port(const struct hc_listener *listener) {
    return hc_address_port(&listener->address);
}

void hc_listener_destroy(struct hc_listener *listener) {
    if (listener == NULL) {
        return;
    }
    hc_watch_stop(&listener->watch);
    hc_timer_stop(&listener->pause);
    close(listener->watch.fd);
    free(listener);
}
