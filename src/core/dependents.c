/* Ensembles: what they wait for, and what becomes of them with the models they are made of. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "lifecycle_internal.h"
#include "model/ensemble.h"

static size_t count_steps(const Inference__ModelConfig *config) {
    return hc_config_is_ensemble(config) ? config->ensemble_scheduling->n_step : 0;
}

static const Inference__ModelEnsembling__Step *step_of(const Inference__ModelConfig *config,
                                                       size_t index) {
    return config->ensemble_scheduling->step[index];
}

/* The model of a step, or NULL: in the namespace that the step names, or the ensemble's. */
static struct managed *find_step(const struct managed *ensemble,
                                 const Inference__ModelEnsembling__Step *step) {
    const char *namespace_ = ensemble->namespace_;
    if (namespace_ != NULL && step->model_namespace[0] != '\0') {
        namespace_ = step->model_namespace;
    }
    return managed_find(ensemble->lifecycle, namespace_, step->model_name);
}

static bool uses(const struct managed *ensemble, const struct managed *managed) {
    const Inference__ModelConfig *config = ensemble->config;
    for (size_t i = 0; config != NULL && i < count_steps(config); i++) {
        if (find_step(ensemble, step_of(config, i)) == managed) {
            return true;
        }
    }
    return false;
}

/* ---- Loading ---- */

/* Have the model of a step loaded, if it is to be found. */
static bool load_step(struct managed *ensemble, const Inference__ModelEnsembling__Step *step) {
    struct managed *managed = find_step(ensemble, step);
    if (managed != NULL && (managed->loading != NULL || managed_is_ready(managed))) {
        return true;
    }
    struct hc_lifecycle *lifecycle = ensemble->lifecycle;
    const struct managed wanted = {
        .lifecycle = lifecycle,
        .name = step->model_name,
        .namespace_ = ensemble->namespace_ != NULL && step->model_namespace[0] != '\0'
                          ? step->model_namespace
                          : ensemble->namespace_,
    };
    hc_auto(text) folder = NULL;
    if (find_folder(&wanted, &folder, NULL) != HC_OK) {
        return false;
    }
    managed = managed_get(lifecycle, wanted.namespace_, wanted.name);
    load_model(managed, &(struct source){.folder = folder}, NULL);
    return !managed->config_refused;
}

enum hc_code load_dependencies(struct managed *managed, const Inference__ModelConfig *config,
                               struct hc_error *error) {
    hc_auto_buf missing = {0};
    for (size_t i = 0; i < count_steps(config); i++) {
        if (!load_step(managed, step_of(config, i))) {
            hc_buf_appendf(&missing, "%s%s", missing.size > 0 ? ", " : "",
                           step_of(config, i)->model_name);
        }
    }
    if (missing.size > 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "ensemble %s contains models that are not available or ambiguous: %s",
                            managed->name, hc_buf_string(&missing));
    }
    return HC_OK;
}

bool dependencies_loading(const struct loading *loading) {
    for (size_t i = 0; i < count_steps(loading->config); i++) {
        const struct managed *step = find_step(loading->managed, step_of(loading->config, i));
        if (step != NULL && step->loading != NULL) {
            return true;
        }
    }
    return false;
}

/* The way from one ensemble that waits to another; DEPTH ends what is itself a circle. */
static bool waits_for(const struct loading *loading, const struct managed *managed, size_t depth,
                      const struct managed **last) {
    for (size_t i = 0; depth > 0 && i < count_steps(loading->config); i++) {
        const struct managed *step = find_step(loading->managed, step_of(loading->config, i));
        *last = loading->managed;
        if (step == managed) {
            return true;
        }
        if (step != NULL && step->loading != NULL &&
            waits_for(step->loading, managed, depth - 1, last)) {
            return true;
        }
    }
    return false;
}

enum hc_code check_circle(const struct loading *loading, struct hc_error *error) {
    enum { MAX_DEPTH = 32 };
    const char *name = loading->managed->name;
    const struct managed *last;
    if (!waits_for(loading, loading->managed, MAX_DEPTH, &last)) {
        return HC_OK;
    }
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "circular dependency between ensembles: %s -> ... -> %s -> %s", name,
                        last->name, name);
}

static enum hc_code check_step(const struct managed *ensemble,
                               const Inference__ModelEnsembling__Step *step,
                               struct hc_error *error) {
    const struct managed *managed = find_step(ensemble, step);
    if (managed == NULL || !managed_is_ready(managed)) {
        const char *failure = managed == NULL ? NULL : managed->failure;
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "ensemble '%s' depends on '%s' which has no loaded version. Model '%s' "
                            "loading failed with error: %s",
                            ensemble->name, step->model_name, step->model_name,
                            failure == NULL ? "" : failure);
    }
    if (step->model_version >= 0 && managed_ready(managed, step->model_version) == NULL) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "ensemble '%s' depends on '%s' whose required version %" PRId64
                            " is not loaded.",
                            ensemble->name, step->model_name, step->model_version);
    }
    return HC_OK;
}

static const Inference__ModelConfig *find_config(void *context,
                                                 const Inference__ModelEnsembling__Step *step) {
    const struct managed *managed = find_step(context, step);
    const struct hc_model *model =
        managed == NULL ? NULL : managed_ready(managed, step->model_version);
    return model == NULL ? NULL : model->config;
}

enum hc_code settle_ensemble(struct loading *loading, struct hc_error *error) {
    struct managed *managed = loading->managed;
    for (size_t i = 0; i < count_steps(loading->config); i++) {
        HC_TRY(check_step(managed, step_of(loading->config, i), error));
    }
    loading->settled = hc_config_copy(loading->config);
    return hc_ensemble_settle(loading->settled, find_config, managed, error);
}

/* ---- What becomes of ensembles with their models ---- */

void reload_dependents(struct managed *managed) {
    hc_list_each (link, &managed->lifecycle->models) {
        struct managed *ensemble = hc_list_item(link, struct managed, link);
        if (ensemble->wanted && ensemble->loading == NULL && uses(ensemble, managed)) {
            hc_auto(config) config = hc_config_copy(ensemble->config);
            hc_auto(text) folder = hc_strdup(ensemble->folder);
            uint64_t stamp = ensemble->stamp;
            ensemble->stamp = 0;
            load_model(ensemble,
                       &(struct source){.folder = folder, .config = config, .stamp = stamp}, NULL);
        }
    }
}

void unload_dependents(struct managed *managed) {
    hc_list_each (link, &managed->lifecycle->models) {
        struct managed *ensemble = hc_list_item(link, struct managed, link);
        if (!managed_is_ready(ensemble) || !uses(ensemble, managed)) {
            continue;
        }
        for (size_t i = 0; i < ensemble->n_versions; i++) {
            managed_drop(&ensemble->versions[i]);
        }
        unload_dependents(ensemble);
    }
}

static bool is_needed(const struct managed *managed) {
    hc_list_each (link, &managed->lifecycle->models) {
        const struct managed *ensemble = hc_list_item(link, struct managed, link);
        if (ensemble->wanted && uses(ensemble, managed)) {
            return true;
        }
    }
    return managed->by_name;
}

void unload_dependencies(struct managed *managed) {
    const Inference__ModelConfig *config = managed->config;
    for (size_t i = 0; config != NULL && i < count_steps(config); i++) {
        struct managed *step = find_step(managed, step_of(config, i));
        if (step != NULL && step->wanted && !is_needed(step)) {
            unload_model(step);
            unload_dependencies(step);
        }
    }
}
