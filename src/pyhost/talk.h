/*
 * The conversation with the server over the control socket (channel/control.h).
 *
 * Any thread may send, with or without the GIL. Receiving belongs to the main thread until the
 * model is initialised, then to the listener (listen.h); it holds the GIL and lets go of it while
 * it waits. When the server is gone the process ends.
 */
#ifndef HC_PYHOST_TALK_H
#define HC_PYHOST_TALK_H

#include "channel/control.h"
#include "py.h"

/* Talk over CONTROL from now on, taken over; a child closes the socket of its parent. */
void hc_talk_begin(int control);

void hc_talk_send(uint32_t kind, struct hc_text body, const int *fds, size_t n_fds);

/* One of the services (python/py.h). */
void hc_talk_log(int level, struct hc_text file, uint32_t line, struct hc_text message);

/* Tell the server why this process ends. */
void hc_talk_fail(struct hc_text why);

/* The same with the pending exception, whose traceback goes to the log under the words WHAT. */
void hc_talk_fail_exception(const char *what);

/* The next frame; its body is valid until the call after. */
struct hc_control_frame hc_talk_receive(void);

/* The body of the next frame, which must be of that KIND. New reference to a dict. */
PyObject *hc_talk_receive_json(uint32_t kind);

/* What JSON a frame brought. New reference to a dict. */
PyObject *hc_talk_json(const struct hc_control_frame *frame);

/* Descriptors that came with frames: now the caller's, in FDS with room for HC_CONTROL_MAX_FDS. */
size_t hc_talk_take_fds(int *fds);

#endif
