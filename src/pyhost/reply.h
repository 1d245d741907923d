/*
 * From a Python response to a message in the response arena.
 *
 * Tensors are copied behind the message, in the same block; but large ones stay where they are when
 * nobody but the response holds them any more and they lie in shared memory already: born in the
 * response arena, or an input that is passed through.
 */
#ifndef HC_PYHOST_REPLY_H
#define HC_PYHOST_REPLY_H

#include "base/error.h"
#include "end.h"
#include "py.h"

/*
 * The reply entry for RESPONSE, a pb_utils.InferenceResponse, to the request REQUEST. OWNED says
 * that the caller holds the only reference to RESPONSE and drops it at once, so that its tensors
 * may leave without a copy. The message's block is the server's until it releases it. False with an
 * exception set.
 */
bool hc_reply_build(struct hc_end *end, const struct hc_message_request *request,
                    PyObject *response, bool owned, struct hc_entry *entry);

/* The same for an error. False when there is no memory left for it. */
bool hc_reply_build_error(struct hc_end *end, const struct hc_message_request *request,
                          enum hc_code code, struct hc_text text, struct hc_entry *entry);

/* Drop what the server has released since the last call; needs the GIL. */
void hc_reply_drain(struct hc_end *end);

#endif
