/* Model repositories on disk: which models there are, and where. */
#include "model/repository.h"

#include <dirent.h>
#include <errno.h>

#include "base/alloc.h"
#include "base/log.h"
#include "files.h"
#include "versions.h"

void hc_repository_listing_finish(struct hc_repository_listing *listing) {
    for (size_t i = 0; i < listing->n; i++) {
        free(listing->models[i].name);
        free(listing->models[i].folder);
    }
    free(listing->models);
    *listing = (struct hc_repository_listing){0};
}

static bool has_config(const char *folder) {
    hc_auto(text) config = hc_path_join(folder, "config.pbtxt");
    return hc_path_exists(config);
}

static bool has_versions(const char *folder) {
    hc_auto_versions versions = {0};
    return hc_versions_read(folder, false, &versions, NULL) == HC_OK && versions.n > 0;
}

static bool holds_models(const char *folder) {
    DIR *entries = opendir(folder);
    bool found = false;
    if (entries == NULL) {
        return false;
    }
    for (struct dirent *entry; !found && (entry = readdir(entries)) != NULL;) {
        hc_auto(text) child = hc_path_join(folder, entry->d_name);
        found = entry->d_name[0] != '.' && has_config(child);
    }
    closedir(entries);
    return found;
}

/* Whether a folder in a repository is no model but holds models: it is a repository of its own. */
static bool is_repository(const char *folder) {
    return !has_config(folder) && !has_versions(folder) && holds_models(folder);
}

static enum hc_code list_root(const char *root, struct hc_repository_listing *listing,
                              struct hc_error *error) {
    DIR *entries = opendir(root);
    if (entries == NULL) {
        return hc_error_set(error, HC_INTERNAL, "failed to poll model repository '%s': %s", root,
                            strerror(errno));
    }
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        bool may_be_folder =
            entry->d_type == DT_DIR || entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
        if (entry->d_name[0] == '.' || !may_be_folder) {
            continue;
        }
        hc_auto(text) path = hc_path_join(root, entry->d_name);
        if ((entry->d_type != DT_DIR && !hc_path_is_folder(path)) || is_repository(path)) {
            continue;
        }
        size_t size = (listing->n + 1) * sizeof *listing->models;
        listing->models = hc_realloc(listing->models, size);
        listing->models[listing->n++] = (struct hc_repository_model){
            .name = hc_strdup(entry->d_name),
            .folder = hc_take(path),
        };
    }
    closedir(entries);
    return HC_OK;
}

static int compare(const void *a, const void *b) {
    return strcmp(((const struct hc_repository_model *)a)->name,
                  ((const struct hc_repository_model *)b)->name);
}

/* Models with one name, which are neighbours, become one without a folder. */
static void join_same_names(struct hc_repository_listing *listing) {
    size_t n = 0;
    for (size_t i = 0; i < listing->n; i++) {
        struct hc_repository_model *model = &listing->models[i];
        if (n > 0 && strcmp(listing->models[n - 1].name, model->name) == 0) {
            free(hc_take(listing->models[n - 1].folder));
            free(model->name);
            free(model->folder);
        } else {
            listing->models[n++] = *model;
        }
    }
    listing->n = n;
}

static bool is_repeated(char *const *roots, size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (strcmp(roots[i], roots[index]) == 0) {
            return true;
        }
    }
    return false;
}

enum hc_code hc_repository_list(char *const *roots, size_t n_roots,
                                struct hc_repository_listing *listing, struct hc_error *error) {
    enum hc_code result = HC_OK;
    for (size_t i = 0; i < n_roots; i++) {
        enum hc_code code = is_repeated(roots, i) ? HC_OK : list_root(roots[i], listing, error);
        result = code != HC_OK ? code : result;
    }
    if (listing->n > 0) {
        qsort(listing->models, listing->n, sizeof *listing->models, compare);
    }
    join_same_names(listing);
    return result;
}

enum hc_code hc_repository_check_name(struct hc_text name, struct hc_error *error) {
    if (name.size == 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Model name cannot be empty. Please enter a valid name to deploy.");
    }
    bool path = memchr(name.data, '/', name.size) != NULL ||
                memchr(name.data, '\\', name.size) != NULL ||
                memchr(name.data, '\0', name.size) != NULL || hc_text_is(name, ".") ||
                memmem(name.data, name.size, "..", 2) != NULL;
    if (path) {
        return hc_error_set(
            error, HC_INVALID_ARGUMENT,
            "invalid model name '%.*s', model name must not contain path traversal characters",
            HC_TEXT_ARGS(name));
    }
    return HC_OK;
}

enum hc_code hc_repository_find(char *const *roots, size_t n_roots, const char *name, char **folder,
                                struct hc_error *error) {
    hc_auto(text) found = NULL;
    HC_TRY(hc_repository_check_name(hc_text_of(name), error));
    for (size_t i = 0; i < n_roots; i++) {
        hc_auto(text) path = hc_path_join(roots[i], name);
        if (is_repeated(roots, i) || !hc_path_is_folder(path)) {
            continue;
        }
        if (found != NULL) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "failed to poll model '%s': not unique across all model "
                                "repositories",
                                name);
        }
        found = hc_take(path);
    }
    if (found == NULL) {
        return hc_error_set(error, HC_NOT_FOUND,
                            "failed to poll model '%s': model not found in any model repository.",
                            name);
    }
    *folder = hc_take(found);
    return HC_OK;
}
