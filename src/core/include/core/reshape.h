/*
 * Reshaping: models may see their inputs, and make their outputs, in other shapes than clients do,
 * as the config's `reshape` says. Extents that are left open are carried over in their order.
 */
#ifndef HC_CORE_RESHAPE_H
#define HC_CORE_RESHAPE_H

#include "core/request.h"

/* The inputs of a request that has been checked, as the model is to see them. */
void hc_reshape_inputs(struct hc_request *request);

/* The outputs of a response, as the client is to see them. */
void hc_reshape_outputs(const struct hc_request *request, struct hc_response *response);

#endif
