/*
 * Scheduling: what a model's config says about queues and batches, for dispatch (core/dispatch.h).
 *
 * Without dynamic batching each request is an execution. With it, requests are batched as
 * sched/batcher.h says. An instance that is busy is given its next execution early, so that there
 * is no pause between two; such a batch goes on growing until the instance takes it. Where requests
 * may be refused, overtaken or given up in the queue, they wait there.
 *
 * Sequences keep to an instance each (sched/sequencer.h); the rest of the functions hides which of
 * the two a model has. They are called with the model locked.
 */
#ifndef HC_CORE_SCHEDULE_H
#define HC_CORE_SCHEDULE_H

#include "core/model.h"

/* Set up MODEL's queue after its config, when nothing is in it; and take it down. */
void hc_schedule_configure(struct hc_model *model);
void hc_schedule_finish(struct hc_model *model);

/* Nanoseconds of a time in a config; the longest there are when it is longer. */
uint64_t hc_schedule_ns(uint64_t us);

/* Whether requests to MODEL may run together. */
static inline bool hc_schedule_batches(const struct hc_model *model) {
    return model->batcher.max_rows > 0 || (model->has_sequences && model->max_batch_size > 0);
}

/* Fill in the job of REQUEST, which has been checked; without the lock, before it is added. */
void hc_schedule_describe(struct hc_request *request);

/* Queue the request, as of queued_ns; on failure it stays the caller's. */
enum hc_code hc_schedule_add(struct hc_request *request, struct hc_error *error);

/* Whether the request waits here. */
bool hc_schedule_has(const struct hc_request *request);

/* Requests that wait; one of them, NULL when there is none. */
size_t hc_schedule_count(const struct hc_model *model);
struct hc_request *hc_schedule_first(struct hc_model *model);

/* Take a waiting request out. */
void hc_schedule_remove(struct hc_request *request, uint64_t now_ns);

/* Nobody waits for a waiting request any more: take it out, and move what cannot run without it to
 * DROPPED. */
void hc_schedule_cancel(struct hc_request *request, uint64_t now_ns, struct hc_list *dropped);

/* A request that was taken has to run again; several are put back in reverse order. */
void hc_schedule_put_back(struct hc_request *request, uint64_t now_ns);

/* A request that was taken has been answered. */
void hc_schedule_done(struct hc_request *request, uint64_t now_ns);

/* Whether anything waits that INSTANCE may run. */
bool hc_schedule_has_for(const struct hc_instance *instance);

/*
 * The next batch for INSTANCE, whose jobs go to BATCH, an empty list. False: there is none now, and
 * an alarm is set for when there may be; model->noticed may be set.
 */
bool hc_schedule_take(struct hc_instance *instance, uint64_t now_ns, struct hc_list *batch);

/* Time has passed: those that have waited too long, and an alarm is set for the next. */
struct hc_list *hc_schedule_expire(struct hc_model *model, uint64_t now_ns);

#endif
