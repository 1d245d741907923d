/*
 * Scheduling: what a model's config says about queues and batches, for dispatch (core/dispatch.h).
 *
 * Without dynamic batching each request is an execution. With it, requests are batched as
 * sched/batcher.h says. An instance that is busy is given its next execution early, so that there
 * is no pause between two; such a batch goes on growing until the instance takes it. Where requests
 * may be refused, overtaken or given up in the queue, they wait there.
 */
#ifndef HC_CORE_SCHEDULE_H
#define HC_CORE_SCHEDULE_H

#include "core/model.h"

/* Set up MODEL's queue after its config, when nothing is in it. */
void hc_schedule_configure(struct hc_model *model);

/* Fill in the job of REQUEST, which has been checked. */
void hc_schedule_describe(struct hc_request *request);

#endif
