/*
 * Calls: requests that the model makes to other models, and the responses to them.
 *
 * A call goes to the server as a message in the response arena; responses come back as events, on
 * the link that the call went out on, and lie in the request arena of the calling model. Whoever
 * waits for a response handles the events of all, so any thread may wait at any time.
 *
 * Everything here needs the GIL, which is also what guards the calls; waiting lets go of it.
 */
#ifndef HC_PYHOST_CALLS_H
#define HC_PYHOST_CALLS_H

#include "end.h"
#include "py.h"

void hc_calls_prepare(struct hc_end *end);

/* Calls are possible from the first execute() to finalize(): in between the server listens. In
 * children of the process they are at any time. */
void hc_calls_allow(bool allowed);

/*
 * The calling thread runs that execution, which came on LINK: until hc_calls_leave() its calls
 * belong to it, and so do those of children that it forks meanwhile.
 */
void hc_calls_enter(uint32_t link, uint64_t execution);
void hc_calls_leave(void);

/* What runs in copies of the calling thread's context (contextvars) from now on, as coroutines do,
 * belongs to that execution. False with an exception set. */
bool hc_calls_mark_context(uint64_t execution);

/* The services (python/py.h). */
struct hc_call *hc_call_begin(PyObject *request, bool decoupled, bool waits);
PyObject *hc_call_next(struct hc_call *call);
bool hc_call_watch(struct hc_call *call, PyObject *loop, PyObject *callback);
void hc_call_cancel(struct hc_call *call);
void hc_call_drop(struct hc_call *call);

/* Handle all events that have arrived: releases, and responses to calls. */
void hc_calls_drain(void);

#endif
