/* Environments: found, unpacked, started. */
#include "environment.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "core/server.h"
#include "variables.h"

struct environment {
    struct hc_server *server;
    struct environment *next;
    unsigned references;
    char *path;              /* as it is known by; NULL: the server's own */
    struct timespec changed; /* of an archive */
    char *unpacked;          /* folder to be removed; NULL: none */
    char *folder;            /* NULL: the server's own */
    bool unpacking;
    struct process process; /* that unpacks it, later its zygote */
    struct hc_list waiting; /* processes to be forked when it is unpacked */
};

static struct environment *first; /* of all that there are */

static const char model_folder_word[] = "$$TRITON_MODEL_DIRECTORY";

/* ---- The end ---- */

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status;
    (void)kind;
    (void)place;
    remove(path);
    return 0;
}

static void remove_tree(const char *path) {
    enum { MAX_OPEN = 32 };
    nftw(path, remove_entry, MAX_OPEN, FTW_DEPTH | FTW_PHYS);
}

static void forget(struct environment *environment) {
    struct environment **place = &first;
    while (*place != NULL && *place != environment) {
        place = &(*place)->next;
    }
    if (*place != NULL) {
        *place = environment->next;
    }
}

static void destroy(struct environment *environment) {
    forget(environment);
    process_finish(&environment->process);
    if (environment->unpacked != NULL) {
        remove_tree(environment->unpacked);
    }
    free(environment->unpacked);
    free(environment->folder);
    free(environment->path);
    free(environment);
}

void environment_unref(struct environment *environment) {
    if (--environment->references > 0 || environment->path == NULL) {
        return; /* the server's own stays: the next model is loaded in no time */
    }
    if (environment->process.state == PROCESS_RUNNING) {
        process_kill(&environment->process); /* its end is that of the environment */
    } else {
        destroy(environment);
    }
}

void environments_finish(void) {
    while (first != NULL) {
        struct environment *environment = first;
        struct process *process = &environment->process;
        if (process->state == PROCESS_RUNNING) {
            process_abandon(process);
        }
        destroy(environment);
    }
}

/* ---- The zygote ---- */

static void on_frame(struct process *process, const struct hc_control_frame *frame) {
    if (frame->kind != HC_CONTROL_READY) {
        process_refuse(process, frame);
    }
}

static void on_zygote_end(struct process *process) {
    struct environment *environment = hc_list_item(process, struct environment, process);
    if (process->failure == NULL && environment->references > 0) {
        hc_auto(text) reason = process_describe_end(process);
        hc_log_warning("%s The next instance starts another.", reason);
    }
    process_finish(process);
    process->state = PROCESS_NEW;
    if (environment->references == 0 && environment->path != NULL) {
        destroy(environment);
    }
}

static const struct process_events zygote_events = {
    .on_frame = on_frame,
    .on_end = on_zygote_end,
};

/* FOLDER/bin/python3, or python; to be freed, NULL when there is neither. */
static char *find_python(const char *folder) {
    static const char *const names[] = {"python3", "python"};
    for (size_t i = 0; i < 2; i++) {
        char *path = hc_format("%s/bin/%s", folder, names[i]);
        if (access(path, X_OK) == 0) {
            return path;
        }
        free(path);
    }
    return NULL;
}

static enum hc_code start_zygote(struct environment *environment, struct hc_error *error) {
    const struct hc_server_options *options = &environment->server->options;
    hc_auto(text) python =
        environment->folder == NULL ? hc_strdup(options->python) : find_python(environment->folder);
    if (python == NULL) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Path %s/bin/python3 does not exist. The Python environment should "
                            "contain an interpreter.",
                            environment->folder);
    }
    hc_auto_variables variables = {0};
    variables_fill(&variables, environment->folder);
    char *argv[] = {options->pyhost_path, python, options->module_path,
                    (char[]){'0' + PROCESS_CONTROL_FD, '\0'}, NULL};
    process_init(&environment->process, environment->server->control,
                 environment->folder != NULL ? environment->folder : options->python, NULL,
                 &zygote_events);
    return process_spawn(&environment->process, argv, variables.items, error);
}

enum hc_code environment_fork(struct environment *environment, struct process *process,
                              struct hc_error *error) {
    if (environment->unpacking) {
        process_wait(process, &environment->waiting);
        return HC_OK;
    }
    if (environment->process.state != PROCESS_RUNNING) {
        HC_TRY(start_zygote(environment, error));
    }
    return process_fork(&environment->process, process, error);
}

/* ---- Unpacking ---- */

static void on_unpacker_end(struct process *process) {
    struct environment *environment = hc_list_item(process, struct environment, process);
    bool unpacked = process->has_status && process->status == 0;
    hc_auto(text) reason = process_describe_end(process);
    environment->unpacking = false;
    process_finish(process);
    process->state = PROCESS_NEW;
    struct process *child;
    while ((child = process_pop(&environment->waiting)) != NULL) {
        struct hc_error error;
        if (!unpacked) {
            process_fail(child, reason);
        } else if (environment_fork(environment, child, &error) != HC_OK) {
            process_fail(child, error.message);
        }
    }
    if (!unpacked && environment->path != NULL) {
        forget(environment); /* the next model tries again */
    }
    if (environment->references == 0) {
        destroy(environment);
    }
}

static const struct process_events unpacker_events = {
    .on_frame = process_refuse,
    .on_end = on_unpacker_end,
};

static enum hc_code unpack(struct environment *environment, struct hc_error *error) {
    struct hc_server_options *options = &environment->server->options;
    const char *folder = getenv("TMPDIR");
    environment->unpacked = hc_format("%s/python_env_XXXXXX", folder != NULL ? folder : "/tmp");
    if (mkdtemp(environment->unpacked) == NULL) {
        enum hc_code code = hc_error_set(error, HC_INTERNAL, "cannot make the folder '%s': %s",
                                         environment->unpacked, strerror(errno));
        free(hc_take(environment->unpacked));
        return code;
    }
    environment->folder = hc_strdup(environment->unpacked);
    hc_log_info("Extracting Python execution env %s", environment->path);
    process_init(&environment->process, environment->server->control, environment->path, NULL,
                 &unpacker_events);
    char *argv[] = {options->unpack_path, environment->path, environment->unpacked,
                    (char[]){'0' + PROCESS_CONTROL_FD, '\0'}, NULL};
    environment->unpacking = true;
    return process_spawn(&environment->process, argv, environ, error);
}

/* ---- Finding ---- */

/* PATH with the word for the model's folder replaced, to be freed. */
static char *expand(const char *path, const char *model_folder) {
    hc_auto_buf expanded = {0};
    const char *found;
    while ((found = strstr(path, model_folder_word)) != NULL) {
        hc_buf_append(&expanded, path, (size_t)(found - path));
        hc_buf_append_string(&expanded, model_folder);
        path = found + strlen(model_folder_word);
    }
    hc_buf_append_string(&expanded, path);
    return hc_buf_take(&expanded);
}

/* The environment that is known by PATH; an archive must not have changed since. */
static struct environment *find(const char *path, const struct stat *status) {
    for (struct environment *environment = first; environment != NULL;
         environment = environment->next) {
        bool same_path = path == NULL
                             ? environment->path == NULL
                             : environment->path != NULL && strcmp(path, environment->path) == 0;
        bool changed = environment->unpacked != NULL &&
                       (environment->changed.tv_sec != status->st_mtim.tv_sec ||
                        environment->changed.tv_nsec != status->st_mtim.tv_nsec);
        if (same_path && !changed && (environment->references > 0 || path == NULL)) {
            return environment;
        }
    }
    return NULL;
}

static struct environment *create(struct hc_server *server, const char *path) {
    struct environment *environment = hc_new(struct environment);
    environment->server = server;
    environment->path = path == NULL ? NULL : hc_strdup(path);
    process_init(&environment->process, server->control, environment->path, NULL, &zygote_events);
    hc_list_init(&environment->waiting);
    environment->next = first;
    first = environment;
    return environment;
}

/* Where the environment is; PATH is canonical, or NULL for the server's own. */
static enum hc_code locate(struct environment *environment, const struct stat *status,
                           struct hc_error *error) {
    if (environment->path == NULL) {
        return HC_OK;
    }
    if (S_ISDIR(status->st_mode)) {
        environment->folder = hc_strdup(environment->path);
        return HC_OK;
    }
    environment->changed = status->st_mtim;
    return unpack(environment, error);
}

enum hc_code environment_open(const struct hc_model *model, struct environment **environment,
                              struct hc_error *error) {
    const char *wanted = hc_config_parameter(model->config, "EXECUTION_ENV_PATH");
    hc_auto(text) path = NULL;
    struct stat status = {0};
    if (wanted != NULL && wanted[0] != '\0') {
        hc_auto(text) expanded = expand(wanted, model->folder);
        path = realpath(expanded, NULL);
        if (path == NULL || stat(path, &status) != 0) {
            return hc_error_set(error, HC_INTERNAL,
                                "Failed to get the canonical path for %s: %s (EXECUTION_ENV_PATH)",
                                expanded, strerror(errno));
        }
        hc_log_info("Using Python execution env %s", path);
    }
    struct environment *found = find(path, &status);
    if (found == NULL) {
        found = create(model->server, path);
        enum hc_code code = locate(found, &status, error);
        if (code != HC_OK) {
            destroy(found);
            return code;
        }
    }
    found->references++;
    *environment = found;
    return HC_OK;
}
