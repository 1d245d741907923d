/*
 * pb_utils.PreferredMemory.
 */
#ifndef HC_PYTHON_MEMORY_H
#define HC_PYTHON_MEMORY_H

#include "py.h"

bool hc_py_is_preferred_memory(PyObject *object);

/* The GPU that a PreferredMemory names; -1: it names none. */
int hc_py_preferred_gpu(PyObject *preferred);

#endif
