/*
 * The listener: the thread that hears what the server says once the model has begun to live, and
 * asking the server.
 *
 * There is none until it is needed: by a model that has is_ready, or one that asks. All of this
 * needs the GIL; waiting lets go of it.
 */
#ifndef HC_PYHOST_LISTEN_H
#define HC_PYHOST_LISTEN_H

#include <stdbool.h>

#include "py.h"

/* From now on the listener may take over the socket, and there is somebody to answer. */
void hc_listen_allow(void);

/* Start the listener unless it runs; false with an exception set. */
bool hc_listen_start(void);

/*
 * Ask the server: QUESTION, a dict, as a frame of that KIND. Any thread; one waits for the other.
 * New reference to the dict that is the answer.
 */
PyObject *hc_listen_ask(uint32_t kind, PyObject *question);

#endif
