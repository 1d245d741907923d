/*
 * Metrics that the model makes for itself: opened by asking the server, changed in shared memory.
 *
 * The services of that name (python/py.h).
 */
#ifndef HC_PYHOST_FAMILIES_H
#define HC_PYHOST_FAMILIES_H

#include "end.h"
#include "py.h"

/* Once, before the others: where the values lie. */
void hc_families_prepare(struct hc_end *end);

uint64_t hc_family_open(PyObject *question);
struct hc_metric_cell *hc_family_metric(uint64_t family, PyObject *labels, PyObject **bounds);
void hc_family_close(uint64_t family);

#endif
