/* Which models there are, with their versions, and the catalog that says so. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "lifecycle_internal.h"

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

struct managed *managed_find(const struct hc_lifecycle *lifecycle, const char *namespace_,
                             const char *name) {
    hc_list_each (link, &lifecycle->models) {
        struct managed *managed = hc_list_item(link, struct managed, link);
        if (strcmp(managed->name, name) == 0 && same_text(managed->namespace_, namespace_)) {
            return managed;
        }
    }
    return NULL;
}

struct managed *managed_get(struct hc_lifecycle *lifecycle, const char *namespace_,
                            const char *name) {
    struct managed *managed = managed_find(lifecycle, namespace_, name);
    if (managed == NULL) {
        managed = hc_new(struct managed);
        managed->lifecycle = lifecycle;
        managed->name = hc_strdup(name);
        managed->namespace_ = namespace_ == NULL ? NULL : hc_strdup(namespace_);
        hc_list_init(&managed->waiting);
        hc_list_append(&lifecycle->models, &managed->link);
    }
    return managed;
}

void managed_free(struct managed *managed) {
    for (size_t i = 0; i < managed->n_versions; i++) {
        free(managed->versions[i].reason);
    }
    free(managed->versions);
    loading_free(managed->loading);
    hc_config_free(managed->config);
    free(managed->failure);
    free(managed->folder);
    free(managed->namespace_);
    free(managed->name);
    free(managed);
}

/* ---- Versions ---- */

struct hc_model *managed_ready(const struct managed *managed, int64_t number) {
    const struct managed_version *found = NULL;
    for (size_t i = 0; i < managed->n_versions; i++) {
        const struct managed_version *version = &managed->versions[i];
        bool wanted = number < 0 ? found == NULL || version->number > found->number
                                 : version->number == number;
        if (version->state == HC_MODEL_READY && wanted) {
            found = version;
        }
    }
    return found == NULL ? NULL : found->model;
}

bool managed_is_ready(const struct managed *managed) {
    return managed_ready(managed, -1) != NULL;
}

struct managed_version *managed_version(struct managed *managed, int64_t number) {
    for (size_t i = 0; i < managed->n_versions; i++) {
        if (managed->versions[i].number == number) {
            return &managed->versions[i];
        }
    }
    managed->versions =
        hc_realloc(managed->versions, (managed->n_versions + 1) * sizeof *managed->versions);
    struct managed_version *version = &managed->versions[managed->n_versions++];
    *version = (struct managed_version){.number = number, .state = HC_MODEL_UNAVAILABLE};
    return version;
}

void managed_drop(struct managed_version *version) {
    struct hc_model *model = hc_take(version->model);
    if (model != NULL) {
        version->state = HC_MODEL_UNLOADING;
        version->leaving = model;
        discard_model(model);
    }
}

void managed_set(struct managed *managed, struct hc_model *model) {
    struct managed_version *version = managed_version(managed, model->version);
    managed_drop(version);
    version->leaving = NULL;
    version->model = model;
    version->state = HC_MODEL_READY;
    free(hc_take(version->reason));
}

void managed_set_state(struct managed *managed, int64_t number, enum hc_model_state state,
                       const char *reason) {
    struct managed_version *version = managed_version(managed, number);
    version->state = state;
    version->leaving = NULL;
    free(version->reason);
    version->reason = reason == NULL ? NULL : hc_strdup(reason);
}

/* ---- Readiness ---- */

static bool version_counts_as_ready(const struct managed_version *version) {
    switch (version->state) {
    case HC_MODEL_READY:
    case HC_MODEL_UNLOADING:
        return true;
    case HC_MODEL_LOADING:
        return false;
    case HC_MODEL_UNAVAILABLE:
        break;
    }
    return version->reason != NULL && strcmp(version->reason, "unloaded") == 0;
}

static bool counts_as_ready(const struct managed *managed) {
    for (size_t i = 0; i < managed->n_versions; i++) {
        if (!version_counts_as_ready(&managed->versions[i])) {
            return false;
        }
    }
    return managed->n_versions > 0 || managed->failure == NULL || managed->config_refused ||
           !managed->wanted;
}

bool managed_all_ready(const struct hc_lifecycle *lifecycle) {
    hc_list_each (link, &lifecycle->models) {
        if (!counts_as_ready(hc_list_item(link, struct managed, link))) {
            return false;
        }
    }
    return true;
}

/* ---- The catalog ---- */

static struct hc_catalog_version describe(const struct managed_version *version) {
    bool ready = version->state == HC_MODEL_READY;
    if (ready) {
        hc_model_ref(version->model);
    }
    return (struct hc_catalog_version){
        .number = version->number,
        .state = version->state,
        .model = ready ? version->model : NULL,
        .reason = version->reason == NULL ? NULL : hc_strdup(version->reason),
    };
}

static void fill_entry(const struct managed *managed, struct hc_catalog_entry *entry) {
    entry->name = hc_strdup(managed->name);
    entry->namespace_ = managed->namespace_ == NULL ? NULL : hc_strdup(managed->namespace_);
    entry->reason = managed->failure == NULL ? NULL : hc_strdup(managed->failure);
    entry->versions = hc_alloc_array(managed->n_versions, sizeof *entry->versions);
    entry->n_versions = managed->n_versions;
    for (size_t i = 0; i < managed->n_versions; i++) {
        entry->versions[i] = describe(&managed->versions[i]);
    }
}

void publish(struct hc_lifecycle *lifecycle) {
    if (!lifecycle->catalog_is_old || lifecycle->stopping) {
        return;
    }
    lifecycle->catalog_is_old = false;
    size_t n = 0;
    hc_list_each (link, &lifecycle->models) {
        n++;
    }
    struct hc_catalog *catalog = hc_catalog_create(n);
    n = 0;
    hc_list_each (link, &lifecycle->models) {
        fill_entry(hc_list_item(link, struct managed, link), &catalog->entries[n++]);
    }
    catalog->ready = managed_all_ready(lifecycle);
    hc_catalog_sort(catalog);
    hc_catalog_unref(lifecycle->catalog);
    lifecycle->catalog = catalog;
    hc_catalog_ref(catalog);
    hc_server_publish(lifecycle->server, catalog);
}
