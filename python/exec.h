/*
 * pb_utils.InferenceRequest.exec() and async_exec(): asking other models.
 */
#ifndef HC_PYTHON_EXEC_H
#define HC_PYTHON_EXEC_H

#include "py.h"

/* METH_VARARGS | METH_KEYWORDS */
PyObject *hc_py_exec(PyObject *request, PyObject *args, PyObject *keywords);
PyObject *hc_py_async_exec(PyObject *request, PyObject *args, PyObject *keywords);

#endif
