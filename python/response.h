/*
 * pb_utils.InferenceResponse: outputs, or an error, and parameters.
 */
#ifndef HC_PYTHON_RESPONSE_H
#define HC_PYTHON_RESPONSE_H

#include "base/error.h"
#include "py.h"

struct hc_response_object {
    PyObject_HEAD PyObject *outputs; /* list of tensors, the response's own */
    PyObject *error;                 /* TritonError or None */
    PyObject *parameters;            /* str: JSON */
};

static inline struct hc_response_object *hc_response_of(PyObject *object) {
    return (struct hc_response_object *)object;
}

/* A response with OUTPUTS, a list of tensors, and PARAMETERS, JSON. New reference. */
PyObject *hc_py_response_new(PyObject *outputs, struct hc_text parameters);

/* A response that is an error. New reference. */
PyObject *hc_py_response_of_error(enum hc_code code, struct hc_text message);

static inline bool hc_py_is_response(PyObject *object) {
    return PyObject_TypeCheck(object, (PyTypeObject *)hc_py.response_type);
}

#endif
