/*
 * Catalogs: which models there are, as one unchanging picture.
 *
 * The control thread makes a new catalog whenever something has changed; from then on every loop
 * sees it, without a lock (hc_server_catalog()), so that what a client was told on one connection
 * is true on all others. A catalog refers to its models; the last loop to let go of it frees it.
 */
#ifndef HC_CORE_CATALOG_H
#define HC_CORE_CATALOG_H

#include <stdatomic.h>

#include "core/model.h"

struct hc_catalog_version {
    int64_t number;
    enum hc_model_state state;
    struct hc_model *model; /* when it is ready, else NULL */
    char *reason;           /* why it is not; NULL when there is none to tell */
};

struct hc_catalog_entry {
    char *name;
    char *namespace_; /* the repository it is in when names need not be unique, else NULL */
    char *reason;     /* why there are no versions; NULL: there is none to tell */
    struct hc_catalog_version *versions; /* ascending; none: found but never loaded */
    size_t n_versions;
};

struct hc_catalog {
    atomic_uint references;
    struct hc_catalog_entry *entries; /* ascending by name and namespace */
    size_t n_entries;
    bool ready; /* everything with a config that can be read is */
};

/* Entries are filled in by the maker; one reference. */
struct hc_catalog *hc_catalog_create(size_t n_entries);
void hc_catalog_ref(struct hc_catalog *catalog);
void hc_catalog_unref(struct hc_catalog *catalog);

/* After filling in: bring entries and versions in order. */
void hc_catalog_sort(struct hc_catalog *catalog);

/* The entry of that name; NULL when there is none, or several in different namespaces. */
const struct hc_catalog_entry *hc_catalog_find(const struct hc_catalog *catalog,
                                               struct hc_text name);

/* The one in that namespace, NULL without namespacing. */
const struct hc_catalog_entry *hc_catalog_find_in(const struct hc_catalog *catalog,
                                                  const char *namespace_, const char *name);

/* Whether all that should be served is, now: nothing failed to load, and every model is up. */
bool hc_catalog_is_ready(const struct hc_catalog *catalog);

/*
 * The model to serve for NAME and VERSION (-1: the highest that is ready), borrowed from the
 * catalog; with the codes and words of Triton for one that is unknown or not ready.
 */
enum hc_code hc_catalog_model(const struct hc_catalog *catalog, struct hc_text name,
                              int64_t version, struct hc_model **model, struct hc_error *error);

#endif
