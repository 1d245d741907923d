/* Loading and unloading for clients: their calls travel to the control thread and back. */
#include "core/control.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "lifecycle_internal.h"

/* What is to be done with one model; there are several when repositories share a name. */
struct target {
    struct load_call load_call;
    struct call *call;
    struct managed *managed;
    char *folder;
};

struct call {
    struct hc_task task;
    struct hc_lifecycle *lifecycle;
    struct hc_loop *loop; /* the caller's */
    void *user;

    const struct hc_control_load *load; /* NULL: unload */
    struct hc_text model;
    bool unload_dependents;
    hc_control_on_done *on_done;
    struct target *targets;
    size_t n_targets;
    size_t n_left;
    enum hc_code code;
    char *message;
};

static struct call *call_of(struct hc_task *task) {
    return hc_list_item(task, struct call, task);
}

static struct call *create_call(struct hc_server *server, void *user) {
    struct call *call = hc_new(struct call);
    call->lifecycle = server->lifecycle;
    call->loop = hc_loop_current();
    call->user = user;
    return call;
}

static void post(struct call *call, struct hc_loop *loop, void (*run)(struct hc_task *task)) {
    call->task.run = run;
    hc_loop_post(loop, &call->task);
}

static struct hc_loop *control_of(const struct call *call) {
    return call->lifecycle->server->control;
}

/* ---- Ending ---- */

static void on_done(struct hc_task *task) {
    struct call *call = call_of(task);
    call->on_done(call->user, call->code, hc_text_of(call->message));
    for (size_t i = 0; i < call->n_targets; i++) {
        free(call->targets[i].folder);
    }
    free(call->targets);
    free(call->message);
    free(call);
}

/* One of the targets is done, or the call itself. The catalog that shows it is out before the
 * answer. */
static void end_one(struct call *call, enum hc_code code, const char *message) {
    if (call->code == HC_OK && code != HC_OK) {
        call->code = code;
        call->message = hc_strdup(message);
    }
    if (--call->n_left == 0) {
        publish(call->lifecycle);
        post(call, call->loop, on_done);
    }
}

static void on_end(struct load_call *load_call, enum hc_code code, const char *failure) {
    end_one(hc_list_item(load_call, struct target, load_call)->call, code, failure);
}

/* ---- Loading and unloading ---- */

static void load_target(struct target *target) {
    const struct source source = {
        .folder = target->folder,
        .config_json = target->call->load->config,
    };
    target->managed->by_name = true;
    load_model(target->managed, &source, &target->load_call);
}

static void unload_target(struct target *target) {
    unload_model(target->managed);
    if (target->call->unload_dependents) {
        unload_dependencies(target->managed);
    }
    end_one(target->call, HC_OK, NULL);
}

/* A model that is loading must have ended first. */
static void begin_target(struct target *target) {
    if (target->managed->loading != NULL) {
        hc_list_append(&target->managed->waiting, &target->load_call.link);
    } else if (target->call->load != NULL) {
        load_target(target);
    } else {
        unload_target(target);
    }
}

static void on_free(struct load_call *load_call) {
    begin_target(hc_list_item(load_call, struct target, load_call));
}

static void add_target(struct call *call, struct managed *managed, const char *folder) {
    call->targets = hc_realloc(call->targets, (call->n_targets + 1) * sizeof *call->targets);
    call->targets[call->n_targets++] = (struct target){
        .load_call = {.on_end = on_end, .on_free = on_free},
        .call = call,
        .managed = managed,
        .folder = folder == NULL ? NULL : hc_strdup(folder),
    };
}

/* The folder with the client's own files, if it sent any, else the one in the repositories. */
static enum hc_code find_source(struct call *call, const struct managed *wanted, char **folder,
                                struct hc_error *error) {
    const struct hc_control_load *load = call->load;
    if (load->n_files == 0) {
        return find_folder(wanted, folder, error);
    }
    if (load->config.data == NULL) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Load parameter 'config' must be specified for model file override");
    }
    return make_override_folder(call->lifecycle, load->files, load->n_files, folder, error);
}

static enum hc_code find_sources(struct call *call, const char *name, struct hc_error *error) {
    const struct hc_server_options *options = &call->lifecycle->server->options;
    bool several = options->namespacing && call->load->n_files == 0;
    enum hc_code code = HC_OK;
    for (size_t i = 0; i < (several ? options->n_repositories : 1); i++) {
        const char *namespace_ = options->namespacing ? options->repositories[i] : NULL;
        const struct managed wanted = {
            .lifecycle = call->lifecycle,
            .name = (char *)name,
            .namespace_ = (char *)namespace_,
        };
        hc_auto(text) folder = NULL;
        code = find_source(call, &wanted, &folder, error);
        if (code == HC_OK) {
            add_target(call, managed_get(call->lifecycle, namespace_, name), folder);
        }
    }
    return call->n_targets > 0 ? HC_OK : code;
}

static void find_loaded(struct call *call, const char *name) {
    hc_list_each (link, &call->lifecycle->models) {
        struct managed *managed = hc_list_item(link, struct managed, link);
        if (strcmp(managed->name, name) == 0) {
            add_target(call, managed, NULL);
        }
    }
}

static enum hc_code check_call(const struct call *call, struct hc_error *error) {
    if (call->lifecycle->stopping) {
        return hc_error_set(error, HC_UNAVAILABLE, "Server is stopping");
    }
    if (call->lifecycle->server->options.control_mode != HC_CONTROL_EXPLICIT) {
        return hc_error_set(error, HC_UNAVAILABLE,
                            "explicit model load / unload is not allowed if polling is enabled");
    }
    return call->load == NULL ? HC_OK : hc_repository_check_name(call->model, error);
}

static void run_call(struct hc_task *task) {
    struct call *call = call_of(task);
    struct hc_error error;
    call->n_left = 1;
    if (check_call(call, &error) != HC_OK) {
        end_one(call, error.code, error.message);
        return;
    }
    hc_auto(text) name = hc_strndup(call->model.data, call->model.size);
    if (call->load == NULL) {
        find_loaded(call, name);
    } else if (find_sources(call, name, &error) != HC_OK) {
        hc_log_error("failed to load '%s': %s", name, error.message);
        hc_auto(text) message =
            hc_format("failed to load '%s', failed to poll from model repository", name);
        remove_unused_folders(call->lifecycle);
        end_one(call, HC_INTERNAL, message);
        return;
    }
    call->n_left += call->n_targets;
    for (size_t i = 0; i < call->n_targets; i++) {
        begin_target(&call->targets[i]);
    }
    remove_unused_folders(call->lifecycle);
    end_one(call, HC_OK, NULL);
}

void hc_control_load(struct hc_server *server, const struct hc_control_load *load,
                     hc_control_on_done *done, void *user) {
    struct call *call = create_call(server, user);
    call->load = load;
    call->model = load->model;
    call->on_done = done;
    post(call, control_of(call), run_call);
}

void hc_control_unload(struct hc_server *server, struct hc_text model, bool unload_dependents_too,
                       hc_control_on_done *done, void *user) {
    struct call *call = create_call(server, user);
    call->model = model;
    call->unload_dependents = unload_dependents_too;
    call->on_done = done;
    post(call, control_of(call), run_call);
}
