/*
 * What is to be loaded: the config, the versions, and what of that is there already.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "cuda/driver.h"
#include "lifecycle_internal.h"
#include "model/config_json.h"
#include "model/unused.h"

void loading_free(struct loading *loading) {
    if (loading == NULL) {
        return;
    }
    for (size_t i = 0; i < loading->n_versions; i++) {
        free(loading->versions[i].failure);
    }
    hc_list_remove(&loading->link);
    free(loading->versions);
    hc_config_free(loading->config);
    hc_config_free(loading->settled);
    hc_buf_finish(&loading->unused);
    free(loading->folder);
    free(loading);
}

HC_CLEANUP(loading, struct loading *, loading_free);

enum hc_code find_folder(const struct managed *managed, char **folder, struct hc_error *error) {
    const struct hc_server_options *options = &managed->lifecycle->server->options;
    if (managed->namespace_ != NULL) {
        return hc_repository_find(&(char *){managed->namespace_}, 1, managed->name, folder, error);
    }
    return hc_repository_find(options->repositories, options->n_repositories, managed->name, folder,
                              error);
}

/* The GPUs that instances of a model with CONFIG may be on. */
static struct hc_gpus find_gpus(const Inference__ModelConfig *config) {
    const struct hc_backend *backend = hc_backend_find(config->backend);
    struct hc_gpus gpus = {0};
    if (backend == NULL || backend->can_use_gpus == NULL || backend->can_use_gpus()) {
        gpus.n = hc_cuda_devices(&gpus.ids);
    }
    return gpus;
}

/* The config to load, up to where the backend completes it, and what of it has no effect. */
static enum hc_code read_config(const struct managed *managed, const struct source *source,
                                struct hc_buf *unused, Inference__ModelConfig **config_out,
                                struct hc_error *error) {
    const struct hc_server_options *options = &managed->lifecycle->server->options;
    hc_auto(config) config = NULL;
    if (source->config != NULL) {
        *config_out = hc_config_copy(source->config);
        return HC_OK;
    }
    if (source->config_json.data != NULL) {
        HC_TRY(hc_config_json_read(source->config_json, &config, error));
    } else {
        HC_TRY(hc_config_open(source->folder, options->config_name, options->auto_complete, &config,
                              error));
    }
    hc_config_list_unused(config, unused);
    HC_TRY(hc_config_prepare(config, managed->name, source->folder, options->auto_complete, error));
    const struct hc_gpus gpus = find_gpus(config);
    HC_TRY(hc_config_place(config, &gpus, error));
    *config_out = hc_take(config);
    return HC_OK;
}

/* A number for the files of each version, and one for all. */
static enum hc_code read_stamps(const struct source *source, struct loading *loading,
                                struct hc_error *error) {
    uint64_t sum = 1;
    if (source->config != NULL || source->config_json.data != NULL) {
        loading->stamp = source->stamp;
        return HC_OK;
    }
    for (size_t i = 0; i < loading->n_versions; i++) {
        struct loading_version *version = &loading->versions[i];
        HC_TRY(hc_repository_stamp(source->folder, version->number, &version->stamp, error));
        sum = sum * 31 + version->stamp;
    }
    loading->stamp = sum != 0 ? sum : 1;
    return HC_OK;
}

enum hc_code plan_loading(struct managed *managed, const struct source *source,
                          struct loading **loading_out, struct hc_error *error) {
    hc_auto(loading) loading = hc_new(struct loading);
    loading->managed = managed;
    loading->folder = hc_strdup(source->folder);
    managed->config_refused = true;
    HC_TRY(read_config(managed, source, &loading->unused, &loading->config, error));
    managed->config_refused = false;
    hc_auto_versions all = {0};
    hc_auto_versions chosen = {0};
    HC_TRY(hc_repository_versions(source->folder, &all, error));
    HC_TRY(hc_repository_choose(loading->config, &all, &chosen, error));
    loading->versions = hc_alloc_array(chosen.n, sizeof *loading->versions);
    loading->n_versions = chosen.n;
    for (size_t i = 0; i < chosen.n; i++) {
        loading->versions[i] = (struct loading_version){
            .number = chosen.numbers[i],
            .n_retries_left = managed->lifecycle->server->options.n_load_retries,
        };
    }
    HC_TRY(read_stamps(source, loading, error));
    *loading_out = hc_take(loading);
    return HC_OK;
}

static bool same_config(const Inference__ModelConfig *a, const Inference__ModelConfig *b) {
    hc_auto_buf first = {0};
    hc_auto_buf second = {0};
    hc_config_json_print(a, &first);
    hc_config_json_print(b, &second);
    return hc_text_equal(hc_buf_text(&first), hc_buf_text(&second));
}

/* Whether what is ready is what would be loaded. */
bool is_up_to_date(const struct managed *managed, const struct loading *loading) {
    size_t n_ready = 0;
    for (size_t i = 0; i < managed->n_versions; i++) {
        n_ready += managed->versions[i].state == HC_MODEL_READY ? 1 : 0;
    }
    bool same = managed->wanted && managed->config != NULL && loading->stamp != 0 &&
                managed->stamp == loading->stamp && strcmp(managed->folder, loading->folder) == 0 &&
                n_ready == loading->n_versions;
    for (size_t i = 0; same && i < loading->n_versions; i++) {
        same = managed_ready(managed, loading->versions[i].number) != NULL;
    }
    return same && same_config(managed->config, loading->config);
}

void keep_versions(const struct managed *managed, struct loading *loading) {
    bool same = managed->wanted && managed->config != NULL && managed->stamp != 0 &&
                loading->stamp != 0 && strcmp(managed->folder, loading->folder) == 0 &&
                !hc_config_is_ensemble(loading->config) &&
                hc_config_same_model(managed->config, loading->config);
    for (size_t i = 0; same && i < loading->n_versions; i++) {
        struct loading_version *version = &loading->versions[i];
        for (size_t j = 0; j < managed->n_versions; j++) {
            const struct managed_version *there = &managed->versions[j];
            version->kept = version->kept ||
                            (there->state == HC_MODEL_READY && there->number == version->number &&
                             there->stamp == version->stamp && version->stamp != 0);
        }
    }
}
