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

/* Once, before the others: what replies go through. */
void hc_reply_prepare(struct hc_end *end);

/*
 * Send RESPONSE, a pb_utils.InferenceResponse or NULL, to the request REQUEST; for the last time if
 * FINAL. OWNED says that the caller holds the only reference to RESPONSE and drops it at once, so
 * that its tensors may leave without a copy. Holds the GIL, any thread. False with an exception
 * set, and then nothing was sent.
 */
bool hc_reply_send(struct hc_message_request *request, PyObject *response, bool final, bool owned);

/* The last response to a request: an error. */
void hc_reply_send_error(struct hc_message_request *request, enum hc_code code,
                         struct hc_text text);

/* Nobody is left who could answer. */
void hc_reply_abandon(struct hc_message_request *request);

/* The request wants to be queued and delivered again. */
void hc_reply_send_reschedule(struct hc_message_request *request);

/* When the execution ended whose responses this thread sends next; 0: they end the computation that
 * they are the result of, as those of a decoupled model do. */
void hc_reply_set_end(uint64_t end_ns);

#endif
