/*
 * The response cache: answers of models whose config enables it, by all that they depend on.
 *
 * A key is the model with its version, the inputs with their data, the requested outputs and the
 * request's parameters. What is kept is a successful response without parameters. Times are counted
 * as NVIDIA's server does: a hit when it was found, a miss when its response has been inserted.
 */
#ifndef HC_CORE_CACHED_H
#define HC_CORE_CACHED_H

#include "core/request.h"
#include "core/server.h"

/*
 * Make the server's cache from its --cache-config options: in memory, or in Redis. Does nothing
 * when there are none; HC_INVALID_ARGUMENT when they are wrong.
 */
enum hc_code hc_cached_start(struct hc_server *server, struct hc_error *error);
void hc_cached_finish(struct hc_server *server);

/*
 * Request's loop, before it is queued: whether the answer is known, and then on its way. If not,
 * hc_cached_keep() will be waited for.
 */
bool hc_cached_answer(struct hc_request *request);

/* Request's loop: the last RESPONSE to a request whose answer was not known. */
void hc_cached_keep(struct hc_request *request, const struct hc_response *response);

#endif
