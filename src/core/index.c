/* The index of the repositories, which travels to the control thread and back as other calls do. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/pool.h"
#include "core/control.h"
#include "lifecycle_internal.h"

struct index_call {
    struct hc_task task;
    struct hc_lifecycle *lifecycle;
    struct hc_loop *loop; /* the caller's */
    void *user;
    bool ready_only;
    hc_control_on_index *on_index;
    struct hc_pool pool;
    struct hc_control_model *models;
    size_t n_models;
    struct hc_error error;
};

static struct index_call *call_of(struct hc_task *task) {
    return hc_list_item(task, struct index_call, task);
}

static void on_index(struct hc_task *task) {
    struct index_call *call = call_of(task);
    call->on_index(call->user, call->models, call->n_models,
                   call->error.code == HC_OK ? NULL : &call->error);
    hc_pool_finish(&call->pool);
    free(call->models);
    free(call);
}

static const char *copy(struct index_call *call, const char *text) {
    return text == NULL ? NULL : hc_pool_copy(&call->pool, hc_text_of(text));
}

static void add_model(struct index_call *call, const struct hc_control_model *model) {
    size_t n = call->n_models;
    if ((n & (n - 1)) == 0) {
        call->models = hc_realloc(call->models, (n > 0 ? 2 * n : 1) * sizeof *call->models);
    }
    call->models[call->n_models++] = *model;
}

static const char *name_of_state(enum hc_model_state state) {
    static const char *const names[] = {
        [HC_MODEL_LOADING] = "LOADING",
        [HC_MODEL_READY] = "READY",
        [HC_MODEL_UNLOADING] = "UNLOADING",
        [HC_MODEL_UNAVAILABLE] = "UNAVAILABLE",
    };
    return names[state];
}

static void add_version(struct index_call *call, const char *name,
                        const struct hc_catalog_version *version) {
    bool down = version->model != NULL && !hc_model_is_up(version->model);
    enum hc_model_state state = down ? HC_MODEL_UNAVAILABLE : version->state;
    if (call->ready_only && state != HC_MODEL_READY) {
        return;
    }
    hc_auto(text) number = hc_format("%" PRId64, version->number);
    const struct hc_control_model model = {
        .name = name,
        .version = copy(call, number),
        .state = name_of_state(state),
        .reason = copy(call, down ? version->model->trouble : version->reason),
    };
    add_model(call, &model);
}

static const struct hc_catalog_entry *find_entry(const struct index_call *call,
                                                 const char *namespace_, const char *name) {
    const struct hc_catalog *catalog = call->lifecycle->catalog;
    return catalog == NULL ? NULL : hc_catalog_find_in(catalog, namespace_, name);
}

static void add_found(struct index_call *call, const char *namespace_,
                      const struct hc_repository_model *found) {
    const char *name = copy(call, found->name);
    if (found->folder == NULL) {
        const struct hc_control_model model = {
            .name = name,
            .state = "UNAVAILABLE",
            .reason = "model appears in two or more repositories",
        };
        add_model(call, &model);
        return;
    }
    const struct hc_catalog_entry *entry = find_entry(call, namespace_, found->name);
    if (entry != NULL && entry->n_versions > 0) {
        for (size_t i = 0; i < entry->n_versions; i++) {
            add_version(call, name, &entry->versions[i]);
        }
    } else if (!call->ready_only) {
        add_model(call, &(struct hc_control_model){.name = name});
    }
}

static void add_repositories(struct index_call *call, char *const *roots, size_t n_roots,
                             const char *namespace_) {
    hc_auto_repository_listing listing = {0};
    hc_repository_list(roots, n_roots, &listing, &call->error);
    for (size_t i = 0; i < listing.n; i++) {
        add_found(call, namespace_, &listing.models[i]);
    }
}

static int compare_models(const void *a, const void *b) {
    return strcmp(((const struct hc_control_model *)a)->name,
                  ((const struct hc_control_model *)b)->name);
}

static void run_index(struct hc_task *task) {
    struct index_call *call = call_of(task);
    const struct hc_server_options *options = &call->lifecycle->server->options;
    publish(call->lifecycle);
    if (!options->namespacing) {
        add_repositories(call, options->repositories, options->n_repositories, NULL);
    } else {
        for (size_t i = 0; i < options->n_repositories; i++) {
            add_repositories(call, &options->repositories[i], 1, options->repositories[i]);
        }
        qsort(call->models, call->n_models, sizeof *call->models, compare_models);
    }
    call->task.run = on_index;
    hc_loop_post(call->loop, &call->task);
}

void hc_control_index(struct hc_server *server, bool ready_only, hc_control_on_index *done,
                      void *user) {
    struct index_call *call = hc_new(struct index_call);
    *call = (struct index_call){
        .task = {.run = run_index},
        .lifecycle = server->lifecycle,
        .loop = hc_loop_current(),
        .user = user,
        .ready_only = ready_only,
        .on_index = done,
    };
    hc_loop_post(server->control, &call->task);
}
