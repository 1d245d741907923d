/* One life of one pyhost: spawn, control conversation, death. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "internal.h"

enum {
    CONTROL_FD = 3,     /* in the pyhost */
    MAX_BODY = 4 << 20, /* that a pyhost may send */
    N_FIXED_FDS = 4,
};

HC_CLEANUP(json, cJSON *, cJSON_Delete);
HC_CLEANUP(json_text, char *, cJSON_free);

void pyhost_ref(struct pyhost *host) {
    atomic_fetch_add_explicit(&host->references, 1, memory_order_relaxed);
}

void pyhost_unref(struct pyhost *host) {
    if (atomic_fetch_sub_explicit(&host->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < host->n_links; i++) {
        hc_buf_finish(&host->links[i].waiting_events);
    }
    free(host->links);
    hc_memfile_close(&host->channel);
    hc_memfile_close(&host->responses);
    hc_fd_close(host->pid_fd); /* only now: any thread may kill it as long as it has a reference */
    hc_control_reader_finish(&host->reader);
    free(host->failure);
    free(host->death);
    free(host);
}

void pyhost_kill(struct pyhost *host) {
    /* Not by process id: that may be another's by now. */
    syscall(SYS_pidfd_send_signal, host->pid_fd, SIGKILL, NULL, 0);
}

static enum hc_code create_memory(struct pyhost *host, struct hc_error *error) {
    size_t arena_size = hc_memfile_arena_size();
    const struct hc_memfile *requests = hc_arena_file(host->owner->model->model->arena);
    HC_TRY(hc_channel_create((uint32_t)host->n_links, requests->size, arena_size, &host->channel,
                             error));
    HC_TRY(hc_memfile_create("hippocamp-responses", arena_size, &host->responses, error));
    HC_TRY(hc_memfile_protect(&host->responses, error));
    host->header = hc_channel_header(&host->channel);
    for (uint32_t i = 0; i < host->n_links; i++) {
        hc_channel_attach(&host->channel, i, &host->links[i].rings);
    }
    return HC_OK;
}

/* Run the launcher with SOCKET as its control socket, leading a process group of its own. */
static enum hc_code start_process(struct pyhost *host, int socket, struct hc_error *error) {
    const struct hc_server_options *options = &host->owner->model->server->options;
    char *argv[] = {options->pyhost_path, options->python, options->module_path,
                    (char[]){'0' + CONTROL_FD, '\0'}, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, socket, CONTROL_FD);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    int failure =
        posix_spawn(&host->pid, options->pyhost_path, &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failure != 0) {
        return hc_error_set(error, HC_INTERNAL, "cannot start '%s': %s", options->pyhost_path,
                            strerror(failure));
    }
    host->pid_fd = (int)syscall(SYS_pidfd_open, host->pid, 0);
    if (host->pid_fd < 0) {
        kill(host->pid, SIGKILL);
        waitpid(host->pid, NULL, 0);
        return hc_error_set(error, HC_INTERNAL, "pidfd_open: %s", strerror(errno));
    }
    return HC_OK;
}

static enum hc_code send_json(struct pyhost *host, uint32_t kind, const cJSON *body, const int *fds,
                              size_t n_fds, struct hc_error *error) {
    hc_auto(json_text) text = cJSON_PrintUnformatted(body);
    return hc_control_send(host->control, kind, hc_text_of(text), fds, n_fds, error);
}

/* What to import, and the descriptors of all that is shared. */
static enum hc_code send_start(struct pyhost *host, struct hc_error *error) {
    const struct hc_model *model = host->owner->model->model;
    hc_auto(json) body = cJSON_CreateObject();
    hc_auto(text) version = hc_format("%lld", (long long)model->version);
    cJSON_AddStringToObject(body, "folder", model->folder);
    cJSON_AddStringToObject(body, "version", version);
    cJSON_AddStringToObject(body, "file", hc_model_file_name(model));
    cJSON_AddStringToObject(body, "instance", host->owner->instance->name);
    cJSON_AddStringToObject(body, "model", model->name);
    if (host->owner->model->config_complete || host->owner->instance->index != 0 ||
        !model->server->options.auto_complete) {
        cJSON_AddNullToObject(body, "config");
    } else {
        cJSON_AddStringToObject(body, "config", model->config_json);
    }
    int fds[N_FIXED_FDS + HC_MAX_LINKS] = {
        host->channel.fd,
        hc_arena_file(model->arena)->fd,
        host->responses.fd,
        host->owner->model->server->spin_board.fd,
    };
    for (unsigned i = 0; i < host->n_links; i++) {
        fds[N_FIXED_FDS + i] = python_event_fd(i);
    }
    return send_json(host, HC_CONTROL_START, body, fds, N_FIXED_FDS + host->n_links, error);
}

/* The args of initialize: seven strings. */
void pyhost_initialize(struct pyhost *host) {
    const struct hc_instance *instance = host->owner->instance;
    const struct hc_model *model = instance->model;
    hc_auto(json) body = cJSON_CreateObject();
    cJSON *args = cJSON_AddObjectToObject(body, "args");
    hc_auto(text) version = hc_format("%lld", (long long)model->version);
    hc_auto(text) device = hc_format("%d", instance->device);
    cJSON_AddStringToObject(args, "model_config", model->config_json);
    cJSON_AddStringToObject(args, "model_instance_kind", instance->kind);
    cJSON_AddStringToObject(args, "model_instance_name", instance->name);
    cJSON_AddStringToObject(args, "model_instance_device_id", device);
    cJSON_AddStringToObject(args, "model_repository", model->folder);
    cJSON_AddStringToObject(args, "model_version", version);
    cJSON_AddStringToObject(args, "model_name", model->name);
    cJSON_AddBoolToObject(body, "decoupled", model->decoupled);
    if (send_json(host, HC_CONTROL_INITIALIZE, body, NULL, 0, NULL) != HC_OK) {
        pyhost_kill(host);
    }
}

static void on_imported(struct pyhost *host, struct hc_text body) {
    hc_auto(json) json = cJSON_ParseWithLength(body.data, body.size);
    host->state = PYHOST_IMPORTED;
    python_on_imported(host, cJSON_GetStringValue(cJSON_GetObjectItem(json, "config")));
}

static void on_failed(struct pyhost *host, struct hc_text body) {
    hc_auto(json) json = cJSON_ParseWithLength(body.data, body.size);
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItem(json, "message"));
    if (message != NULL && host->failure == NULL) {
        host->failure = hc_strdup(message);
    }
}

static void on_log(struct hc_text body) {
    struct hc_control_log head;
    if (body.size < sizeof head) {
        return;
    }
    memcpy(&head, body.data, sizeof head);
    struct hc_text rest = {body.data + sizeof head, body.size - sizeof head};
    if (head.file_size > rest.size || head.level > HC_LOG_VERBOSE ||
        !hc_log_enabled((enum hc_log_level)head.level)) {
        return;
    }
    hc_auto(text) file = hc_strndup(rest.data, head.file_size);
    hc_log_write((enum hc_log_level)head.level, file, (int)head.line, "%.*s",
                 (int)(rest.size - head.file_size), rest.data + head.file_size);
}

static void on_frame(struct pyhost *host, const struct hc_control_frame *frame) {
    if (frame->kind == HC_CONTROL_IMPORTED && host->state == PYHOST_STARTING) {
        on_imported(host, frame->body);
    } else if (frame->kind == HC_CONTROL_READY && host->state == PYHOST_IMPORTED) {
        host->state = PYHOST_READY;
        python_on_ready(host);
    } else if (frame->kind == HC_CONTROL_FAILED) {
        on_failed(host, frame->body);
    } else if (frame->kind == HC_CONTROL_LOG) {
        on_log(frame->body);
    } else {
        hc_log_error("instance '%s' sent an unexpected control message %u; it is killed",
                     host->owner->instance->name, frame->kind);
        pyhost_kill(host);
    }
}

/* Read what there is; *ANY: there was something. False at the socket's end. */
static bool read_control(struct pyhost *host, bool *any) {
    if (hc_control_fill(&host->reader, host->control, any, NULL) != HC_OK) {
        return false;
    }
    struct hc_control_frame frame;
    int found;
    while ((found = hc_control_next(&host->reader, MAX_BODY, &frame)) > 0) {
        on_frame(host, &frame);
    }
    if (found < 0) {
        pyhost_kill(host);
    }
    return found == 0;
}

static void on_control(struct hc_watch *watch, unsigned events) {
    (void)events;
    struct pyhost *host = hc_list_item(watch, struct pyhost, control_watch);
    bool any;
    if (!read_control(host, &any)) {
        hc_watch_stop(watch);
    }
}

/* How it ended: in its own words, or else in Triton's with the reason. */
static char *describe_end(const struct pyhost *host, int status) {
    const char *name = host->owner->instance->name;
    if (host->failure != NULL) {
        return hc_strdup(host->failure);
    }
    if (WIFSIGNALED(status)) {
        return hc_format("Stub process '%s' is not healthy: it was killed by signal %d (%s).", name,
                         WTERMSIG(status), strsignal(WTERMSIG(status)));
    }
    return hc_format("Stub process '%s' is not healthy: it exited with status %d.", name,
                     WEXITSTATUS(status));
}

static void on_death(struct hc_watch *watch, unsigned events) {
    (void)events;
    struct pyhost *host = hc_list_item(watch, struct pyhost, death_watch);
    hc_watch_stop(watch);
    bool any = true;
    while (any && read_control(host, &any)) { /* its last words */
    }
    hc_watch_stop(&host->control_watch);
    kill(-host->pid, SIGKILL); /* its children; still a zombie, so the number is not reused */
    int status = 0;
    waitpid(host->pid, &status, 0);
    hc_fd_close(hc_fd_take(&host->control));
    hc_spin_forget((void *)host->owner->model->server->spin_board.base, &host->header->spinning);
    host->state = PYHOST_DEAD;
    host->death = describe_end(host, status);
    python_on_death(host);
}

static enum hc_code watch(struct pyhost *host, struct hc_error *error) {
    struct hc_loop *loop = host->owner->model->server->control;
    host->death_watch = (struct hc_watch){.fd = host->pid_fd, .on_ready = on_death};
    host->control_watch = (struct hc_watch){.fd = host->control, .on_ready = on_control};
    HC_TRY(hc_watch_start(loop, &host->death_watch, HC_WATCH_READ, error));
    return hc_watch_start(loop, &host->control_watch, HC_WATCH_READ, error);
}

static struct pyhost *create(struct python_instance *owner) {
    struct pyhost *host = hc_new(struct pyhost);
    atomic_init(&host->references, 1);
    host->owner = owner;
    host->channel = HC_MEMFILE_NONE;
    host->responses = HC_MEMFILE_NONE;
    host->pid_fd = -1;
    host->control = -1;
    host->n_links = owner->model->n_loops;
    host->links = hc_alloc_array(host->n_links, sizeof *host->links);
    pins_init(&host->pins, owner->model->model->arena, &owner->model->pins_lock);
    return host;
}

/* Everything up to a running process that is being told what to do. */
static enum hc_code start(struct pyhost *host, struct hc_error *error) {
    HC_TRY(create_memory(host, error));
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "socketpair: %s", strerror(errno));
    }
    host->control = ends[0];
    enum hc_code code = start_process(host, ends[1], error);
    close(ends[1]);
    HC_TRY(code);
    fcntl(host->control, F_SETFL, O_NONBLOCK);
    HC_TRY(watch(host, error));
    return send_start(host, error);
}

enum hc_code pyhost_spawn(struct python_instance *owner, struct pyhost **host_out,
                          struct hc_error *error) {
    struct pyhost *host = create(owner);
    enum hc_code code = start(host, error);
    if (code != HC_OK) {
        if (host->pid_fd >= 0) {
            pyhost_kill(host);
            waitpid(host->pid, NULL, 0);
        }
        hc_watch_stop(&host->death_watch);
        hc_watch_stop(&host->control_watch);
        hc_fd_close(host->control);
        pyhost_unref(host);
        return code;
    }
    *host_out = host;
    return HC_OK;
}
