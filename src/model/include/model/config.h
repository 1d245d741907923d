/*
 * The configuration of a model: from config.pbtxt to what the server works with.
 *
 * It stays what protobuf-c generated from proto/model_config.proto, Inference__ModelConfig, and
 * goes through these steps, in the order in which Triton takes them:
 *
 *     hc_config_open()       read the file, or begin with an empty config
 *     hc_config_prepare()    complete what the model's folder tells (name, backend, file name),
 *                            fill in defaults, check
 *     hc_config_place()      instance groups: names, kinds, counts and GPUs; check
 *     hc_config_merge()      take over what the backend completed, when it has
 *     hc_config_settle()     check all of it, inputs and outputs included
 *
 * hc_config_json_read() (model/config_json.h) stands for the first when a client sends the config.
 * Between prepare and place the versions to load are chosen (model/repository.h). A step that fails
 * may leave the config half changed.
 *
 * Messages are Triton's, word for word, where it has one. HC_INVALID_ARGUMENT is what is wrong with
 * a config, HC_INTERNAL a file that cannot be read, HC_UNIMPLEMENTED what this server does not do.
 *
 * Functions here keep nothing and may be called by any thread; a config has no lock.
 */
#ifndef HC_MODEL_CONFIG_H
#define HC_MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"
#include "model_config.pb-c.h"
#include "tensor/dtype.h"

/* Texts of configs may be so large, in JSON or not; larger ones are refused. */
enum { HC_CONFIG_MAX_SIZE = 4 << 20 };

/* A model may have so many instances; more are refused. */
enum { HC_CONFIG_MAX_INSTANCES = 4096 };

/* A histogram may have so many buckets, besides that of what is above them all. */
enum { HC_CONFIG_MAX_BUCKETS = 64 };

static inline void hc_config_free(Inference__ModelConfig *config) {
    inference__model_config__free_unpacked(config, NULL);
}

HC_CLEANUP(config, Inference__ModelConfig *, hc_config_free);

/* An independent copy. */
Inference__ModelConfig *hc_config_copy(const Inference__ModelConfig *config);

/* Read TEXT in protobuf's text format; FILE is its name for messages. */
enum hc_code hc_config_parse(struct hc_text text, const char *file, Inference__ModelConfig **config,
                             struct hc_error *error);

/*
 * Read the config in FOLDER, a model's: configs/<ALTERNATIVE>.pbtxt where that exists, else
 * config.pbtxt. ALTERNATIVE may be NULL or empty. A file that is not there is an error, or an empty
 * config when MAY_BE_MISSING, as it is when configs are completed.
 */
enum hc_code hc_config_open(const char *folder, const char *alternative, bool may_be_missing,
                            Inference__ModelConfig **config, struct hc_error *error);

/*
 * The config of the model NAME in FOLDER: complete it, normalise it, check it, and check that it
 * gives no other name. Without COMPLETES_LATER, when no backend will complete it, inputs and
 * outputs are checked as well.
 */
enum hc_code hc_config_prepare(Inference__ModelConfig *config, const char *name, const char *folder,
                               bool completes_later, struct hc_error *error);

/*
 * The parts of hc_config_prepare(). Completed are the name, and, as far as they are missing,
 * backend, platform and default_model_filename from what the first version's folder holds or from
 * the end of a name like "m.identity". Normalised are: version_policy (the latest), preferred batch
 * sizes (the largest), the time after which a sequence is given up (1 s), pinned memory (on).
 */
enum hc_code hc_config_complete(Inference__ModelConfig *config, const char *name,
                                const char *folder, struct hc_error *error);
void hc_config_normalise(Inference__ModelConfig *config);
enum hc_code hc_config_check(const Inference__ModelConfig *config, struct hc_error *error);
enum hc_code hc_config_check_io(const Inference__ModelConfig *config, struct hc_error *error);

/* The GPUs that instances may use, ascending. */
struct hc_gpus {
    const int32_t *ids;
    size_t n;
};

/*
 * Make the instance groups definite and check them. No group becomes one with the model's name,
 * groups without a name get that and their number ("m_0"); KIND_AUTO becomes KIND_GPU where there
 * are GPUs, among them all that the group lists, else KIND_CPU; a count below 1 becomes 1; KIND_GPU
 * without a list gets all GPUs. Ensembles have no instances and are left alone.
 */
enum hc_code hc_config_place(Inference__ModelConfig *config, const struct hc_gpus *gpus,
                             struct hc_error *error);

/*
 * Take over from COMPLETED, which the backend has made of CONFIG, what it may change:
 * max_batch_size, inputs, outputs, whether the model is decoupled, and the choice of a scheduler
 * where CONFIG has none. Normalises the result. COMPLETED gets what CONFIG had of it, and is good
 * for hc_config_free() only.
 */
enum hc_code hc_config_merge(Inference__ModelConfig *config, Inference__ModelConfig *completed,
                             struct hc_error *error);

/*
 * Check the config as it is going to be used, with the files in the model's FOLDER that it refers
 * to: labels, warm-up data, initial states.
 */
enum hc_code hc_config_settle(const Inference__ModelConfig *config, const char *folder,
                              struct hc_error *error);

/* One of a model's instances. */
struct hc_config_instance {
    char *name; /* "m_0" or "m_0_1": the group's name and a number */
    const Inference__ModelInstanceGroup *group;
    const char *kind; /* "CPU", "GPU", "MODEL" */
    int32_t device;   /* the GPU; 0 for the other kinds */
};

struct hc_config_instances {
    struct hc_config_instance *items;
    size_t n;
};

/* The instances of a config that has been placed, which must outlive the list. */
void hc_config_list_instances(const Inference__ModelConfig *config,
                              struct hc_config_instances *instances);
void hc_config_instances_finish(struct hc_config_instances *instances);

#define hc_auto_instances                                                                          \
    __attribute__((cleanup(hc_config_instances_finish))) struct hc_config_instances

/*
 * Whether the configs are the same but for instance groups and version policy: then a loaded model
 * can go on and only change its instances.
 */
bool hc_config_same_model(const Inference__ModelConfig *a, const Inference__ModelConfig *b);

/* A copy of CONFIG, but with the instance groups and the version policy of OTHER. */
Inference__ModelConfig *hc_config_with_instances(const Inference__ModelConfig *config,
                                                 const Inference__ModelConfig *other);

/* Whether instances of the one group can go on as instances of the other: only name and count may
 * differ. */
bool hc_config_same_instances(const Inference__ModelInstanceGroup *a,
                              const Inference__ModelInstanceGroup *b);

/* An input or an output, without the batch dimension; views of the config. */
struct hc_config_tensor {
    const char *name;
    enum hc_dtype dtype;
    const int64_t *dims; /* -1: any; what clients send and get */
    size_t n_dims;
    const Inference__ModelTensorReshape *reshape; /* what the model sees and makes, or NULL */
    bool optional;                                /* of inputs only */
};

struct hc_config_tensor hc_config_input(const Inference__ModelConfig *config, size_t index);
struct hc_config_tensor hc_config_output(const Inference__ModelConfig *config, size_t index);

/* The path of an output's labels in the model's FOLDER, to be freed; NULL for none. */
char *hc_config_label_path(const Inference__ModelConfig *config, size_t output, const char *folder);

/* Append what is in FILE, a data file of the config's, in SUBFOLDER of the model's FOLDER. */
enum hc_code hc_config_read_data(const char *folder, const char *subfolder, const char *file,
                                 struct hc_buf *data, struct hc_error *error);

/* The string value of a parameter, NULL when there is none. */
const char *hc_config_parameter(const Inference__ModelConfig *config, const char *name);

/* The buckets that the config gives the metric FAMILY; NULL when it says nothing of it. */
const double *hc_config_buckets(const Inference__ModelConfig *config, const char *family,
                                size_t *n);

/* What metadata calls the platform: that, or the backend. */
static inline const char *hc_config_platform(const Inference__ModelConfig *config) {
    return config->platform[0] != '\0' ? config->platform : config->backend;
}

static inline bool hc_config_is_batching(const Inference__ModelConfig *config) {
    return config->max_batch_size > 0;
}

static inline bool hc_config_is_decoupled(const Inference__ModelConfig *config) {
    return config->model_transaction_policy != NULL && config->model_transaction_policy->decoupled;
}

void hc_config_set_decoupled(Inference__ModelConfig *config, bool decoupled);

static inline bool hc_config_is_ensemble(const Inference__ModelConfig *config) {
    return config->scheduling_choice_case ==
           INFERENCE__MODEL_CONFIG__SCHEDULING_CHOICE_ENSEMBLE_SCHEDULING;
}

static inline bool hc_config_has_cache(const Inference__ModelConfig *config) {
    return config->response_cache != NULL && config->response_cache->enable;
}

#endif
