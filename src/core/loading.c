/*
 * One model loading: from its config to versions that are all ready and take the place of the old
 * ones, or of which one failed, and then nothing changes.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "lifecycle_internal.h"

/* ---- Beginning ---- */

char *describe_failure(const struct managed *managed, enum hc_code *code) {
    *code = HC_OK;
    if (managed->config_refused) {
        *code = HC_INTERNAL;
        return hc_format("failed to load '%s', failed to poll from model repository",
                         managed->name);
    }
    if (managed->failure != NULL) {
        *code = HC_INVALID_ARGUMENT;
        return hc_format("load failed for model '%s': %s\n", managed->name, managed->failure);
    }
    return NULL;
}

static void end_call(const struct managed *managed, struct load_call *call) {
    if (call != NULL) {
        enum hc_code code;
        hc_auto(text) message = describe_failure(managed, &code);
        call->on_end(call, code, message);
    }
}

static void set_failure(struct managed *managed, const char *failure) {
    free(managed->failure);
    managed->failure = failure == NULL ? NULL : hc_strdup(failure);
}

void refuse_load(struct managed *managed, struct load_call *call, const struct hc_error *error) {
    set_failure(managed, error->message);
    managed->lifecycle->any_refused = true;
    managed->lifecycle->catalog_is_old = true;
    if (managed->config_refused) {
        hc_log_error("failed to load '%s': %s: %s", managed->name, hc_code_name(error->code),
                     error->message);
    } else {
        hc_log_error("failed to load model '%s': %s", managed->name, error->message);
    }
    end_call(managed, call);
    progress_soon(managed->lifecycle);
}

static void retry_waiting(struct managed *managed) {
    struct hc_list waiting;
    hc_list_init(&waiting);
    for (struct hc_list *link; (link = hc_list_pop(&managed->waiting)) != NULL;) {
        hc_list_append(&waiting, link);
    }
    for (struct hc_list *link; (link = hc_list_pop(&waiting)) != NULL;) {
        struct load_call *call = hc_list_item(link, struct load_call, link);
        call->on_free(call);
    }
}

/* What was loaded, or was to be: the config, and where it came from. */
static void adopt(struct managed *managed, struct loading *loading, uint64_t stamp) {
    free(managed->folder);
    managed->folder = hc_take(loading->folder);
    hc_config_free(managed->config);
    managed->config = hc_take(loading->config);
    managed->stamp = stamp;
}

/* An ensemble does not fit its models, or has none: it goes, should it have been there. */
static void refuse_ensemble(struct loading *loading, const struct hc_error *error) {
    struct managed *managed = loading->managed;
    managed->loading = NULL;
    for (size_t i = managed->n_versions; i-- > 0;) {
        managed_drop(&managed->versions[i]);
        if (managed->versions[i].state == HC_MODEL_LOADING) {
            managed->versions[i] = managed->versions[--managed->n_versions];
        }
    }
    struct load_call *call = hc_take(loading->call);
    adopt(managed, loading, 0);
    loading_free(loading);
    refuse_load(managed, call, error);
    retry_waiting(managed);
}

void load_model(struct managed *managed, const struct source *source, struct load_call *call) {
    struct hc_lifecycle *lifecycle = managed->lifecycle;
    struct loading *loading;
    struct hc_error error;
    if (plan_loading(managed, source, &loading, &error) != HC_OK) {
        managed->wanted = managed->wanted || !managed->config_refused;
        refuse_load(managed, call, &error);
        return;
    }
    if (is_up_to_date(managed, loading)) {
        loading_free(loading);
        set_failure(managed, NULL);
        end_call(managed, call);
        return;
    }
    keep_versions(managed, loading);
    if (loading->unused.size > 0) {
        hc_log_info("model '%s': nothing follows from %s in its config", managed->name,
                    hc_buf_string(&loading->unused));
    }
    managed->wanted = true;
    managed->loading = loading;
    loading->call = call;
    hc_list_append(&lifecycle->loads, &loading->link);
    bool again = source->config != NULL; /* because of one of its models, not for its own sake */
    if (!again && load_dependencies(managed, loading->config, &error) != HC_OK) {
        refuse_ensemble(loading, &error);
        return;
    }
    for (size_t i = 0; i < loading->n_versions; i++) {
        if (managed_ready(managed, loading->versions[i].number) == NULL) {
            managed_set_state(managed, loading->versions[i].number, HC_MODEL_LOADING, NULL);
        }
    }
    lifecycle->catalog_is_old = true;
    progress_soon(lifecycle);
}

/* ---- Ending ---- */

/* A version of a load that failed: whatever is ready stays, what was loaded goes. */
static void give_up_version(struct managed *managed, struct loading_version *version) {
    bool serving = managed_ready(managed, version->number) != NULL;
    if (version->model != NULL) {
        if (!serving) {
            managed_set_state(managed, version->number, HC_MODEL_UNLOADING, NULL);
            managed_version(managed, version->number)->leaving = version->model;
        }
        discard_model(hc_take(version->model));
    } else if (!serving) {
        managed_set_state(managed, version->number, HC_MODEL_UNAVAILABLE, version->failure);
    }
}

static void give_up(struct loading *loading) {
    hc_auto_buf text = {0};
    for (size_t i = 0; i < loading->n_versions; i++) {
        struct loading_version *version = &loading->versions[i];
        if (version->failure != NULL) {
            hc_buf_appendf(&text, "version %" PRId64 " is at UNAVAILABLE state: %s;",
                           version->number, version->failure);
        }
        if (!version->kept) {
            give_up_version(loading->managed, version);
        }
    }
    set_failure(loading->managed, text.size > 0 ? hc_buf_string(&text) : NULL);
    hc_log_info("failed to load '%s'", loading->managed->name);
}

static bool is_loaded(const struct loading *loading, int64_t number) {
    for (size_t i = 0; i < loading->n_versions; i++) {
        if (loading->versions[i].number == number) {
            return true;
        }
    }
    return false;
}

/* All versions are ready: they take over, and those that were there before go. */
static void take_over(struct loading *loading) {
    struct managed *managed = loading->managed;
    bool other = false; /* for the ensembles on top of it */
    for (size_t i = 0; i < loading->n_versions; i++) {
        struct loading_version *version = &loading->versions[i];
        if (!version->kept) {
            managed_set(managed, hc_take(version->model));
            managed_version(managed, version->number)->stamp = version->stamp;
            other = true;
        }
    }
    for (size_t i = 0; i < managed->n_versions; i++) {
        if (!is_loaded(loading, managed->versions[i].number)) {
            other = other || managed->versions[i].model != NULL;
            managed_drop(&managed->versions[i]);
        }
    }
    adopt(managed, loading, loading->stamp);
    set_failure(managed, NULL);
    hc_log_info("successfully loaded '%s'", managed->name);
    if (other) {
        reload_dependents(managed);
    }
}

static void end_loading(struct loading *loading) {
    struct managed *managed = loading->managed;
    bool failed = false;
    for (size_t i = 0; i < loading->n_versions; i++) {
        failed = failed || loading->versions[i].failure != NULL;
    }
    managed->loading = NULL;
    managed->lifecycle->catalog_is_old = true;
    if (failed || !managed->wanted) {
        give_up(loading);
    } else {
        take_over(loading);
    }
    publish(managed->lifecycle);
    end_call(managed, loading->call);
    loading_free(loading);
    retry_waiting(managed);
    progress_soon(managed->lifecycle); /* ensembles may wait for it */
}

/* Begin as many versions as may load side by side. */
static void begin(struct loading *loading) {
    struct hc_lifecycle *lifecycle = loading->managed->lifecycle;
    bool ensemble = hc_config_is_ensemble(loading->config);
    struct hc_error error;
    if (ensemble && loading->n_begun == 0) {
        enum hc_code code = check_circle(loading, &error);
        if (code == HC_OK && dependencies_loading(loading)) {
            return;
        }
        if (code != HC_OK || settle_ensemble(loading, &error) != HC_OK) {
            refuse_ensemble(loading, &error);
            return;
        }
    }
    while (loading->n_begun < loading->n_versions &&
           (ensemble || lifecycle->n_running < lifecycle->server->options.n_load_threads)) {
        begin_version(loading, &loading->versions[loading->n_begun++]);
    }
}

void advance_loads(struct hc_lifecycle *lifecycle) {
    hc_list_each_safe (link, &lifecycle->loads) {
        struct loading *loading = hc_list_item(link, struct loading, link);
        if (loading->n_begun < loading->n_versions) {
            begin(loading);
        } else if (loading->n_ended == loading->n_versions) {
            end_loading(loading);
        }
    }
}

/* ---- Unloading ---- */

void unload_model(struct managed *managed) {
    managed->wanted = false;
    managed->by_name = false;
    managed->config_refused = false;
    set_failure(managed, NULL);
    for (size_t i = 0; i < managed->n_versions; i++) {
        managed_drop(&managed->versions[i]);
    }
    managed->lifecycle->catalog_is_old = true;
    unload_dependents(managed);
    progress_soon(managed->lifecycle);
}
