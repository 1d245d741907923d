/*
 * pb_utils.InferenceResponseSender: what answers one request, from any thread, once or many times.
 *
 * Every request from the server has one from the start. When the last reference to it goes and the
 * request has not had its last response, it is answered with an error: nobody is left who could.
 */
#ifndef HC_PYTHON_SENDER_H
#define HC_PYTHON_SENDER_H

#include "channel/layout.h"
#include "py.h"

struct hc_sender_object {
    PyObject_HEAD struct hc_message_request *message;
    PyObject *owner; /* keeps the message in place */
    bool decoupled;
    bool copies_inputs; /* the model keeps so many that it gets these on the heap */
    bool closed;        /* the last response was sent */
    bool rescheduled;   /* the request goes back to the server's queue */
    unsigned n_sent;    /* responses, and final flags without one */
};

static inline struct hc_sender_object *hc_sender_of(PyObject *object) {
    return (struct hc_sender_object *)object;
}

/* The sender for MESSAGE, which OWNER keeps in place. New reference. */
PyObject *hc_py_sender_new(struct hc_message_request *message, PyObject *owner, bool decoupled);

/*
 * Send RESPONSE (NULL: none), the last one if FINAL. OWNED: the caller holds the only reference to
 * it and drops it at once. False with an exception set, and then nothing was sent.
 */
bool hc_py_sender_send(struct hc_sender_object *sender, PyObject *response, bool final, bool owned);

#endif
