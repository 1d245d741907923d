/*
 * BYTES tensors between the wire and NumPy: strings with a four-byte length before each.
 */
#ifndef HC_PYTHON_BYTE_STRINGS_H
#define HC_PYTHON_BYTE_STRINGS_H

#include "py.h"

/*
 * An array of bytes objects with these extents, made of SIZE bytes of wire encoding. New reference;
 * TritonModelException when the encoding is broken or has another number of elements.
 */
PyObject *hc_py_strings_decode(const char *data, size_t size, int n_dims, const npy_intp *dims);

/*
 * The wire encoding of an array of objects (bytes as they are, everything else str(x) as UTF-8), of
 * byte strings (without trailing zeros, as NumPy has them) or of str. New reference to bytes.
 */
PyObject *hc_py_strings_encode(PyArrayObject *array);

#endif
