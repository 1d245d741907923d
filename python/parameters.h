/*
 * Parameters of requests and responses: a dict from str to bool, int or str, kept as JSON text.
 */
#ifndef HC_PYTHON_PARAMETERS_H
#define HC_PYTHON_PARAMETERS_H

#include "py.h"

/* The JSON text of PARAMETERS, a dict or None ("{}"): new reference to a str. */
PyObject *hc_py_parameters(PyObject *parameters);

#endif
