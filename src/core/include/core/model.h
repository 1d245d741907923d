/*
 * Models: one loaded version of a model, with its instances and what they have to do.
 *
 * Made and unmade by the control thread; const for everybody else but for what is locked. Requests
 * and catalogs hold references; with the last one, after unloading, it is destroyed on the control
 * thread.
 */
#ifndef HC_CORE_MODEL_H
#define HC_CORE_MODEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/pool.h"
#include "core/alarm.h"
#include "core/arena.h"
#include "core/backend.h"
#include "core/stats.h"
#include "model/config.h"
#include "sched/limiter.h"
#include "sched/sequencer.h"
#include "tensor/dtype.h"

/* An input or output as the config has it. */
struct hc_model_io {
    struct hc_text name;
    enum hc_dtype dtype;
    const int64_t *dims; /* without the batch dimension; -1: any */
    size_t n_dims;
    bool optional;
    bool reshaped; /* the model sees it, or makes it, in this shape */
    const int64_t *reshape;
    size_t n_reshape;
    bool ragged;                  /* requests that differ in its shape may be in one batch */
    const struct hc_text *labels; /* what the elements stand for; some may be empty */
    size_t n_labels;
};

/* A tensor that the server keeps for each sequence, as the config has it (core/state.h). */
struct hc_state_io {
    struct hc_text input;
    struct hc_text output;
    enum hc_dtype dtype;
    const int64_t *dims; /* with the batch dimension, which is 1; -1: any */
    size_t n_dims;
    const int64_t *initial_dims;
    const char *initial; /* NULL: zeros */
    size_t initial_size;
};

/* A batch on an instance. */
struct hc_execution {
    uint64_t id;             /* unique for the model; 0: the place is free */
    struct hc_list requests; /* by _job.link; without those that are answered */
    size_t n_requests;
    uint64_t batch_size;    /* of all requests together */
    bool counted;           /* in the statistics: not all requests are the server's own */
    bool open;              /* more may join as long as it has not started */
    uint64_t backend_place; /* the backend's */
};

enum {
    HC_INSTANCE_DEPTH = 2, /* one execution that runs, one that is ready to */
    HC_MAX_CONCURRENCY = 256,
};

/* What is meant for an instance (core/instances.h). */
enum hc_instance_role {
    HC_INSTANCE_SERVES,
    HC_INSTANCE_COMES,
    HC_INSTANCE_LEAVES,
    HC_INSTANCE_GONE, /* its place may be taken */
};

enum hc_instance_state {
    HC_INSTANCE_DOWN, /* starting, or dead */
    HC_INSTANCE_READY,
};

struct hc_instance {
    struct hc_model *model;
    unsigned index;
    char *name;
    const char *kind; /* "CPU", "GPU", "MODEL" */
    int device;
    bool passive; /* never given requests */
    const Inference__ModelInstanceGroup *group;
    void *backend;
    struct hc_limiter_member limited; /* core/rate_limit.h */
    struct hc_task granted_task;      /* it may run, and its model does not know yet */
    bool granted_posted;

    /* Control thread. */
    enum hc_instance_role role;
    bool kept; /* by the change of instances that is under way */

    /* Under the model's lock. */
    bool closed;    /* given nothing new: it comes, leaves or has left */
    bool idle_told; /* and has nothing any more, which the control thread is told */
    struct hc_task idle_task;
    enum hc_instance_state state;
    struct hc_execution *executions; /* the older one first; room for HC_INSTANCE_DEPTH, or more */
    unsigned n_executions;
    struct hc_list unanswered; /* requests, by _instance_link */
};

enum hc_model_state {
    HC_MODEL_LOADING,
    HC_MODEL_READY,
    HC_MODEL_UNLOADING,
    HC_MODEL_UNAVAILABLE,
};

struct hc_model {
    struct hc_server *server;
    char *name;
    const char *namespace_; /* its repository when names need not be unique, else NULL */
    int64_t version;
    char *folder;                           /* of the model, all versions */
    Inference__ModelConfig *_Atomic config; /* replaced by one with other instances only */
    char *_Atomic config_json;
    int64_t max_batch_size; /* 0: no batch dimension */
    bool decoupled;
    bool caches;           /* its responses are kept */
    uint64_t files_stamp;  /* when they are: what it was loaded from (model/repository.h) */
    bool reshapes;         /* some of its inputs or outputs */
    bool ordered;          /* responses leave in the order of the requests */
    const char *platform;  /* as metadata has it */
    struct hc_pool memory; /* of what follows */
    struct hc_model_io *inputs;
    size_t n_inputs;
    size_t n_optional_inputs;
    struct hc_model_io *outputs;
    size_t n_outputs;
    struct hc_state_io *states;
    size_t n_states;
    struct hc_arena *arena;
    struct hc_model_stats *stats; /* NULL, in tests: nothing is counted */
    const struct hc_backend *backend;
    char *backend_folder;  /* of a backend that is written in Python; NULL for the others */
    atomic_bool has_check; /* the model says itself whether it is ready (core/readiness.h) */
    void *backend_model;
    struct hc_instance **instances; /* grows under the lock, on the control thread */
    size_t n_instances;
    unsigned concurrency; /* executions that run side by side in an instance, if its backend has set
                             it before the config is complete; at most HC_MAX_CONCURRENCY */
    bool views_inputs;    /* it looks at inputs in clients' shared memory; set as above */
    bool takes_gpu_inputs; /* and at those in a GPU's memory */

    /* Control thread. */
    enum hc_model_state state;
    char *reason;  /* why it is unavailable; NULL: not at all */
    char *trouble; /* how the instance ended that ended last; NULL: none did */
    uint64_t load_start_ns;
    uint64_t load_ns;                   /* how long it took to get ready */
    struct hc_list lifecycle_link;      /* among those that are not yet destroyed */
    struct hc_instances_change *change; /* of its instances, under way; NULL: none */
    struct hc_model_config *retired;    /* configs that somebody may still look at */

    atomic_uint references;
    struct hc_task unused_task; /* posted to the control loop when the last reference has gone */
    void (*on_loaded)(struct hc_model *model);   /* state and reason say how it went */
    void (*on_unloaded)(struct hc_model *model); /* to be destroyed by the callee */

    pthread_mutex_t lock;
    struct hc_batcher batcher;
    struct hc_sequencer sequencer; /* instead of the batcher when has_sequences */
    bool has_sequences;
    bool limited;     /* instances need resources to run (core/rate_limit.h) */
    size_t n_leaving; /* instances that have been closed and are not gone */
    unsigned depth;   /* executions that an instance may have */
    uint64_t last_execution_id;
    struct hc_alarms alarms;
    struct hc_instance *noticed; /* to be kicked, since its batch is due in a moment; or NULL */
    struct hc_list order;        /* when ordered: unanswered requests, by _order_link */
};

/*
 * A model from its config, which has been placed (model/config.h) and is taken over; it has one
 * reference, an arena and instances, and nothing runs yet.
 */
enum hc_code hc_model_create(struct hc_server *server, const char *folder, int64_t version,
                             Inference__ModelConfig *config, struct hc_model **model,
                             struct hc_error *error);

/* Not referenced, and unloaded or never loaded. */
void hc_model_destroy(struct hc_model *model);

/*
 * By the backend while it loads, once: CONFIG_JSON is what the model itself makes of its config,
 * NULL when it says nothing. Takes over what a model may say, and checks the result.
 */
enum hc_code hc_model_complete(struct hc_model *model, const char *config_json,
                               struct hc_error *error);

/*
 * Control thread: the model has CONFIG from now on, which differs in its instances and is taken
 * over; who looks at the one before may go on. Or CONFIG is kept as if it had been replaced.
 */
void hc_model_replace_config(struct hc_model *model, Inference__ModelConfig *config);
void hc_model_retire_config(struct hc_model *model, Inference__ModelConfig *config);

void hc_model_ref(struct hc_model *model);
void hc_model_unref(struct hc_model *model);

/* How many executions run side by side in an instance. */
static inline unsigned hc_model_concurrency(const struct hc_model *model) {
    return model->concurrency > 1 ? model->concurrency : 1;
}

/* Whether an instance takes work, or none is needed; any thread. */
bool hc_model_is_up(struct hc_model *model);

/* What the backend reports; control thread. ERROR is NULL when the model can be served. */
void hc_model_loaded(struct hc_model *model, const struct hc_error *error);
void hc_model_unloaded(struct hc_model *model);
void hc_model_troubled(struct hc_model *model, const char *trouble);

/*
 * The path of the file that a Python model is in, to be freed: "model.py" in the version's folder
 * unless another is configured, or that of the model's backend.
 */
char *hc_model_file(const struct hc_model *model);

const struct hc_model_io *hc_model_find_input(const struct hc_model *model, struct hc_text name);
const struct hc_model_io *hc_model_find_output(const struct hc_model *model, struct hc_text name);

#endif
