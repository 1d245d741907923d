/*
 * What the files of the life cycle know of each other. All of it belongs to the control thread.
 *
 *   lifecycle.c   start and stop
 *   managed.c     which models there are, and their versions; the catalog that says so
 *   planning.c    what is to be loaded, and what of that is there already
 *   loading.c     one model loading, from its first version to the change of versions
 *   versions.c    its versions: models that get ready or fail
 *   dependents.c  ensembles: what they wait for, and what becomes of them with their models
 *   control.c     loading and unloading for clients
 *   index.c       the index
 *   override.c    folders made of files that came with a request
 *   poll.c        looking for changes in the repositories
 */
#ifndef HC_CORE_LIFECYCLE_INTERNAL_H
#define HC_CORE_LIFECYCLE_INTERNAL_H

#include "base/buf.h"
#include "core/control.h"
#include "core/lifecycle.h"
#include "core/model.h"
#include "model/repository.h"

/* A version of a model as the index has it. */
struct managed_version {
    int64_t number;
    enum hc_model_state state;
    char *reason;             /* why it is unavailable; NULL: not at all */
    struct hc_model *model;   /* while ready: one reference */
    struct hc_model *leaving; /* while unloading: borrowed */
    uint64_t stamp;           /* of the files that it was loaded from; 0: a client's own */
};

/* A model that is, was or was to be loaded. */
struct managed {
    struct hc_list link; /* in the life cycle's */
    struct hc_lifecycle *lifecycle;
    char *name;
    char *namespace_; /* its repository when names need not be unique, else NULL */
    struct managed_version *versions;
    size_t n_versions;

    /* What was loaded last. */
    char *folder;
    Inference__ModelConfig *config; /* before the backend completed it; NULL: never loaded */
    uint64_t stamp;                 /* 0: a client's own version, never up to date */

    bool wanted;         /* loaded, or to be: not yet unloaded */
    bool by_name;        /* somebody asked for it, not only an ensemble that needs it */
    bool config_refused; /* as in Triton, such a model does not count for readiness */
    char *failure;       /* of the last load, for clients; NULL: it went well */
    struct loading *loading;
    struct hc_list waiting; /* struct load_call, for when the loading has ended */

    /* When polling. */
    bool found;           /* by the look that goes on */
    uint64_t seen_stamp;  /* of the folder as it was seen last; 0: not there */
    uint64_t taken_stamp; /* as it was loaded from */
};

/* What somebody wants to be done with a model. */
struct load_call {
    struct hc_list link;
    /* The load has ended; FAILURE is NULL or, for clients, why it failed. */
    void (*on_end)(struct load_call *call, enum hc_code code, const char *failure);
    /* The load that this call was waiting for has ended: try again. */
    void (*on_free)(struct load_call *call);
};

struct loading_version {
    int64_t number;
    struct hc_model *model; /* one reference; NULL: not begun, or failed */
    char *failure;
    unsigned n_retries_left;
    uint64_t stamp;
    bool kept; /* it serves already, and is only to change its instances */
};

/* A load under way: new versions that take the place of the old ones when all are ready. */
struct loading {
    struct hc_list link; /* in the life cycle's */
    struct managed *managed;
    char *folder;
    Inference__ModelConfig *config;
    Inference__ModelConfig *settled; /* an ensemble's, as its models have it be; else NULL */
    struct hc_buf unused;            /* fields of the config that have no effect */
    uint64_t stamp;
    struct loading_version *versions;
    size_t n_versions;
    size_t n_begun;
    size_t n_ended;
    struct load_call *call; /* NULL: nobody waits for the end */
};

struct hc_lifecycle {
    struct hc_server *server;
    struct hc_list models;      /* struct managed */
    struct hc_list alive;       /* every struct hc_model not yet destroyed */
    struct hc_list loads;       /* struct loading */
    size_t n_running;           /* versions that load */
    struct hc_catalog *catalog; /* published last */
    bool catalog_is_old;        /* something has changed since */
    struct hc_task progress_task;
    bool progress_posted;

    char **temporary_folders; /* override.c */
    size_t n_temporary_folders;

    void (*on_started)(struct hc_server *server); /* NULL: has been called */
    bool any_refused; /* a repository could not be read, or the config of a model */

    struct hc_timer trim_timer; /* idle.c */
    struct hc_timer poll_timer;
    uint64_t next_regular_poll_ns;

    bool stopping;
    void (*on_stopped)(struct hc_server *server);
};

/* Soon: begin and end loads, publish what has changed. */
void progress_soon(struct hc_lifecycle *lifecycle);

/* ---- managed.c ---- */

/* NAMESPACE is NULL without namespacing. */
struct managed *managed_find(const struct hc_lifecycle *lifecycle, const char *namespace_,
                             const char *name);
struct managed *managed_get(struct hc_lifecycle *lifecycle, const char *namespace_,
                            const char *name);
void managed_free(struct managed *managed);

bool managed_is_ready(const struct managed *managed); /* any version */

/* The ready version of that NUMBER, -1 for the highest, or NULL. */
struct hc_model *managed_ready(const struct managed *managed, int64_t number);

struct managed_version *managed_version(struct managed *managed, int64_t number);

/* The version has MODEL, which is ready and whose reference is taken over, from now on. */
void managed_set(struct managed *managed, struct hc_model *model);

/* The version has no model, and this is the state of what becomes or has become of it. */
void managed_set_state(struct managed *managed, int64_t number, enum hc_model_state state,
                       const char *reason);

/* Let go of a version's model, which ends when its last request is answered. */
void managed_drop(struct managed_version *version);

/* Whether everything that should be ready is, as Triton counts. */
bool managed_all_ready(const struct hc_lifecycle *lifecycle);

/* Publish a new catalog if anything has changed. */
void publish(struct hc_lifecycle *lifecycle);

/* ---- planning.c ---- */

struct source;

/* Make a plan of what is to be loaded; on success it is the caller's. */
enum hc_code plan_loading(struct managed *managed, const struct source *source,
                          struct loading **loading, struct hc_error *error);
void loading_free(struct loading *loading);

/* Whether what is ready is what would be loaded. */
bool is_up_to_date(const struct managed *managed, const struct loading *loading);

/* Mark the versions of which nothing but their instances has changed. */
void keep_versions(const struct managed *managed, struct loading *loading);

/* The folder of a model in its repositories, to be freed. */
enum hc_code find_folder(const struct managed *managed, char **folder, struct hc_error *error);

/* ---- loading.c ---- */

/* Where a model is loaded from: a folder, with its config or another one. */
struct source {
    const char *folder;
    struct hc_text config_json;           /* the config instead of the folder's; data NULL: none */
    const Inference__ModelConfig *config; /* likewise, when it is known: of that stamp */
    uint64_t stamp;
};

/*
 * Load MANAGED, which is not loading, unless it is up to date. CALL (NULL: nobody) is told the end,
 * perhaps before this returns.
 */
void load_model(struct managed *managed, const struct source *source, struct load_call *call);

/* The load of MANAGED has failed before any version was begun. */
void refuse_load(struct managed *managed, struct load_call *call, const struct hc_error *error);

/* What clients are told of the failure of the last load, to be freed; NULL: it did not fail. */
char *describe_failure(const struct managed *managed, enum hc_code *code);

/* Begin and end what can be. */
void advance_loads(struct hc_lifecycle *lifecycle);

/* Take all versions of a model down, and with them the ensembles on top of it. */
void unload_model(struct managed *managed);

/* ---- versions.c ---- */

/* Have VERSION become ready, or fail, which loading->n_ended counts. */
void begin_version(struct loading *loading, struct loading_version *version);

/* Let go of a model that has been loaded but is not going to be served. */
void discard_model(struct hc_model *model);

/* ---- idle.c ---- */

/* From now on, give back the memory that the arenas of idle models do not need. */
void start_trimming(struct hc_lifecycle *lifecycle);

/* ---- dependents.c ---- */

/* Have what an ensemble with this config is made of loaded, as far as it is not. */
enum hc_code load_dependencies(struct managed *managed, const Inference__ModelConfig *config,
                               struct hc_error *error);

/* Whether an ensemble's load must wait for one of the models that it is made of. */
bool dependencies_loading(const struct loading *loading);

/* Whether an ensemble waits for itself. */
enum hc_code check_circle(const struct loading *loading, struct hc_error *error);

/* Check an ensemble against its models, none of which is loading. */
enum hc_code settle_ensemble(struct loading *loading, struct hc_error *error);

/* MANAGED has new versions: load the ensembles on top of it again. */
void reload_dependents(struct managed *managed);

/* MANAGED is going: so are the ensembles on top of it. */
void unload_dependents(struct managed *managed);

/* Unload what was loaded only for MANAGED, which has been unloaded. */
void unload_dependencies(struct managed *managed);

/* ---- override.c ---- */

/* A new folder with these files, to be freed; removed when nothing that is loaded is in it. */
enum hc_code make_override_folder(struct hc_lifecycle *lifecycle,
                                  const struct hc_control_file *files, size_t n_files,
                                  char **folder, struct hc_error *error);
void remove_unused_folders(struct hc_lifecycle *lifecycle);
void remove_all_folders(struct hc_lifecycle *lifecycle);

/* ---- poll.c ---- */

void start_polling(struct hc_lifecycle *lifecycle);

#endif
