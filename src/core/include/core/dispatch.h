/*
 * Dispatch: from a model's queue to its instances.
 *
 * Any thread that runs a loop may call; a short lock for each model guards its queue and what its
 * instances have. A request goes straight to an idle instance, from the thread that parsed it;
 * where requests may run together, once that thread has queued all that came with it, or the first
 * of many would run alone. An instance may have up to HC_INSTANCE_DEPTH executions, so that the
 * next is at hand when one ends; one that waits behind another grows as the model's config allows
 * (core/schedule.h), and is taken back when an instance falls idle. A backend that runs several
 * side by side in an instance may be given as many.
 */
#ifndef HC_CORE_DISPATCH_H
#define HC_CORE_DISPATCH_H

#include "core/model.h"

/* Queue a prepared request; HC_UNAVAILABLE when the queue is full. */
enum hc_code hc_dispatch_enqueue(struct hc_request *request, struct hc_error *error);

/* Look at the queue again: time has passed. */
void hc_dispatch_look(struct hc_model *model);

/* Have INSTANCE run the prepared requests of BATCH, by _job.link, past the queue. False: it cannot
 * now, and BATCH is as it was. */
bool hc_dispatch_run(struct hc_instance *instance, struct hc_list *batch);

/*
 * Take back a request that is queued or that its instance has not begun, or tell the instance that
 * nobody waits for it. True: it was taken back, and is the caller's now. Request's loop.
 */
bool hc_dispatch_cancel(struct hc_request *request);

/* By backends: the instance has run that execution, at those TIMES. False when it has none of that
 * id. */
bool hc_dispatch_executed(struct hc_instance *instance, uint64_t execution_id,
                          const struct hc_stats_times *times);

/* By backends: whether INSTANCE has that request and owes it responses. */
bool hc_dispatch_has(const struct hc_request *request, const struct hc_instance *instance);

/* By backends, on the request's loop: its instance has given the last response. */
void hc_dispatch_answered(struct hc_request *request);

/*
 * By backends, on the request's loop: its model wants to run it again. It is the caller's between
 * the first and the second, which queues it.
 */
void hc_dispatch_take_back(struct hc_request *request);
void hc_dispatch_again(struct hc_request *request);

/* By backends: the instance takes work from now on. */
void hc_dispatch_up(struct hc_instance *instance);

/* By backends: it takes no more; what it has stays with it until hc_dispatch_recover(). */
void hc_dispatch_down(struct hc_instance *instance);

/*
 * Control thread: the instance takes requests; or no more, and is told by its idle_task when it has
 * nothing left to do (core/instances.h).
 */
void hc_dispatch_open(struct hc_instance *instance);
void hc_dispatch_close(struct hc_instance *instance);

/*
 * By backends: the instance has died and all it had answered is delivered. What it had not started
 * goes back to the queue's head, the rest is answered with that error on the requests' loops.
 */
void hc_dispatch_recover(struct hc_instance *instance, enum hc_code code, const char *message);

/* Answer everything that is queued with that error; for a model that will not run again. */
void hc_dispatch_fail_queue(struct hc_model *model, enum hc_code code, const char *message);

/* Requests that are queued or unanswered. */
size_t hc_dispatch_in_flight(struct hc_model *model);

/* Requests that no instance has begun with. */
size_t hc_dispatch_pending(struct hc_model *model);

#endif
