/* Guests. */
#include "guest.h"

#include <sys/socket.h>

#include "calls.h"
#include "channel/control.h"
#include "pack.h"
#include "shared_arrays.h"

static int door = -1;

void hc_guest_prepare(int the_door) {
    door = the_door;
}

/* A socket whose other end the server has; -1 with an exception set. */
static int knock(void) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    struct hc_error error;
    enum hc_code code =
        hc_control_send(door, HC_CONTROL_KNOCK, (struct hc_text){0}, &pair[1], 1, &error);
    close(pair[1]);
    if (code != HC_OK) {
        hc_py_raise("%s", error.message);
        close(pair[0]);
        return -1;
    }
    return pair[0];
}

/* Wait for the answer, a frame that brings descriptors. */
static bool receive(int line, struct hc_control_reader *reader) {
    struct hc_control_frame frame;
    bool any;
    int found;
    while ((found = hc_control_next(reader, HC_CONTROL_MAX_BODY, &frame)) == 0) {
        if (hc_control_fill(reader, line, &any, NULL) != HC_OK) {
            return false;
        }
    }
    return found > 0 && frame.kind == HC_CONTROL_GUEST;
}

static bool open_end(struct hc_control_reader *reader) {
    struct hc_end *end;
    struct hc_error error;
    size_t n_fds = reader->n_fds;
    reader->n_fds = 0; /* taken over */
    if (hc_end_open(reader->fds, n_fds, &end, &error) != HC_OK) {
        hc_py_raise("%s", error.message);
        return false;
    }
    hc_calls_prepare(end);
    hc_pack_prepare(end);
    return hc_shared_arrays_prepare(end);
}

bool hc_guest_begin(void) {
    int line = knock(); /* open for as long as the process lives */
    if (line < 0) {
        return false;
    }
    struct hc_control_reader reader = {0};
    bool begun = false;
    if (!receive(line, &reader)) {
        hc_py_raise("the server takes no more calls of processes that the model has forked");
        close(line);
    } else {
        begun = open_end(&reader);
    }
    hc_control_reader_finish(&reader);
    return begun;
}
