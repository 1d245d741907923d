/* Catalogs: which models there are. */
#include "core/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct hc_catalog *hc_catalog_create(size_t n_entries) {
    struct hc_catalog *catalog = hc_new(struct hc_catalog);
    atomic_init(&catalog->references, 1);
    catalog->entries = hc_alloc_array(n_entries, sizeof *catalog->entries);
    catalog->n_entries = n_entries;
    return catalog;
}

void hc_catalog_ref(struct hc_catalog *catalog) {
    atomic_fetch_add_explicit(&catalog->references, 1, memory_order_relaxed);
}

static void finish_entry(struct hc_catalog_entry *entry) {
    for (size_t i = 0; i < entry->n_versions; i++) {
        if (entry->versions[i].model != NULL) {
            hc_model_unref(entry->versions[i].model);
        }
        free(entry->versions[i].reason);
    }
    free(entry->versions);
    free(entry->reason);
    free(entry->namespace_);
    free(entry->name);
}

void hc_catalog_unref(struct hc_catalog *catalog) {
    if (catalog == NULL ||
        atomic_fetch_sub_explicit(&catalog->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < catalog->n_entries; i++) {
        finish_entry(&catalog->entries[i]);
    }
    free(catalog->entries);
    free(catalog);
}

static int compare_entries(const void *a, const void *b) {
    const struct hc_catalog_entry *first = a;
    const struct hc_catalog_entry *second = b;
    int order = strcmp(first->name, second->name);
    return order != 0 || first->namespace_ == NULL ? order
                                                   : strcmp(first->namespace_, second->namespace_);
}

static int compare_versions(const void *a, const void *b) {
    int64_t first = ((const struct hc_catalog_version *)a)->number;
    int64_t second = ((const struct hc_catalog_version *)b)->number;
    return first < second ? -1 : first > second;
}

void hc_catalog_sort(struct hc_catalog *catalog) {
    qsort(catalog->entries, catalog->n_entries, sizeof *catalog->entries, compare_entries);
    for (size_t i = 0; i < catalog->n_entries; i++) {
        struct hc_catalog_entry *entry = &catalog->entries[i];
        qsort(entry->versions, entry->n_versions, sizeof *entry->versions, compare_versions);
    }
}

static int compare_name(struct hc_text name, const char *with) {
    int order = strncmp(name.data, with, name.size);
    return order != 0 ? order : with[name.size] == '\0' ? 0 : -1;
}

/* The first entry of that name, of which there may be more behind it. */
static const struct hc_catalog_entry *find_first(const struct hc_catalog *catalog,
                                                 struct hc_text name) {
    size_t low = 0;
    size_t high = catalog->n_entries;
    if (name.size == 0 || memchr(name.data, '\0', name.size) != NULL) {
        return NULL;
    }
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_name(name, catalog->entries[middle].name) <= 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    bool found = low < catalog->n_entries && compare_name(name, catalog->entries[low].name) == 0;
    return found ? &catalog->entries[low] : NULL;
}

/* How many entries have the name of FIRST. */
static size_t count_same(const struct hc_catalog *catalog, const struct hc_catalog_entry *first) {
    const struct hc_catalog_entry *end = catalog->entries + catalog->n_entries;
    const struct hc_catalog_entry *entry = first;
    while (entry < end && strcmp(entry->name, first->name) == 0) {
        entry++;
    }
    return (size_t)(entry - first);
}

const struct hc_catalog_entry *hc_catalog_find(const struct hc_catalog *catalog,
                                               struct hc_text name) {
    const struct hc_catalog_entry *first = find_first(catalog, name);
    return first != NULL && count_same(catalog, first) == 1 ? first : NULL;
}

const struct hc_catalog_entry *hc_catalog_find_in(const struct hc_catalog *catalog,
                                                  const char *namespace_, const char *name) {
    const struct hc_catalog_entry *first = find_first(catalog, hc_text_of(name));
    size_t n = first == NULL ? 0 : count_same(catalog, first);
    for (size_t i = 0; i < n; i++) {
        if (namespace_ == NULL || strcmp(first[i].namespace_, namespace_) == 0) {
            return &first[i];
        }
    }
    return NULL;
}

static enum hc_code find_latest(const struct hc_catalog_entry *entry, struct hc_model **model,
                                struct hc_error *error) {
    for (size_t i = entry->n_versions; i-- > 0;) {
        if (entry->versions[i].model != NULL) {
            *model = entry->versions[i].model;
            return HC_OK;
        }
    }
    return hc_error_set(error, HC_NOT_FOUND,
                        "Request for unknown model: '%s' has no available versions", entry->name);
}

static enum hc_code find_version(const struct hc_catalog_entry *entry, int64_t number,
                                 struct hc_model **model, struct hc_error *error) {
    for (size_t i = 0; i < entry->n_versions; i++) {
        const struct hc_catalog_version *version = &entry->versions[i];
        if (version->number != number) {
            continue;
        }
        if (version->model == NULL) {
            return hc_error_set(error, HC_UNAVAILABLE,
                                "Request for unknown model: '%s' version %lld is not at ready "
                                "state",
                                entry->name, (long long)number);
        }
        *model = version->model;
        return HC_OK;
    }
    return hc_error_set(error, HC_NOT_FOUND,
                        "Request for unknown model: '%s' version %lld is not found", entry->name,
                        (long long)number);
}

enum hc_code hc_catalog_model(const struct hc_catalog *catalog, struct hc_text name,
                              int64_t version, struct hc_model **model, struct hc_error *error) {
    const struct hc_catalog_entry *entry = find_first(catalog, name);
    if (entry == NULL || (entry->n_versions == 0 && entry->namespace_ == NULL)) {
        return hc_error_set(error, HC_NOT_FOUND, "Request for unknown model: '%.*s' is not found",
                            HC_TEXT_ARGS(name));
    }
    size_t n_same = entry->namespace_ == NULL ? 1 : count_same(catalog, entry);
    if (n_same > 1) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "There are %zu identifiers of model '%s' in global map, model "
                            "namespace must be provided to resolve ambiguity.",
                            n_same, entry->name);
    }
    return version < 0 ? find_latest(entry, model, error)
                       : find_version(entry, version, model, error);
}

static bool is_up(const struct hc_catalog_entry *entry) {
    for (size_t i = 0; i < entry->n_versions; i++) {
        if (entry->versions[i].model != NULL && !hc_model_is_up(entry->versions[i].model)) {
            return false;
        }
    }
    return true;
}

bool hc_catalog_is_ready(const struct hc_catalog *catalog) {
    bool ready = catalog->ready;
    for (size_t i = 0; i < catalog->n_entries && ready; i++) {
        ready = is_up(&catalog->entries[i]);
    }
    return ready;
}
