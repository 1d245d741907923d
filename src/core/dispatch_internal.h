/*
 * What the files of dispatch know of each other. All of it is called with the model locked.
 *
 *   dispatch.c            requests: into the queue, to instances, and out
 *   dispatch_next.c       which batch goes to which instance next
 *   executions.c          what an instance has been given
 *   dispatch_instances.c  instances that come, go and die
 */
#ifndef HC_CORE_DISPATCH_INTERNAL_H
#define HC_CORE_DISPATCH_INTERNAL_H

#include "core/model.h"
#include "core/request.h"

/* ---- dispatch.c ---- */

/* Dispatch what can be, kicking instances without the lock, which the caller holds and loses. */
void dispatch_and_unlock(struct hc_model *model, uint64_t now_ns);

/* Answer a request, which is in no list any more, on its loop. */
void dispatch_fail_later(struct hc_request *request, enum hc_code code, const char *message);

/* ---- dispatch_next.c ---- */

/* Hand the next batch to an instance. NULL: there is no batch now, or no instance for it. */
struct hc_instance *dispatch_next(struct hc_model *model, uint64_t now_ns);

/* ---- executions.c ---- */

/* Have INSTANCE, which has room, run the requests of BATCH, by _job.link. */
void executions_add(struct hc_instance *instance, struct hc_list *batch, uint64_t now_ns);
void executions_remove(struct hc_instance *instance, unsigned place);

/* Let waiting requests join an execution, as long as they may and it has not started. */
void executions_fill_up(struct hc_instance *instance, struct hc_execution *execution,
                        uint64_t now_ns);

/* The place among the instance's of the execution of that id, or that REQUEST is in; their number
 * when there is none. */
unsigned executions_find(const struct hc_instance *instance, uint64_t id);
unsigned executions_place_of(const struct hc_request *request);

/* The request's instance has nothing to do with it any more. */
void executions_detach(struct hc_request *request);

/*
 * Put the requests of an execution that was taken back where the next batch is taken from; null
 * requests have nothing to wait for.
 */
void executions_requeue(struct hc_model *model, struct hc_execution *execution, uint64_t now_ns);

/*
 * Take back the execution at PLACE, or the last one, if it waits behind another and has not begun;
 * its requests queue again.
 */
bool executions_take_back(struct hc_instance *instance, unsigned place, uint64_t now_ns);
bool executions_take_back_last(struct hc_instance *instance);

#endif
