/*
 * Chains of calls: a model that asks another waits for the answer, and so does everybody who waits
 * for what it is working on. A call that only those could take who wait for it would never be
 * answered, and is refused.
 */
#ifndef HC_CORE_CHAIN_H
#define HC_CORE_CHAIN_H

#include "core/request.h"

/* An execution that lasts until a request is answered; to be compared only. */
struct hc_waiter {
    const struct hc_instance *instance;
    uint64_t execution_id;
};

/*
 * REQUEST is a call from that execution on INSTANCE: have whoever waits for its requests, and
 * itself, wait for the call. An execution that has ended waits for nothing. Request's loop.
 */
void hc_chain_join(struct hc_request *request, const struct hc_instance *instance,
                   uint64_t execution_id);

/* HC_UNAVAILABLE when every instance of the request's model is taken up by who waits for it. */
enum hc_code hc_chain_check(const struct hc_request *request, struct hc_error *error);

#endif
