/*
 * `async def execute`: where coroutines run.
 *
 * Those of a model that answers by its return value run to their end on the main thread, as execute
 * itself would. Those of a decoupled model, and of one that has asked for it, run on a thread of
 * their own, any number at a time. Either way one event loop serves all executions, so that what a
 * model keeps between them (locks, sessions) stays with its loop.
 */
#ifndef HC_PYHOST_COROUTINES_H
#define HC_PYHOST_COROUTINES_H

#include <stdbool.h>

#include "py.h"

bool hc_coroutine_is(PyObject *object);

/* Run COROUTINE to its end on the calling thread, the main one. New reference to its result. */
PyObject *hc_coroutine_run(PyObject *coroutine);

/*
 * Start COROUTINE on the coroutines' thread, in a copy of the calling thread's context. False with
 * an exception set. ON_DONE follows on that thread with its result, borrowed; NULL: it has raised
 * what is set.
 */
bool hc_coroutine_start(PyObject *coroutine, void (*on_done)(void *user, PyObject *result),
                        void *user);

#endif
