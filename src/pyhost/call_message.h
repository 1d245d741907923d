/*
 * The messages of calls: from a pb_utils.InferenceRequest to a message in the response arena, and
 * from one in the request arena to a pb_utils.InferenceResponse.
 */
#ifndef HC_PYHOST_CALL_MESSAGE_H
#define HC_PYHOST_CALL_MESSAGE_H

#include "end.h"
#include "py.h"

struct hc_call_terms {
    bool decoupled; /* any number of responses is welcome */
    bool in_place;  /* the caller waits: inputs that lie in shared memory may stay where they are */
    uint64_t execution; /* that waits for the answer; 0: none does */
};

/* Write the message of REQUEST and its place into ENTRY. False with an exception set. */
bool hc_call_message_write(PyObject *request, const struct hc_call_terms *terms,
                           struct hc_entry *entry);

/*
 * The response that ENTRY of link LINK announces, whose tensors stay in the arena as long as
 * anybody refers to them, or are copied to the memory of GPU (-1: none) if they can. New reference.
 */
PyObject *hc_call_message_read(struct hc_end *end, uint32_t link, const struct hc_entry *entry,
                               int gpu);

#endif
