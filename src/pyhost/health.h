/*
 * The model's hook is_ready.
 */
#ifndef HC_PYHOST_HEALTH_H
#define HC_PYHOST_HEALTH_H

#include "py.h"

/*
 * Have the listener (listen.h) call hc_health_check() for MODEL from now on. False when the model
 * has no such hook, or with an exception set.
 */
bool hc_health_start(PyObject *model);

/* Call the hook and send the server its answer. Needs the GIL. */
void hc_health_check(void);

#endif
