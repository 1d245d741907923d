/* What a backend's completion may change of a config, and which configs are the same. */
#include "base/alloc.h"
#include "model/config.h"

#define SWAP(a, b)                                                                                 \
    do {                                                                                           \
        __typeof__(a) swapped_ = (a);                                                              \
        (a) = (b);                                                                                 \
        (b) = swapped_;                                                                            \
    } while (0)

static enum hc_code merge_scheduling(Inference__ModelConfig *config,
                                     Inference__ModelConfig *completed, struct hc_error *error) {
    if (config->scheduling_choice_case == INFERENCE__MODEL_CONFIG__SCHEDULING_CHOICE__NOT_SET) {
        SWAP(config->scheduling_choice_case, completed->scheduling_choice_case);
        SWAP(config->dynamic_batching, completed->dynamic_batching); /* or its union's others */
        return HC_OK;
    }
    if (config->scheduling_choice_case != completed->scheduling_choice_case) {
        return hc_error_set(error, HC_INTERNAL,
                            "Cannot update scheduling choice from %d to %d when auto-completing.",
                            (int)config->scheduling_choice_case,
                            (int)completed->scheduling_choice_case);
    }
    return HC_OK;
}

enum hc_code hc_config_merge(Inference__ModelConfig *config, Inference__ModelConfig *completed,
                             struct hc_error *error) {
    HC_TRY(merge_scheduling(config, completed, error));
    config->max_batch_size = completed->max_batch_size;
    SWAP(config->n_input, completed->n_input);
    SWAP(config->input, completed->input);
    SWAP(config->n_output, completed->n_output);
    SWAP(config->output, completed->output);
    if (completed->model_transaction_policy != NULL) {
        hc_config_set_decoupled(config, completed->model_transaction_policy->decoupled);
    }
    hc_config_normalise(config);
    return HC_OK;
}

/* Maps are in order, so what is equal is packed to equal bytes. */
static bool same_bytes(const ProtobufCMessage *a, const ProtobufCMessage *b) {
    size_t size = protobuf_c_message_get_packed_size(a);
    if (size != protobuf_c_message_get_packed_size(b)) {
        return false;
    }
    hc_auto(memory) packed_a = hc_alloc(size);
    hc_auto(memory) packed_b = hc_alloc(size);
    protobuf_c_message_pack(a, packed_a);
    protobuf_c_message_pack(b, packed_b);
    return memcmp(packed_a, packed_b, size) == 0;
}

static Inference__ModelConfig without_instances(const Inference__ModelConfig *config) {
    Inference__ModelConfig view = *config;
    view.n_instance_group = 0;
    view.instance_group = NULL;
    view.version_policy = NULL;
    return view;
}

bool hc_config_same_model(const Inference__ModelConfig *a, const Inference__ModelConfig *b) {
    Inference__ModelConfig view_a = without_instances(a);
    Inference__ModelConfig view_b = without_instances(b);
    return same_bytes(&view_a.base, &view_b.base);
}

Inference__ModelConfig *hc_config_with_instances(const Inference__ModelConfig *config,
                                                 const Inference__ModelConfig *other) {
    Inference__ModelConfig view = *config;
    view.n_instance_group = other->n_instance_group;
    view.instance_group = other->instance_group;
    view.version_policy = other->version_policy;
    return hc_config_copy(&view);
}

bool hc_config_same_instances(const Inference__ModelInstanceGroup *a,
                              const Inference__ModelInstanceGroup *b) {
    Inference__ModelInstanceGroup view_a = *a;
    Inference__ModelInstanceGroup view_b = *b;
    view_a.name = view_b.name = (char *)protobuf_c_empty_string;
    view_a.count = view_b.count = 0;
    return same_bytes(&view_a.base, &view_b.base);
}
