/*
 * Guests: children of a model's process that ask other models. Each has a channel, a response arena
 * and pins of its own, served by the control loop; its line is the sign that it lives.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "internal.h"

/* Of one life. */
enum { MAX_GUESTS = 256 };

struct guest {
    struct hc_list link; /* among the parent's */
    struct pyhost *parent;
    struct pyhost *host; /* referenced: what is its own of a life */
    struct hc_watch watch;
    int line;
};

static struct loop_side *control_side(const struct pyhost *host) {
    const struct python_model *model = host->owner->model;
    return &model->sides[model->n_loops - 1];
}

static void dismiss(struct guest *guest) {
    struct hc_server *server = guest->host->owner->model->server;
    hc_watch_stop(&guest->watch);
    hc_fd_close(guest->line);
    hc_list_remove(&guest->link);
    guest->parent->n_guests--;
    loop_side_drop_guest(control_side(guest->host), guest->host);
    hc_spin_forget((void *)server->spin_board.base, &guest->host->header->spinning);
    pins_release_all(&guest->host->pins);
    pyhost_unref(guest->host);
    free(guest);
}

/* A guest has nothing to say over its line: it has ended. */
static void on_line(struct hc_watch *watch, unsigned events) {
    (void)events;
    dismiss(hc_list_item(watch, struct guest, watch));
}

static enum hc_code begin(struct guest *guest, struct hc_error *error) {
    int fds[HC_CONTROL_MAX_FDS];
    size_t n_fds = pyhost_end_fds(guest->host, fds);
    HC_TRY(hc_control_send(guest->line, HC_CONTROL_GUEST, (struct hc_text){0}, fds, n_fds, error));
    guest->watch = (struct hc_watch){.fd = guest->line, .on_ready = on_line};
    return hc_watch_start(guest->parent->owner->model->server->control, &guest->watch,
                          HC_WATCH_READ, error);
}

/* Take LINE, whose other end is with a child of the life. */
static void admit(struct pyhost *parent, int line) {
    struct hc_error error;
    struct pyhost *host;
    if (pyhost_create_guest(parent, &host, &error) != HC_OK) {
        hc_log_error("a child of instance '%s' cannot ask other models: %s",
                     parent->owner->instance->name, error.message);
        hc_fd_close(line);
        return;
    }
    struct guest *guest = hc_new(struct guest);
    *guest = (struct guest){.parent = parent, .host = host, .line = line};
    hc_list_append(&parent->guests, &guest->link);
    parent->n_guests++;
    loop_side_adopt_guest(control_side(host), host);
    if (begin(guest, &error) != HC_OK) {
        dismiss(guest);
    }
}

/* The next line that was brought to the door: -1 when there is none now, *OVER when none will. */
static int take_line(int door, bool *over) {
    struct hc_control_reader reader = {0};
    bool any = false;
    int line = -1;
    *over = hc_control_fill(&reader, door, &any, NULL) != HC_OK;
    if (reader.n_fds > 0) {
        line = hc_fd_take(&reader.fds[0]);
    }
    hc_control_reader_finish(&reader);
    return line;
}

static void on_door(struct hc_watch *watch, unsigned events) {
    (void)events;
    struct pyhost *host = hc_list_item(watch, struct pyhost, door_watch);
    bool over;
    int line = take_line(watch->fd, &over);
    if (over) {
        hc_watch_stop(watch);
    } else if (line >= 0 && host->n_guests < MAX_GUESTS) {
        admit(host, line);
    } else {
        hc_fd_close(line);
    }
}

enum hc_code guests_open_door(struct pyhost *host, int *models_end, struct hc_error *error) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "socketpair: %s", strerror(errno));
    }
    host->door_watch = (struct hc_watch){.fd = pair[0], .on_ready = on_door};
    enum hc_code code = hc_watch_start(host->owner->model->server->control, &host->door_watch,
                                       HC_WATCH_READ, error);
    if (code != HC_OK) {
        hc_fd_close(pair[1]);
        return code;
    }
    *models_end = pair[1];
    return HC_OK;
}

void guests_close(struct pyhost *host) {
    while (!hc_list_empty(&host->guests)) {
        dismiss(hc_list_item(host->guests.next, struct guest, link));
    }
    hc_watch_stop(&host->door_watch);
    hc_fd_close(hc_fd_take(&host->door_watch.fd));
}
