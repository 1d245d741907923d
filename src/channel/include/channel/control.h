/*
 * The control socket between server and pyhost: rare messages of any size, and descriptors.
 *
 * A frame is a header and a body. It carries what happens once in a pyhost's life (start,
 * configure, ready, failed) and what may wait (log lines), never a request. The socket's end tells
 * each side that the other is gone.
 *
 * Bodies of HC_CONTROL_LOG are a struct hc_control_log followed by the text; all others are JSON.
 */
#ifndef HC_CHANNEL_CONTROL_H
#define HC_CHANNEL_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum hc_control_kind {
    /*
     * server -> pyhost: import the model: "folder", "version", "file", "model", "instance";
     * "config", its text when auto_complete_config is to be called with it, else null. Brings the
     * descriptors.
     */
    HC_CONTROL_START = 1,
    /* pyhost -> server: the model is imported; "config": what auto_complete_config returned. */
    HC_CONTROL_IMPORTED = 2,
    /* server -> pyhost: call initialize with "args"; whether the model is "decoupled". */
    HC_CONTROL_INITIALIZE = 3,
    /* pyhost -> server: initialize has returned; requests may come. */
    HC_CONTROL_READY = 4,
    /* pyhost -> server: the model cannot be served, "message" says why; the pyhost ends. */
    HC_CONTROL_FAILED = 5,
    /* pyhost -> server: a line for the server's log. */
    HC_CONTROL_LOG = 6,
};

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
