/*
 * Implicit state: tensors that the server keeps for a sequence from one request to the next.
 *
 * To the model a state is one more input, which no client sends: in the first request of a sequence
 * what the config says, zeros or a file's content; after that what the model gave last as the
 * output that belongs to it. That output stays here, unless it is also one of the model's and a
 * client asks for it. A request that fails, or is answered without that output, changes nothing.
 *
 * The values lie in blocks of the model's arena, to which the sequence holds references.
 */
#ifndef HC_CORE_STATE_H
#define HC_CORE_STATE_H

#include "core/model.h"
#include "core/request.h"

/* Read what MODEL's config says of states, files included. */
void hc_state_configure(struct hc_model *model);

/*
 * Request's loop: add the states' inputs behind those of REQUEST; and, when all inputs have their
 * memory, make room for what hc_state_attach() adds. Only a request that BEGINS its sequence has
 * the values already.
 */
enum hc_code hc_state_prepare(struct hc_request *request, bool begins, struct hc_error *error);
void hc_state_reserve(struct hc_request *request);

/* With the model locked, on any loop: the jobs of BATCH are next; give them their states. */
void hc_state_attach(struct hc_model *model, const struct hc_list *batch);

/* With the model locked: a sequence of USER, a model, with the states ENDED is over. */
void hc_state_end(void *user, void *ended);

/*
 * By backends, on the request's loop, before hc_dispatch_answered(): keep the states that are among
 * the outputs of RESPONSE. Returns it without those outputs that nobody asked for; or an error in
 * its place when a state is not what the config says.
 */
struct hc_response *hc_state_keep(struct hc_request *request, struct hc_response *response);

#endif
