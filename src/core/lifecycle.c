/* The life of models: from the start of the server to its end. */
#include "core/lifecycle.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "lifecycle_internal.h"

/* ---- Progress ---- */

static bool has_ended(const struct hc_lifecycle *lifecycle) {
    return lifecycle->stopping && hc_list_empty(&lifecycle->alive);
}

static void on_progress(struct hc_task *task) {
    struct hc_lifecycle *lifecycle = hc_list_item(task, struct hc_lifecycle, progress_task);
    lifecycle->progress_posted = false;
    if (lifecycle->stopping) {
        if (has_ended(lifecycle) && lifecycle->on_stopped != NULL) {
            hc_take(lifecycle->on_stopped)(lifecycle->server);
        }
        return;
    }
    advance_loads(lifecycle);
    publish(lifecycle);
    if (hc_list_empty(&lifecycle->loads) && lifecycle->on_started != NULL) {
        hc_take(lifecycle->on_started)(lifecycle->server);
        start_polling(lifecycle);
    }
}

void progress_soon(struct hc_lifecycle *lifecycle) {
    if (!lifecycle->progress_posted) {
        lifecycle->progress_posted = true;
        lifecycle->progress_task.run = on_progress;
        hc_loop_post(lifecycle->server->control, &lifecycle->progress_task);
    }
}

/* ---- Starting ---- */

static void load_found(struct hc_lifecycle *lifecycle, const char *namespace_,
                       const struct hc_repository_model *found) {
    struct managed *managed = managed_get(lifecycle, namespace_, found->name);
    managed->by_name = true;
    if (found->folder == NULL) {
        struct hc_error error;
        hc_error_set(&error, HC_INVALID_ARGUMENT, "model appears in two or more repositories");
        managed->config_refused = true;
        refuse_load(managed, NULL, &error);
    } else if (managed->loading == NULL) { /* else an ensemble needs it */
        load_model(managed, &(struct source){.folder = found->folder}, NULL);
    }
}

static void load_listed(struct hc_lifecycle *lifecycle, char *const *roots, size_t n_roots,
                        const char *namespace_) {
    hc_auto_repository_listing listing = {0};
    struct hc_error error;
    if (hc_repository_list(roots, n_roots, &listing, &error) != HC_OK) {
        hc_log_error("%s", error.message);
        lifecycle->any_refused = true;
    }
    for (size_t i = 0; i < listing.n; i++) {
        load_found(lifecycle, namespace_, &listing.models[i]);
    }
}

static void load_all(struct hc_lifecycle *lifecycle) {
    const struct hc_server_options *options = &lifecycle->server->options;
    if (!options->namespacing) {
        load_listed(lifecycle, options->repositories, options->n_repositories, NULL);
        return;
    }
    for (size_t i = 0; i < options->n_repositories; i++) {
        load_listed(lifecycle, &options->repositories[i], 1, options->repositories[i]);
    }
}

/* The models that are named at the start. */
static void load_named(struct hc_lifecycle *lifecycle) {
    const struct hc_server_options *options = &lifecycle->server->options;
    for (size_t i = 0; i < options->n_startup_models; i++) {
        struct managed *managed = managed_get(lifecycle, NULL, options->startup_models[i]);
        hc_auto(text) folder = NULL;
        struct hc_error error;
        managed->by_name = true;
        if (find_folder(managed, &folder, &error) != HC_OK) {
            managed->config_refused = true;
            refuse_load(managed, NULL, &error);
        } else if (managed->loading == NULL) {
            load_model(managed, &(struct source){.folder = folder}, NULL);
        }
    }
}

void hc_lifecycle_start(struct hc_server *server, void (*on_started)(struct hc_server *server)) {
    struct hc_lifecycle *lifecycle = hc_new(struct hc_lifecycle);
    const struct hc_server_options *options = &server->options;
    server->lifecycle = lifecycle;
    lifecycle->server = server;
    lifecycle->on_started = on_started;
    lifecycle->catalog_is_old = true;
    hc_list_init(&lifecycle->models);
    hc_list_init(&lifecycle->alive);
    hc_list_init(&lifecycle->loads);
    start_trimming(lifecycle);
    if (options->control_mode != HC_CONTROL_EXPLICIT || hc_server_starts_all(options)) {
        load_all(lifecycle);
    } else {
        load_named(lifecycle);
    }
    progress_soon(lifecycle);
}

/* "*" among other names. */
static bool names_are_wrong(const struct hc_server_options *options) {
    for (size_t i = 0; i < options->n_startup_models; i++) {
        if (options->n_startup_models > 1 && strcmp(options->startup_models[i], "*") == 0) {
            return true;
        }
    }
    return false;
}

char *hc_lifecycle_failure(const struct hc_server *server) {
    const struct hc_lifecycle *lifecycle = server->lifecycle;
    if (names_are_wrong(&server->options)) {
        return hc_strdup("Invalid argument - Wildcard model name '*' must be the ONLY startup "
                         "model if specified at all.");
    }
    bool named =
        server->options.control_mode == HC_CONTROL_EXPLICIT && server->options.n_startup_models > 0;
    if (!named || hc_server_starts_all(&server->options)) {
        return lifecycle->any_refused || !managed_all_ready(lifecycle)
                   ? hc_strdup("Internal - failed to load all models")
                   : NULL;
    }
    hc_list_each (link, &lifecycle->models) {
        const struct managed *managed = hc_list_item(link, struct managed, link);
        if (managed->by_name && managed->failure != NULL) {
            enum hc_code code;
            hc_auto(text) failure = describe_failure(managed, &code);
            return managed->config_refused ? hc_strdup("Internal - failed to load all models")
                                           : hc_format("%s - %s", hc_code_name(code), failure);
        }
    }
    return NULL;
}

const struct hc_catalog *hc_lifecycle_catalog(const struct hc_server *server) {
    return server->lifecycle->catalog;
}

/* ---- Stopping ---- */

/* Let go of every version: each is unloaded when its last request is answered. */
static void release_all(struct hc_lifecycle *lifecycle) {
    hc_list_each (link, &lifecycle->models) {
        struct managed *managed = hc_list_item(link, struct managed, link);
        for (size_t i = 0; i < managed->n_versions; i++) {
            managed_drop(&managed->versions[i]);
        }
    }
    hc_list_each (link, &lifecycle->loads) {
        struct loading *loading = hc_list_item(link, struct loading, link);
        for (size_t i = 0; i < loading->n_versions; i++) {
            if (loading->versions[i].model != NULL) {
                discard_model(hc_take(loading->versions[i].model));
            }
        }
    }
}

/* Those who wait for a load wait in vain. */
static void end_calls(struct hc_lifecycle *lifecycle) {
    hc_list_each (link, &lifecycle->models) {
        struct managed *managed = hc_list_item(link, struct managed, link);
        if (managed->loading != NULL && managed->loading->call != NULL) {
            struct load_call *call = hc_take(managed->loading->call);
            call->on_end(call, HC_UNAVAILABLE, "Server is stopping");
        }
        for (struct hc_list *waiting; (waiting = hc_list_pop(&managed->waiting)) != NULL;) {
            struct load_call *call = hc_list_item(waiting, struct load_call, link);
            call->on_end(call, HC_UNAVAILABLE, "Server is stopping");
        }
    }
}

void hc_lifecycle_stop(struct hc_server *server, void (*on_stopped)(struct hc_server *server)) {
    struct hc_lifecycle *lifecycle = server->lifecycle;
    lifecycle->stopping = true;
    lifecycle->on_stopped = on_stopped;
    hc_timer_stop(&lifecycle->poll_timer);
    hc_timer_stop(&lifecycle->trim_timer);
    hc_catalog_unref(hc_take(lifecycle->catalog));
    hc_server_publish(server, hc_catalog_create(0));
    end_calls(lifecycle);
    release_all(lifecycle);
    progress_soon(lifecycle);
}

void hc_lifecycle_abandon(struct hc_server *server) {
    hc_list_each (link, &server->lifecycle->alive) {
        struct hc_model *model = hc_list_item(link, struct hc_model, lifecycle_link);
        model->backend->abandon(model);
    }
}

void hc_lifecycle_destroy(struct hc_lifecycle *lifecycle) {
    if (lifecycle == NULL) {
        return;
    }
    for (struct hc_list *link; (link = hc_list_pop(&lifecycle->models)) != NULL;) {
        managed_free(hc_list_item(link, struct managed, link));
    }
    remove_all_folders(lifecycle);
    hc_catalog_unref(lifecycle->catalog);
    free(lifecycle);
}
