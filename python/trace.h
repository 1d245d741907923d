/*
 * The trace of a request. The server traces nothing, so that there is nothing in it.
 */
#ifndef HC_PYTHON_TRACE_H
#define HC_PYTHON_TRACE_H

#include "py.h"

bool hc_py_is_trace(PyObject *object);

/* New reference. */
PyObject *hc_py_trace_new(void);

#endif
