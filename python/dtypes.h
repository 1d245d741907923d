/*
 * Datatypes between Triton, its configurations and NumPy.
 */
#ifndef HC_PYTHON_DTYPES_H
#define HC_PYTHON_DTYPES_H

#include "py.h"

/* The descriptor of a fixed-size datatype that NumPy has, or of object for BYTES: new reference;
 * NULL without an exception for BF16 and what is invalid. */
PyArray_Descr *hc_py_descr(enum hc_dtype dtype);

/* The datatype of an array's elements in native byte order; HC_DTYPE_INVALID for all else. Objects
 * and byte strings are BYTES, and so is str (a superset of what Triton takes). */
enum hc_dtype hc_py_dtype_of(PyArrayObject *array);

#endif
