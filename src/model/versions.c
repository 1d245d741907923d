/* Versions of a model: what there is, and what the version policy chooses of it. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>

#include "base/alloc.h"
#include "base/log.h"
#include "files.h"
#include "versions.h"

void hc_versions_finish(struct hc_versions *versions) {
    free(versions->numbers);
    *versions = (struct hc_versions){0};
}

static void add(struct hc_versions *versions, int64_t number) {
    versions->numbers =
        hc_realloc(versions->numbers, (versions->n + 1) * sizeof *versions->numbers);
    versions->numbers[versions->n++] = number;
}

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void sort(struct hc_versions *versions) {
    if (versions->n > 0) {
        qsort(versions->numbers, versions->n, sizeof *versions->numbers, compare);
    }
}

static bool has(const struct hc_versions *versions, int64_t number) {
    return versions->n > 0 && bsearch(&number, versions->numbers, versions->n,
                                      sizeof *versions->numbers, compare) != NULL;
}

static bool is_known(const char *name) {
    return strcmp(name, "configs") == 0 || strcmp(name, "warmup") == 0 ||
           strcmp(name, "initial_state") == 0;
}

/* The version that the folder is of; else WHY says why it is of none. */
static bool read_number(const char *name, int64_t *number, const char **why) {
    uint64_t value;
    if (!hc_text_number(hc_text_of(name), INT64_MAX, &value)) {
        *why = "fails to convert to integral number";
        return false;
    }
    if (name[0] == '0' && name[1] != '\0') {
        *why = "contains leading zeros in its directory name";
        return false;
    }
    *number = (int64_t)value;
    return true;
}

static void read_entry(const char *folder, const char *name, bool warn,
                       struct hc_versions *versions) {
    int64_t number;
    const char *why;
    hc_auto(text) path = hc_path_join(folder, name);
    if (name[0] == '.' || is_known(name) || !hc_path_is_folder(path)) {
        return;
    }
    if (read_number(name, &number, &why)) {
        add(versions, number);
    } else if (warn) {
        hc_log_warning("ignore version directory '%s' which %s", name, why);
    }
}

enum hc_code hc_versions_read(const char *folder, bool warn, struct hc_versions *versions,
                              struct hc_error *error) {
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        return hc_error_set(error, HC_INTERNAL, "failed to open directory %s: %s", folder,
                            strerror(errno));
    }
    struct hc_versions found = {0};
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        read_entry(folder, entry->d_name, warn, &found);
    }
    closedir(entries);
    sort(&found);
    *versions = found;
    return HC_OK;
}

enum hc_code hc_repository_versions(const char *folder, struct hc_versions *versions,
                                    struct hc_error *error) {
    return hc_versions_read(folder, true, versions, error);
}

static void choose_specific(const char *model,
                            const Inference__ModelVersionPolicy__Specific *policy,
                            const struct hc_versions *all, struct hc_versions *chosen) {
    for (size_t i = 0; i < policy->n_versions; i++) {
        int64_t number = policy->versions[i];
        if (!has(all, number)) {
            hc_log_error("version %" PRId64 " is specified for model '%s', but the version "
                         "directory is not present",
                         number, model);
        } else if (!has(chosen, number)) {
            add(chosen, number);
            sort(chosen);
        }
    }
}

static void choose_latest(size_t n, const struct hc_versions *all, struct hc_versions *chosen) {
    for (size_t i = n < all->n ? all->n - n : 0; i < all->n; i++) {
        add(chosen, all->numbers[i]);
    }
}

enum hc_code hc_repository_choose(const Inference__ModelConfig *config,
                                  const struct hc_versions *all, struct hc_versions *chosen,
                                  struct hc_error *error) {
    struct hc_versions result = {0};
    const Inference__ModelVersionPolicy *policy = config->version_policy;
    switch (policy == NULL ? INFERENCE__MODEL_VERSION_POLICY__POLICY_CHOICE__NOT_SET
                           : policy->policy_choice_case) {
    case INFERENCE__MODEL_VERSION_POLICY__POLICY_CHOICE_LATEST:
        choose_latest(policy->latest->num_versions, all, &result);
        break;
    case INFERENCE__MODEL_VERSION_POLICY__POLICY_CHOICE_SPECIFIC:
        choose_specific(config->name, policy->specific, all, &result);
        break;
    default:
        choose_latest(all->n, all, &result);
        break;
    }
    if (result.n == 0) {
        return hc_error_set(
            error, HC_INVALID_ARGUMENT,
            "at least one version must be available under the version policy of model '%s'",
            config->name);
    }
    *chosen = result;
    return HC_OK;
}

char *hc_repository_version_folder(const char *folder, int64_t version) {
    return hc_format("%s/%" PRId64, folder, version);
}

char *hc_repository_model_file(const char *folder, int64_t version,
                               const Inference__ModelConfig *config) {
    return hc_format("%s/%" PRId64 "/%s", folder, version, config->default_model_filename);
}
