/*
 * The control socket between server and pyhost: rare messages of any size, and descriptors.
 *
 * A frame is a header and a body. It carries what happens once in a pyhost's life (start,
 * configure, ready, failed) and what may wait (log lines), never a request. The socket's end tells
 * each side that the other is gone.
 *
 * Bodies of HC_CONTROL_LOG are a struct hc_control_log followed by the text, those of kinds about
 * forking a struct hc_control_child or nothing; all others are JSON.
 *
 * A pyhost begins as a zygote, which imports NumPy and then waits to be forked; the children become
 * instances, or a template: that imports a model, calls its preload, and waits to be forked in
 * turn.
 */
#ifndef HC_CHANNEL_CONTROL_H
#define HC_CHANNEL_CONTROL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum hc_control_kind {
    /*
     * server -> pyhost: import the model: "folder", "version", "file", "model", "process";
     * "config", its text when auto_complete_config is to be called with it, else null.
     */
    HC_CONTROL_START = 1,
    /*
     * pyhost -> server: the model is imported; "config": what auto_complete_config returned;
     * "preload": whether it has that hook.
     */
    HC_CONTROL_IMPORTED = 2,
    /*
     * server -> pyhost: be an instance: call initialize with "args"; whether the model is
     * "decoupled", and whether its coroutines "overlaps". Brings the descriptors. The first message
     * to the child of a template.
     */
    HC_CONTROL_INITIALIZE = 3,
    /*
     * pyhost -> server: it can be forked, or initialize has returned and requests may come;
     * "is_ready": whether the model has that hook.
     */
    HC_CONTROL_READY = 4,
    /* pyhost -> server: the model cannot be served, "message" says why; the pyhost ends. */
    HC_CONTROL_FAILED = 5,
    /* pyhost -> server: a line for the server's log. */
    HC_CONTROL_LOG = 6,
    /* server -> pyhost: be a template: call preload with "args", then wait to be forked. */
    HC_CONTROL_PRELOAD = 7,
    /* server -> zygote, template: fork. Brings the child's control socket, output and error. */
    HC_CONTROL_FORK = 8,
    /* The answer, in the order of the questions: the child and its pidfd; pid -1 and none: failed.
     */
    HC_CONTROL_FORKED = 9,
    /* server -> zygote, template: a child has ended, collect its status. */
    HC_CONTROL_REAP = 10,
    /* The answer. */
    HC_CONTROL_REAPED = 11,
    /* server -> pyhost: call is_ready. */
    HC_CONTROL_CHECK = 12,
    /* The answer: whether it is "ready", and if not, "message" may say why. */
    HC_CONTROL_CHECKED = 13,
    /*
     * instance -> server: load or unload "model", with the "parameters" of the HTTP endpoints; say
     * whether "version" (-1: any) of "model" is ready. One question of these and of those below at
     * a time.
     */
    HC_CONTROL_LOAD = 14,
    HC_CONTROL_UNLOAD = 15,
    HC_CONTROL_IS_READY = 16,
    /*
     * The answer: "error", a text or null; whether the model is "ready", what is opened below.
     */
    HC_CONTROL_ANSWER = 17,
    /*
     * instance -> server: open a family of metrics with "name", "help" and "kind" (enum
     * hc_metric_kind); the answer is its number as "family".
     */
    HC_CONTROL_FAMILY_OPEN = 18,
    /*
     * instance -> server: open a metric of "family" with "labels" and, a histogram, "buckets"; the
     * answer is the "offset" of its cell (channel/metric_cell.h), and what its "buckets" are.
     */
    HC_CONTROL_METRIC_OPEN = 19,
    /* instance -> server: close "family" and its metrics. There is no answer. */
    HC_CONTROL_FAMILY_CLOSE = 20,
    /*
     * child of an instance -> server, over the door: wants to call other models. Brings one end of
     * a socket, the line.
     */
    HC_CONTROL_KNOCK = 21,
    /* The answer, over the line: brings the descriptors of an end. When the line ends, that does.
     */
    HC_CONTROL_GUEST = 22,
};

/* Has a pyhost print the Python stacks of its threads to its standard error. */
#define HC_CONTROL_DUMP_SIGNAL (SIGRTMAX - 1)

enum {
    HC_CONTROL_MAX_FDS = 96,
    HC_CONTROL_MAX_BODY = 64 << 20,
};

struct hc_control_header {
    uint32_t kind;
    uint32_t size; /* of the body */
};

struct hc_control_log {
    uint32_t level; /* enum hc_log_level */
    uint32_t line;
    uint32_t file_size; /* the text begins with the file's name */
};

struct hc_control_child {
    int32_t pid;
    int32_t status; /* of HC_CONTROL_REAPED: as of waitpid() */
};

/*
 * Send one frame, waiting until the socket has taken it; FDS go with its first byte. Fails when the
 * peer is gone. One sender at a time.
 */
enum hc_code hc_control_send(int socket, uint32_t kind, struct hc_text body, const int *fds,
                             size_t n_fds, struct hc_error *error);

/* What has arrived and is not yet a whole frame, and descriptors that nobody took. */
struct hc_control_reader {
    struct hc_buf buf;
    size_t taken; /* bytes at its front that belong to the frame handed out last */
    int fds[HC_CONTROL_MAX_FDS];
    size_t n_fds;
};

void hc_control_reader_finish(struct hc_control_reader *reader);

struct hc_control_frame {
    uint32_t kind;
    struct hc_text body; /* in the reader's buffer: valid until the next call */
};

/*
 * Read what the socket has; *ANY says whether there was something (a blocking socket waits for
 * it). HC_UNAVAILABLE: the peer is gone; HC_INTERNAL: the read failed.
 */
enum hc_code hc_control_fill(struct hc_control_reader *reader, int socket, bool *any,
                             struct hc_error *error);

/* Take the next whole frame out of the reader: 1, 0 when there is none yet, or -1 for nonsense. */
int hc_control_next(struct hc_control_reader *reader, size_t body_max,
                    struct hc_control_frame *frame);

#endif
