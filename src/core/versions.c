/* Versions of a load: models that are made, get ready or fail, and in the end are unloaded. */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "core/instances.h"
#include "lifecycle_internal.h"

static void on_unloaded(struct hc_model *model) {
    struct hc_lifecycle *lifecycle = model->server->lifecycle;
    if (model->reason == NULL) {
        hc_log_info("successfully unloaded '%s' version %" PRId64, model->name, model->version);
    }
    hc_list_each (link, &lifecycle->models) {
        struct managed *managed = hc_list_item(link, struct managed, link);
        for (size_t i = 0; i < managed->n_versions; i++) {
            if (managed->versions[i].leaving == model) {
                managed_set_state(managed, model->version, HC_MODEL_UNAVAILABLE, "unloaded");
                lifecycle->catalog_is_old = true;
            }
        }
    }
    hc_list_remove(&model->lifecycle_link);
    hc_model_destroy(model);
    remove_unused_folders(lifecycle);
    progress_soon(lifecycle);
}

void discard_model(struct hc_model *model) {
    model->state = HC_MODEL_UNLOADING;
    hc_model_unref(model);
}

static struct loading_version *find_loading(const struct hc_lifecycle *lifecycle,
                                            const struct hc_model *model,
                                            struct loading **loading) {
    hc_list_each (link, &lifecycle->loads) {
        *loading = hc_list_item(link, struct loading, link);
        for (size_t i = 0; i < (*loading)->n_versions; i++) {
            if ((*loading)->versions[i].model == model) {
                return &(*loading)->versions[i];
            }
        }
    }
    return NULL;
}

/* MODEL, whose backend gave it up, is forgotten; another one may be tried. */
static void fail_version(struct loading *loading, struct loading_version *version,
                         const char *failure) {
    hc_log_error("failed to load '%s' version %" PRId64 ": %s", loading->managed->name,
                 version->number, failure);
    if (version->n_retries_left > 0 && !loading->managed->lifecycle->stopping) {
        version->n_retries_left--;
        begin_version(loading, version);
        return;
    }
    version->failure = hc_strdup(failure);
    loading->n_ended++;
    progress_soon(loading->managed->lifecycle);
}

static void on_loaded(struct hc_model *model) {
    struct hc_lifecycle *lifecycle = model->server->lifecycle;
    struct loading *loading;
    struct loading_version *version = find_loading(lifecycle, model, &loading);
    if (version == NULL) {
        return; /* the server stops, and has let go of it */
    }
    lifecycle->n_running--;
    if (model->state == HC_MODEL_READY) {
        loading->n_ended++;
    } else {
        version->model = NULL;
        fail_version(loading, version, model->reason);
        hc_model_unref(model);
    }
    progress_soon(lifecycle);
}

/* The version serves with other instances, or goes on with those that it has. */
static void on_changed(struct hc_model *model, const struct hc_error *error) {
    struct hc_lifecycle *lifecycle = model->server->lifecycle;
    struct loading *loading;
    struct loading_version *version = find_loading(lifecycle, model, &loading);
    if (version == NULL) {
        return;
    }
    version->model = NULL;
    lifecycle->n_running--;
    if (error == NULL) {
        loading->n_ended++;
    } else {
        hc_auto(text) failure = hc_format("%s: %s", hc_code_name(error->code), error->message);
        fail_version(loading, version, failure);
    }
    hc_model_unref(model);
    progress_soon(lifecycle);
}

/* Nothing has changed of the version but its instances. */
static void change_version(struct loading *loading, struct loading_version *version,
                           struct hc_model *model) {
    hc_model_ref(model);
    version->model = model;
    loading->managed->lifecycle->n_running++;
    hc_instances_change(model, loading->config, on_changed);
}

void begin_version(struct loading *loading, struct loading_version *version) {
    struct hc_lifecycle *lifecycle = loading->managed->lifecycle;
    struct hc_model *kept = managed_ready(loading->managed, version->number);
    version->kept = version->kept && kept != NULL;
    if (version->kept) {
        change_version(loading, version, kept);
        return;
    }
    const Inference__ModelConfig *config =
        loading->settled != NULL ? loading->settled : loading->config;
    struct hc_model *model;
    struct hc_error error;
    hc_log_info("loading: %s:%" PRId64, loading->managed->name, version->number);
    if (hc_model_create(lifecycle->server, loading->folder, version->number, hc_config_copy(config),
                        &model, &error) != HC_OK) {
        hc_auto(text) failure = hc_format("%s: %s", hc_code_name(error.code), error.message);
        version->n_retries_left = 0;
        fail_version(loading, version, failure);
        progress_soon(lifecycle); /* nothing else may be under way */
        return;
    }
    model->on_loaded = on_loaded;
    model->on_unloaded = on_unloaded;
    model->namespace_ = loading->managed->namespace_;
    hc_list_append(&lifecycle->alive, &model->lifecycle_link);
    version->model = model;
    lifecycle->n_running++;
    model->backend->load(model);
}
