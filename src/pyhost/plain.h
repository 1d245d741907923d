/*
 * The modules in any Python, without a server: for tests of models and for debuggers.
 *
 * Log lines go to standard error. What needs a server raises.
 */
#ifndef HC_PYHOST_PLAIN_H
#define HC_PYHOST_PLAIN_H

#include "py.h"

/* Functions of the module _hippocamp: plain() makes the modules, once a process;
 * set_model_dir(path) has get_model_dir() return it. */
PyObject *hc_plain_prepare(PyObject *module, PyObject *ignored);
PyObject *hc_plain_set_model_dir(PyObject *module, PyObject *path);

#endif
