/*
 * Shared memory of clients, in which models see inputs without a copy.
 *
 * A mapping is made for one input and is private: what the model writes stays here, and what the
 * client writes is seen here until the model writes. An input that is returned as it came is then
 * still in the client's memory. A client that makes its memory smaller while
 * it is looked at has this process end by SIGBUS, which is why a model's config has to ask for it.
 */
#ifndef HC_PYTHON_CLIENT_MEMORY_H
#define HC_PYTHON_CLIENT_MEMORY_H

#include "channel/layout.h"
#include "py.h"

/* Map what PLACE, in HC_ARENA_CLIENT, says of an input of the request. What keeps *DATA there: new
 * reference. */
PyObject *hc_py_client_memory(const struct hc_message_request *request,
                              const struct hc_place *place, char **data);

/*
 * Where DATA of SIZE bytes, kept by OWNER, is in the client's memory; false when OWNER is no such
 * mapping, one made for another request, or one that the model has written to just there.
 */
bool hc_py_client_memory_place(PyObject *owner, const struct hc_message_request *request,
                               const char *data, size_t size, struct hc_place *place);

#endif
