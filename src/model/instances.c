/* Instance groups: making them definite, checking them, and listing the instances. */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "model/config.h"

enum {
    KIND_AUTO = INFERENCE__MODEL_INSTANCE_GROUP__KIND__KIND_AUTO,
    KIND_GPU = INFERENCE__MODEL_INSTANCE_GROUP__KIND__KIND_GPU,
    KIND_CPU = INFERENCE__MODEL_INSTANCE_GROUP__KIND__KIND_CPU,
    KIND_MODEL = INFERENCE__MODEL_INSTANCE_GROUP__KIND__KIND_MODEL,
};

static bool has_gpu(const struct hc_gpus *gpus, int32_t id) {
    for (size_t i = 0; i < gpus->n; i++) {
        if (gpus->ids[i] == id) {
            return true;
        }
    }
    return false;
}

static void add_group(Inference__ModelConfig *config) {
    Inference__ModelInstanceGroup *group = hc_new(Inference__ModelInstanceGroup);
    inference__model_instance_group__init(group);
    group->name = hc_strdup(config->name);
    config->instance_group = hc_alloc_array(1, sizeof(Inference__ModelInstanceGroup *));
    config->instance_group[0] = group;
    config->n_instance_group = 1;
}

/* GPUs if there are any, and all that the group lists. */
static void choose_kind(Inference__ModelInstanceGroup *group, const struct hc_gpus *gpus) {
    bool all = gpus->n > 0;
    for (size_t i = 0; i < group->n_gpus; i++) {
        all = all && has_gpu(gpus, group->gpus[i]);
    }
    group->kind = all ? INFERENCE__MODEL_INSTANCE_GROUP__KIND__KIND_GPU
                      : INFERENCE__MODEL_INSTANCE_GROUP__KIND__KIND_CPU;
}

/* Triton gives these backends two instances on the CPU, unless told otherwise. */
static int32_t default_count(const Inference__ModelConfig *config,
                             const Inference__ModelInstanceGroup *group) {
    bool two =
        strcmp(config->backend, "onnxruntime") == 0 || strcmp(config->backend, "tensorflow") == 0;
    return two && (int)group->kind == KIND_CPU ? 2 : 1;
}

static void define_group(const Inference__ModelConfig *config, size_t index,
                         const struct hc_gpus *gpus) {
    Inference__ModelInstanceGroup *group = config->instance_group[index];
    if (group->name[0] == '\0') {
        if (group->name != protobuf_c_empty_string) {
            free(group->name);
        }
        group->name = hc_format("%s_%zu", config->name, index);
    }
    if ((int)group->kind == KIND_AUTO) {
        choose_kind(group, gpus);
    }
    if (group->count < 1) {
        group->count = default_count(config, group);
    }
    if ((int)group->kind == KIND_GPU && group->n_gpus == 0 && gpus->n > 0) {
        group->gpus = hc_realloc(group->gpus, gpus->n * sizeof *group->gpus);
        memcpy(group->gpus, gpus->ids, gpus->n * sizeof *group->gpus);
        group->n_gpus = gpus->n;
    }
}

/* PROBLEM with the group, in Triton's words. */
static enum hc_code fail(const Inference__ModelConfig *config,
                         const Inference__ModelInstanceGroup *group, const char *problem,
                         struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT, "instance group %s of model %s %s", group->name,
                        config->name, problem);
}

static enum hc_code check_gpus(const Inference__ModelConfig *config,
                               const Inference__ModelInstanceGroup *group,
                               const struct hc_gpus *gpus, struct hc_error *error) {
    if (group->n_gpus == 0) {
        return fail(config, group, "has kind KIND_GPU but no GPUs are available", error);
    }
    for (size_t i = 0; i < group->n_gpus; i++) {
        if (has_gpu(gpus, group->gpus[i])) {
            continue;
        }
        hc_auto_buf problem = {0};
        hc_buf_appendf(&problem,
                       "specifies invalid or unsupported gpu id %" PRId32
                       ". GPUs with at least the minimum required CUDA compute compatibility of "
                       "6.000000 are: ",
                       group->gpus[i]);
        for (size_t j = 0; j < gpus->n; j++) {
            hc_buf_appendf(&problem, "%s%" PRId32, j > 0 ? ", " : "", gpus->ids[j]);
        }
        return fail(config, group, hc_buf_string(&problem), error);
    }
    return HC_OK;
}

static enum hc_code check_group(const Inference__ModelConfig *config,
                                const Inference__ModelInstanceGroup *group,
                                const struct hc_gpus *gpus, struct hc_error *error) {
    switch ((int)group->kind) {
    case KIND_GPU:
        HC_TRY(check_gpus(config, group, gpus, error));
        break;
    case KIND_MODEL:
        if (group->n_gpus > 0) {
            return fail(config, group, "has kind KIND_MODEL but specifies one or more GPUs", error);
        }
        break;
    default:
        if (group->n_gpus > 0) {
            return fail(config, group, "has kind KIND_CPU but specifies one or more GPUs", error);
        }
        break;
    }
    if (group->n_profile > 0 && strcmp(config->platform, "tensorrt_plan") != 0) {
        hc_auto(text) problem = hc_format("and platform %sspecifies profile field which is only "
                                          "supported for TensorRT models",
                                          config->platform);
        return fail(config, group, problem, error);
    }
    return HC_OK;
}

/* Instances of a group with its count: one for each GPU, or one. */
static size_t group_width(const Inference__ModelInstanceGroup *group) {
    return (int)group->kind == KIND_GPU ? group->n_gpus : 1;
}

static enum hc_code check_number(const Inference__ModelConfig *config, struct hc_error *error) {
    size_t n = 0;
    for (size_t i = 0; i < config->n_instance_group; i++) {
        const Inference__ModelInstanceGroup *group = config->instance_group[i];
        size_t n_group;
        if (!hc_size_mul((size_t)group->count, group_width(group), &n_group) ||
            !hc_size_add(n, n_group, &n) || n > HC_CONFIG_MAX_INSTANCES) {
            return fail(config, group, "has more instances than a model can have", error);
        }
    }
    return HC_OK;
}

enum hc_code hc_config_place(Inference__ModelConfig *config, const struct hc_gpus *gpus,
                             struct hc_error *error) {
    if (hc_config_is_ensemble(config)) {
        return HC_OK;
    }
    if (config->n_instance_group == 0) {
        add_group(config);
    }
    for (size_t i = 0; i < config->n_instance_group; i++) {
        define_group(config, i, gpus);
    }
    for (size_t i = 0; i < config->n_instance_group; i++) {
        HC_TRY(check_group(config, config->instance_group[i], gpus, error));
    }
    return check_number(config, error);
}

static const char *kind_name(const Inference__ModelInstanceGroup *group) {
    switch ((int)group->kind) {
    case KIND_GPU:
        return "GPU";
    case KIND_MODEL:
        return "MODEL";
    default:
        return "CPU";
    }
}

static size_t list_group(const Inference__ModelInstanceGroup *group,
                         struct hc_config_instance *items) {
    size_t n = 0;
    for (int32_t number = 0; number < group->count; number++) {
        for (size_t i = 0; i < group_width(group); i++) {
            items[n++] = (struct hc_config_instance){
                .name = hc_format("%s_%" PRId32, group->name, number),
                .group = group,
                .kind = kind_name(group),
                .device = (int)group->kind == KIND_GPU ? group->gpus[i] : 0,
            };
        }
    }
    return n;
}

void hc_config_list_instances(const Inference__ModelConfig *config,
                              struct hc_config_instances *instances) {
    size_t n = 0;
    for (size_t i = 0; i < config->n_instance_group; i++) {
        n += (size_t)config->instance_group[i]->count * group_width(config->instance_group[i]);
    }
    *instances = (struct hc_config_instances){hc_alloc_array(n, sizeof *instances->items), 0};
    for (size_t i = 0; i < config->n_instance_group; i++) {
        instances->n += list_group(config->instance_group[i], instances->items + instances->n);
    }
}

void hc_config_instances_finish(struct hc_config_instances *instances) {
    for (size_t i = 0; i < instances->n; i++) {
        free(instances->items[i].name);
    }
    free(instances->items);
    *instances = (struct hc_config_instances){0};
}
