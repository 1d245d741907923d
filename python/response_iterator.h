/*
 * pb_utils.ResponseIterator: the responses to a call, as they come.
 *
 * It keeps all that it has handed out: iterating again after the end begins with the first once
 * more.
 */
#ifndef HC_PYTHON_RESPONSE_ITERATOR_H
#define HC_PYTHON_RESPONSE_ITERATOR_H

#include "py.h"

/* An iterator over the responses to CALL, which is taken over. New reference. */
PyObject *hc_py_response_iterator_new(struct hc_call *call);

/* Wait for a response that has not been handed out: false with an exception set. */
bool hc_py_response_iterator_fetch(PyObject *self);

/* The next response: new reference; NULL, also without an exception, when there are no more. */
PyObject *hc_py_response_iterator_next(PyObject *self);

#endif
