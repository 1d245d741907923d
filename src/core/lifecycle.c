/* The life of models: found, loaded, published, unloaded. */
#include "core/lifecycle.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "model/repository.h"

/* A model as it is in the repository, with the versions of it that are or were to be loaded. */
struct managed {
    char *name;
    char *reason;        /* why there are no versions; NULL: there are */
    bool config_refused; /* as in Triton, such a model does not count for readiness */
    struct hc_model **versions;
    size_t n_versions;
};

struct hc_lifecycle {
    struct hc_server *server;
    struct managed *models; /* ascending by name */
    size_t n_models;
    bool any_refused;           /* a repository could not be read, or the config of a model */
    struct hc_catalog *catalog; /* published last */

    size_t next_model; /* the next version to be loaded */
    size_t next_version;
    size_t n_loading;
    void (*on_started)(struct hc_server *server);

    size_t n_alive; /* versions not yet destroyed */
    bool stopping;
    void (*on_stopped)(struct hc_server *server);
};

/* ---- Publishing ---- */

static struct hc_catalog_version describe(struct hc_model *model) {
    bool ready = model->state == HC_MODEL_READY;
    if (ready) {
        hc_model_ref(model);
    }
    return (struct hc_catalog_version){
        .number = model->version,
        .state = model->state,
        .model = ready ? model : NULL,
        .reason = model->reason == NULL ? NULL : hc_strdup(model->reason),
    };
}

/* Whether everything with a config that can be read is ready. */
static bool loaded_ones_ready(const struct hc_lifecycle *lifecycle) {
    for (size_t i = 0; i < lifecycle->n_models; i++) {
        const struct managed *managed = &lifecycle->models[i];
        for (size_t j = 0; j < managed->n_versions; j++) {
            if (managed->versions[j]->state != HC_MODEL_READY) {
                return false;
            }
        }
        if (managed->reason != NULL && !managed->config_refused) {
            return false;
        }
    }
    return true;
}

static void fill_entry(const struct managed *managed, struct hc_catalog_entry *entry) {
    entry->name = hc_strdup(managed->name);
    entry->reason = managed->reason == NULL ? NULL : hc_strdup(managed->reason);
    entry->versions = hc_alloc_array(managed->n_versions, sizeof *entry->versions);
    entry->n_versions = managed->n_versions;
    for (size_t i = 0; i < managed->n_versions; i++) {
        entry->versions[i] = describe(managed->versions[i]);
    }
}

static void publish(struct hc_lifecycle *lifecycle) {
    struct hc_catalog *catalog = hc_catalog_create(lifecycle->n_models);
    for (size_t i = 0; i < lifecycle->n_models; i++) {
        fill_entry(&lifecycle->models[i], &catalog->entries[i]);
    }
    catalog->ready = loaded_ones_ready(lifecycle);
    hc_catalog_sort(catalog);
    hc_catalog_unref(lifecycle->catalog);
    lifecycle->catalog = catalog;
    hc_catalog_ref(catalog);
    hc_server_publish(lifecycle->server, catalog);
}

/* ---- Loading ---- */

static void load_more(struct hc_lifecycle *lifecycle);

static void on_loaded(struct hc_model *model) {
    struct hc_lifecycle *lifecycle = model->server->lifecycle;
    lifecycle->n_loading--;
    if (model->state == HC_MODEL_READY) {
        hc_log_info("successfully loaded '%s'", model->name);
    } else {
        hc_log_error("failed to load '%s' version %lld: %s", model->name, (long long)model->version,
                     model->reason);
    }
    load_more(lifecycle);
}

/* Take MODEL off the list of what there is. */
static void forget(struct hc_lifecycle *lifecycle, const struct hc_model *model) {
    for (size_t i = 0; i < lifecycle->n_models; i++) {
        struct managed *managed = &lifecycle->models[i];
        for (size_t j = 0; j < managed->n_versions; j++) {
            if (managed->versions[j] == model) {
                managed->versions[j] = managed->versions[--managed->n_versions];
                return;
            }
        }
    }
}

static void on_unloaded(struct hc_model *model) {
    struct hc_lifecycle *lifecycle = model->server->lifecycle;
    if (model->reason == NULL) {
        hc_log_info("successfully unloaded '%s' version %lld", model->name,
                    (long long)model->version);
    }
    forget(lifecycle, model);
    hc_model_destroy(model);
    if (--lifecycle->n_alive == 0 && lifecycle->stopping) {
        lifecycle->on_stopped(lifecycle->server);
    }
}

/* The version to be loaded next, NULL when there is none. */
static struct hc_model *next_to_load(struct hc_lifecycle *lifecycle) {
    while (lifecycle->next_model < lifecycle->n_models) {
        const struct managed *managed = &lifecycle->models[lifecycle->next_model];
        if (lifecycle->next_version < managed->n_versions) {
            return managed->versions[lifecycle->next_version++];
        }
        lifecycle->next_model++;
        lifecycle->next_version = 0;
    }
    return NULL;
}

/* Keep as many loads going as are allowed; when all are done, say so. */
static void load_more(struct hc_lifecycle *lifecycle) {
    struct hc_model *model;
    while (lifecycle->n_loading < lifecycle->server->options.n_load_threads &&
           !lifecycle->stopping && (model = next_to_load(lifecycle)) != NULL) {
        hc_log_info("loading: %s:%lld", model->name, (long long)model->version);
        lifecycle->n_loading++;
        model->backend->load(model);
    }
    if (lifecycle->n_loading == 0 && lifecycle->on_started != NULL && !lifecycle->stopping) {
        publish(lifecycle);
        hc_take(lifecycle->on_started)(lifecycle->server);
    }
}

/* The config of the model in FOLDER, up to where the backend completes it. */
static enum hc_code read_config(const struct hc_server *server, const char *name,
                                const char *folder, Inference__ModelConfig **config_out,
                                struct hc_error *error) {
    const struct hc_server_options *options = &server->options;
    Inference__ModelConfig *opened;
    HC_TRY(hc_config_open(folder, options->config_name, options->auto_complete, &opened, error));
    hc_auto(config) config = opened;
    HC_TRY(hc_config_prepare(config, name, folder, options->auto_complete, error));
    if (hc_config_is_ensemble(config)) {
        return hc_error_set(error, HC_UNIMPLEMENTED, "ensembles are not supported");
    }
    HC_TRY(hc_config_place(config, &(struct hc_gpus){0}, error));
    *config_out = hc_take(config);
    return HC_OK;
}

static enum hc_code add_versions(struct hc_lifecycle *lifecycle, struct managed *managed,
                                 const char *folder, struct hc_error *error) {
    hc_auto(config) config = NULL;
    managed->config_refused = true;
    HC_TRY(read_config(lifecycle->server, managed->name, folder, &config, error));
    managed->config_refused = false;
    hc_auto_versions all = {0};
    hc_auto_versions chosen = {0};
    HC_TRY(hc_repository_versions(folder, &all, error));
    HC_TRY(hc_repository_choose(config, &all, &chosen, error));
    managed->versions = hc_alloc_array(chosen.n, sizeof(struct hc_model *));
    for (size_t i = 0; i < chosen.n; i++) {
        struct hc_model *model;
        HC_TRY(hc_model_create(lifecycle->server, folder, chosen.numbers[i], hc_config_copy(config),
                               &model, error));
        model->on_loaded = on_loaded;
        model->on_unloaded = on_unloaded;
        managed->versions[managed->n_versions++] = model;
        lifecycle->n_alive++;
    }
    return HC_OK;
}

static void add_model(struct hc_lifecycle *lifecycle, const struct hc_repository_model *found) {
    struct managed *managed = &lifecycle->models[lifecycle->n_models++];
    managed->name = hc_strdup(found->name);
    struct hc_error error = {0};
    if (found->folder == NULL) {
        hc_error_set(&error, HC_INVALID_ARGUMENT, "model appears in two or more repositories");
    } else {
        add_versions(lifecycle, managed, found->folder, &error);
    }
    if (error.code != HC_OK) {
        lifecycle->any_refused = true;
        managed->reason = hc_format("%s: %s", hc_code_name(error.code), error.message);
        hc_log_error("failed to load '%s': %s", managed->name, managed->reason);
    }
}

void hc_lifecycle_start(struct hc_server *server, void (*on_started)(struct hc_server *server)) {
    struct hc_lifecycle *lifecycle = hc_new(struct hc_lifecycle);
    server->lifecycle = lifecycle;
    lifecycle->server = server;
    lifecycle->on_started = on_started;
    hc_auto_repository_listing listing = {0};
    struct hc_error error;
    if (hc_repository_list(server->options.repositories, server->options.n_repositories, &listing,
                           &error) != HC_OK) {
        hc_log_error("%s", error.message);
        lifecycle->any_refused = true;
    }
    lifecycle->models = hc_alloc_array(listing.n, sizeof *lifecycle->models);
    for (size_t i = 0; i < listing.n; i++) {
        add_model(lifecycle, &listing.models[i]);
    }
    load_more(lifecycle);
}

/* ---- Unloading ---- */

/* Let go of every version: each is unloaded when its last request is answered. */
static void release_all(struct hc_lifecycle *lifecycle) {
    for (size_t i = 0; i < lifecycle->n_models; i++) {
        struct managed *managed = &lifecycle->models[i];
        for (size_t j = 0; j < managed->n_versions; j++) {
            struct hc_model *model = managed->versions[j];
            if (model->state == HC_MODEL_READY || model->state == HC_MODEL_LOADING) {
                model->state = HC_MODEL_UNLOADING;
            }
            hc_model_unref(model);
        }
    }
}

void hc_lifecycle_stop(struct hc_server *server, void (*on_stopped)(struct hc_server *server)) {
    struct hc_lifecycle *lifecycle = server->lifecycle;
    lifecycle->stopping = true;
    lifecycle->on_stopped = on_stopped;
    hc_catalog_unref(hc_take(lifecycle->catalog));
    hc_server_publish(server, hc_catalog_create(0));
    if (lifecycle->n_alive == 0) {
        on_stopped(server);
        return;
    }
    release_all(lifecycle);
}

void hc_lifecycle_abandon(struct hc_server *server) {
    struct hc_lifecycle *lifecycle = server->lifecycle;
    for (size_t i = 0; i < lifecycle->n_models; i++) {
        struct managed *managed = &lifecycle->models[i];
        for (size_t j = 0; j < managed->n_versions; j++) {
            managed->versions[j]->backend->abandon(managed->versions[j]);
        }
    }
}

void hc_lifecycle_destroy(struct hc_lifecycle *lifecycle) {
    if (lifecycle == NULL) {
        return;
    }
    for (size_t i = 0; i < lifecycle->n_models; i++) {
        free(lifecycle->models[i].versions);
        free(lifecycle->models[i].reason);
        free(lifecycle->models[i].name);
    }
    free(lifecycle->models);
    hc_catalog_unref(lifecycle->catalog);
    free(lifecycle);
}

bool hc_lifecycle_all_ready(const struct hc_server *server) {
    return !server->lifecycle->any_refused && loaded_ones_ready(server->lifecycle);
}

const struct hc_catalog *hc_lifecycle_catalog(const struct hc_server *server) {
    return server->lifecycle->catalog;
}
