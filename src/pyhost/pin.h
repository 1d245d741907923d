/*
 * Pins: what keeps the memory of a request in place for Python.
 *
 * A pin is a capsule that owns a message and its tensors in the request arena: a request and its
 * inputs, or the response to a call. Requests and arrays refer to it; when the last of them goes,
 * the server is told to reuse the memory.
 *
 * A model may keep its inputs, but the arena is everybody's: while it holds more than
 * HC_PINNED_ENOUGH bytes of earlier requests, new ones are given copies on the heap.
 */
#ifndef HC_PYHOST_PIN_H
#define HC_PYHOST_PIN_H

#include "end.h"
#include "py.h"

enum { HC_PINNED_ENOUGH = 256 << 20 };

/* Bytes of tensors that are pinned now. Any thread. */
size_t hc_pin_total(void);

/* A message in the request arena, and the tensors that are released with it. */
struct hc_pinned {
    uint32_t loop; /* the link that takes the release */
    uint32_t block;
    uint32_t generation;
    uint32_t n_tensors;
    const struct hc_message_tensor *tensors;
};

/* New reference; NULL, with an exception set, leaves the message pinned for good. */
PyObject *hc_pin_new(struct hc_end *end, const struct hc_pinned *what);

/* Where DATA of SIZE bytes lies among the tensors that OWNER, a pin, keeps; false when not there,
 * or when OWNER is no pin, or one of another end. */
bool hc_pin_place(const struct hc_end *end, PyObject *owner, const char *data, size_t size,
                  struct hc_place *place);

#endif
