/*
 * Shared memory of clients, in which models see inputs without a copy.
 *
 * A mapping is made for one input and is private: what the model writes stays here, and what the
 * client writes is seen here until the model writes. A client that makes its memory smaller while
 * it is looked at has this process end by SIGBUS, which is why a model's config has to ask for it.
 */
#ifndef HC_PYTHON_CLIENT_MEMORY_H
#define HC_PYTHON_CLIENT_MEMORY_H

#include "channel/layout.h"
#include "py.h"

/* Map what PLACE, in HC_ARENA_CLIENT, says. What keeps *DATA there: new reference. */
PyObject *hc_py_client_memory(const struct hc_place *place, char **data);

#endif
