/*
 * pb_utils.TritonError: what a response says instead of outputs.
 */
#ifndef HC_PYTHON_TRITON_ERROR_H
#define HC_PYTHON_TRITON_ERROR_H

#include "base/error.h"
#include "py.h"

struct hc_error_object {
    PyObject_HEAD PyObject *message; /* str */
    PyObject *code;                  /* a member of the enum of codes */
    enum hc_code status;
};

static inline struct hc_error_object *hc_error_of(PyObject *object) {
    return (struct hc_error_object *)object;
}

/* New reference; codes that Triton has no number for become INTERNAL. */
PyObject *hc_py_error_new(enum hc_code code, struct hc_text message);

static inline bool hc_py_is_error(PyObject *object) {
    return PyObject_TypeCheck(object, (PyTypeObject *)hc_py.error_type);
}

#endif
