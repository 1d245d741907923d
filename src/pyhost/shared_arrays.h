/*
 * Arrays born in shared memory: NumPy's memory handler (NEP 49) that takes large arrays from the
 * response arena, so that an output can leave without being copied.
 *
 * It is active only while code of the model runs for a request, in the thread that runs it; arrays
 * made then may live as long as they like. Where the arena has no room they come from the heap.
 */
#ifndef HC_PYHOST_SHARED_ARRAYS_H
#define HC_PYHOST_SHARED_ARRAYS_H

#include "end.h"
#include "py.h"

/* Arrays from this size on are worth it: smaller ones are copied into the message. */
enum { HC_SHARED_ARRAY_MIN = 64 * 1024 };

/* Once, before the others. False with an exception set. */
bool hc_shared_arrays_prepare(struct hc_end *end);

/* New reference to the handler that was active before, to be handed to hc_shared_arrays_leave(). */
PyObject *hc_shared_arrays_enter(void);
void hc_shared_arrays_leave(PyObject *before);

/* The block that DATA was allocated in by the handler: NULL when it lies elsewhere. */
struct hc_block *hc_shared_arrays_block(const void *data);

/* One of the services (python/py.h). */
uint64_t hc_shared_arrays_free_memory(void);

#endif
