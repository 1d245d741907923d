/*
 * The model's hook is_ready, called when the server asks, by a thread of its own.
 */
#ifndef HC_PYHOST_HEALTH_H
#define HC_PYHOST_HEALTH_H

#include "py.h"

/*
 * Answer the server's questions for MODEL from now on; nobody else receives messages of the server
 * any more. False when the model has no such hook, or with an exception set.
 */
bool hc_health_start(PyObject *model);

#endif
