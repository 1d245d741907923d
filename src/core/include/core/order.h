/*
 * Order: models whose config preserves it answer requests in the order in which they were queued,
 * whichever instances run them; a response that comes early is held back.
 */
#ifndef HC_CORE_ORDER_H
#define HC_CORE_ORDER_H

#include "core/request.h"

/* With the model locked: the request is queued, behind those before it. */
void hc_order_add(struct hc_request *request);

/*
 * Request's loop: deliver the response when it is the request's turn, which may be now. Takes the
 * place of hc_request_deliver() for requests that were added.
 */
void hc_order_answer(struct hc_request *request, struct hc_response *response, bool final);

static inline bool hc_order_has(const struct hc_request *request) {
    return hc_list_in(&request->_order_link);
}

#endif
