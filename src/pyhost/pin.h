/*
 * Pins: what keeps the memory of a request in place for Python.
 *
 * A pin is a capsule that owns the request's message and inputs in the request arena. Requests and
 * their input arrays refer to it; when the last of them goes, the server is told to reuse the
 * memory.
 *
 * A model may keep its inputs, but the arena is everybody's: while it holds more than
 * HC_PINNED_ENOUGH bytes of earlier requests, new ones are given copies on the heap.
 */
#ifndef HC_PYHOST_PIN_H
#define HC_PYHOST_PIN_H

#include "end.h"
#include "py.h"

enum { HC_PINNED_ENOUGH = 256 << 20 };

/* Bytes of inputs that are pinned now. Any thread. */
size_t hc_pinned(void);

/* A pin on MESSAGE, whose replies go to its own link. New reference. */
PyObject *hc_pin_new(struct hc_end *end, struct hc_message_request *message);

/* Where DATA of SIZE bytes lies among the inputs that OWNER, a pin, keeps; false when not there, or
 * when OWNER is no pin. */
bool hc_pin_place(PyObject *owner, const char *data, size_t size, struct hc_place *place);

#endif
