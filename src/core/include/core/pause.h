/*
 * Back-pressure: a model that sends many responses waits while its client does not take them.
 *
 * A front end pauses a request when much of what it has to send is unsent, and lets it go on when
 * little is. The model is held up where it sends the next response, in whatever thread that is; one
 * that sends from execute holds up what waits behind it. Therefore no pause is longer than
 * HC_LONGEST_PAUSE_NS: then the client has no claim any more, the request is cancelled, and
 * `overdue` tells the front end to break the stream off.
 *
 * Backends that cannot pause go on; front ends have a limit of their own for those.
 */
#ifndef HC_CORE_PAUSE_H
#define HC_CORE_PAUSE_H

#include "base/clock.h"
#include "core/request.h"

#define HC_LONGEST_PAUSE_NS (30 * HC_NS_PER_S)

/* Front ends pause at the first, in bytes that are unsent, and go on at the second. */
enum { HC_PAUSE_MARK = 1 << 20, HC_RESUME_MARK = 256 << 10 };

/* Request's loop, between hc_infer() and the last response. Both may be repeated. */
void hc_pause_begin(struct hc_request *request);
void hc_pause_end(struct hc_request *request);

#endif
