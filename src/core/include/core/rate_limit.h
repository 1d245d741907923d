/*
 * Rate limiting: an instance runs only when the resources that its group's rate_limiter names are
 * free (sched/limiter.h), over all models of the server.
 *
 * One that has to wait is in line; when it may run, its model's queue is looked at again, on
 * whichever loop made that possible. An instance that may run and has nothing to do gives its
 * resources back at once. All but the start and the end, with the model locked, on any loop.
 */
#ifndef HC_CORE_RATE_LIMIT_H
#define HC_CORE_RATE_LIMIT_H

#include "core/model.h"
#include "core/server.h"

/* If the server's options say so. */
void hc_rate_limit_start(struct hc_server *server);
void hc_rate_limit_finish(struct hc_server *server);

/* Control thread: MODEL's instances, or one of them, are there; they go. HC_INVALID_ARGUMENT as
 * sched/limiter.h says. */
enum hc_code hc_rate_limit_join(struct hc_model *model, struct hc_error *error);
void hc_rate_limit_leave(struct hc_model *model);
enum hc_code hc_rate_limit_join_one(struct hc_instance *instance, struct hc_error *error);
void hc_rate_limit_leave_one(struct hc_instance *instance);

/*
 * An idle instance of a model whose requests wait, and that may run one now; NULL when none can.
 * Puts as many instances in line as there are requests.
 */
struct hc_instance *hc_rate_limit_pick(struct hc_model *model, size_t n_waiting);

/* Whether the idle INSTANCE may run; if not, it is in line. */
bool hc_rate_limit_acquire(struct hc_instance *instance);

/* The instance has run, and wants to run AGAIN; its model's queue is looked at after this. */
void hc_rate_limit_ran(struct hc_instance *instance, bool again);

/* The instance may run and has nothing to do after all. */
void hc_rate_limit_release(struct hc_instance *instance);

/* Nothing waits for the idle instances of MODEL any more, or for INSTANCE. */
void hc_rate_limit_settle(struct hc_model *model);
void hc_rate_limit_settle_one(struct hc_instance *instance);

#endif
