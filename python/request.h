/*
 * pb_utils.InferenceRequest: what execute gets, and what a model makes to ask another model.
 */
#ifndef HC_PYTHON_REQUEST_H
#define HC_PYTHON_REQUEST_H

#include "channel/layout.h"
#include "py.h"

struct hc_request_object {
    PyObject_HEAD
        /* Of a request that came from the server; NULL for one made in Python. Decoded on demand.
         */
        struct hc_message_request *message;
    char *memory;     /* the request arena */
    PyObject *sender; /* answers it, and keeps message and inputs in place */
    /* NULL until asked for when there is a message. */
    PyObject *inputs;         /* list of tensors, the request's own */
    PyObject *id;             /* str */
    PyObject *correlation_id; /* int or str */
    PyObject *parameters;     /* str: JSON */
    PyObject *requested;      /* list of str */
    PyObject *model_name;     /* str; made in Python only */
    int64_t model_version;
    uint64_t timeout_us;
    uint32_t flags;
    int preferred_gpu; /* for the outputs of the answer, -1: none; made in Python only */
};

static inline struct hc_request_object *hc_request_of(PyObject *object) {
    return (struct hc_request_object *)object;
}

static inline bool hc_py_is_request(PyObject *object) {
    return PyObject_TypeCheck(object, (PyTypeObject *)hc_py.request_type);
}

/*
 * A request over the message that SENDER answers, in the request arena at MEMORY. New reference.
 */
PyObject *hc_py_request_from_message(PyObject *sender, char *memory);

/* The request's inputs, a list of its own: borrowed reference. */
PyObject *hc_py_request_inputs(struct hc_request_object *request);

#endif
