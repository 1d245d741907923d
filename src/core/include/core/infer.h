/*
 * Inference: the one way into every model, for every protocol.
 */
#ifndef HC_CORE_INFER_H
#define HC_CORE_INFER_H

#include "core/request.h"

/*
 * Check REQUEST against its model and have it run. On success it is the server's until its last
 * on_response; on failure it stays the caller's, who answers with ERROR: Triton's code and words.
 * Request's loop.
 */
enum hc_code hc_infer(struct hc_request *request, struct hc_error *error);

/* The second half of it: have a request run that has been checked and is not in the cache. */
enum hc_code hc_infer_run(struct hc_request *request, struct hc_error *error);

/*
 * Nobody waits for the answer any more. A queued request is answered with HC_CANCELLED before this
 * returns; for one that runs, the model may look whether to stop, and answers as usual.
 */
void hc_infer_cancel(struct hc_request *request);

#endif
