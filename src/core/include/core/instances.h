/*
 * The instances of a model: made from its config, and changed while it serves.
 *
 * An instance keeps its place among the model's as long as the model lives. One that is no longer
 * wanted gets nothing new, ends when it has nothing left to do (of sequences: when those that it
 * has have ended), and its place may be taken by another one.
 */
#ifndef HC_CORE_INSTANCES_H
#define HC_CORE_INSTANCES_H

#include "core/model.h"

/* Made when nothing runs yet; and freed. */
void hc_instances_make(struct hc_model *model);
void hc_instances_free(struct hc_model *model);

/* Make room for as many executions of each as the model's depth says; nothing runs yet. */
void hc_instances_make_room(struct hc_model *model);

/*
 * Control thread. Have MODEL, which is ready, run the instances that the config GROUPS says, which
 * has been placed; instances that do just the same go on. ON_DONE, also before this returns, when
 * the new ones have come up, or one has failed: then ERROR says why and nothing has changed.
 */
typedef void hc_instances_on_changed(struct hc_model *model, const struct hc_error *error);
void hc_instances_change(struct hc_model *model, const Inference__ModelConfig *groups,
                         hc_instances_on_changed *on_done);

/* What the backend reports after start() and stop(); control thread. ERROR is NULL when it runs. */
void hc_instance_started(struct hc_instance *instance, const struct hc_error *error);
void hc_instance_stopped(struct hc_instance *instance);

/*
 * Where the instance is to run, of the server's options: the policy that its group names, or that
 * for its kind: "cpu", "model", "gpu_0". NULL: anywhere.
 */
const struct hc_host_policy *hc_instance_policy(const struct hc_instance *instance);

/* Whether it is meant to run; control thread. */
static inline bool hc_instance_is_wanted(const struct hc_instance *instance) {
    return instance->role == HC_INSTANCE_SERVES || instance->role == HC_INSTANCE_COMES;
}

#endif
