/* One life of one instance: its memory, its process, the conversation with it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "core/arena.h"
#include "core/instances.h"
#include "internal.h"
#include "metrics/metrics.h"

enum { N_FIXED_FDS = 6 };

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
    hc_fd_close(host->events_fd);
    process_finish(&host->process);
    if (host->guest_of != NULL) {
        pyhost_unref(host->guest_of);
    }
    free(host->death);
    free(host);
}

void pyhost_kill(struct pyhost *host) {
    process_kill(host->guest_of != NULL ? &host->guest_of->process : &host->process);
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
    host->events_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (host->events_fd < 0) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "eventfd: %s", strerror(errno));
    }
    return HC_OK;
}

static enum hc_code send_json(struct process *process, uint32_t kind, const cJSON *body,
                              const int *fds, size_t n_fds, struct hc_error *error) {
    hc_auto(json_text) text = cJSON_PrintUnformatted(body);
    return hc_control_send(process->control, kind, hc_text_of(text), fds, n_fds, error);
}

enum hc_code pyhost_send_start(struct process *process, const struct python_model *model,
                               bool complete, struct hc_error *error) {
    const struct hc_model *served = model->model;
    hc_auto(json) body = cJSON_CreateObject();
    hc_auto(text) version = hc_format("%lld", (long long)served->version);
    cJSON_AddStringToObject(body, "folder", served->folder);
    cJSON_AddStringToObject(body, "version", version);
    hc_auto(text) file = hc_model_file(served);
    cJSON_AddStringToObject(body, "file", file);
    cJSON_AddBoolToObject(body, "of_backend", served->backend_folder != NULL);
    cJSON_AddStringToObject(body, "process", process->name);
    cJSON_AddStringToObject(body, "model", served->name);
    if (complete && served->server->options.auto_complete) {
        cJSON_AddStringToObject(body, "config", served->config_json);
    } else {
        cJSON_AddNullToObject(body, "config");
    }
    return send_json(process, HC_CONTROL_START, body, NULL, 0, error);
}

/* What hooks are told of the model. */
static cJSON *add_args(cJSON *body, const struct hc_model *model) {
    cJSON *args = cJSON_AddObjectToObject(body, "args");
    hc_auto(text) version = hc_format("%lld", (long long)model->version);
    cJSON_AddStringToObject(args, "model_config", model->config_json);
    cJSON_AddStringToObject(args, "model_repository", model->folder);
    cJSON_AddStringToObject(args, "model_version", version);
    cJSON_AddStringToObject(args, "model_name", model->name);
    return args;
}

enum hc_code pyhost_send_preload(struct process *process, const struct python_model *model,
                                 struct hc_error *error) {
    hc_auto(json) body = cJSON_CreateObject();
    add_args(body, model->model);
    return send_json(process, HC_CONTROL_PRELOAD, body, NULL, 0, error);
}

size_t pyhost_end_fds(const struct pyhost *host, int fds[HC_CONTROL_MAX_FDS]) {
    const struct hc_model *model = host->owner->instance->model;
    const int fixed[N_FIXED_FDS] = {
        host->channel.fd,   hc_arena_file(model->arena)->fd,
        host->responses.fd, model->server->spin_board.fd,
        host->events_fd,    hc_metrics_file(model->server->metrics)->fd,
    };
    memcpy(fds, fixed, sizeof fixed);
    for (unsigned i = 0; i < host->n_links; i++) {
        fds[N_FIXED_FDS + i] = python_event_fd(i);
    }
    return N_FIXED_FDS + host->n_links;
}

/* The args of initialize, seven strings, and the descriptors of all that is shared. */
static enum hc_code send_initialize(struct pyhost *host, struct hc_error *error) {
    const struct hc_instance *instance = host->owner->instance;
    const struct hc_model *model = instance->model;
    hc_auto(json) body = cJSON_CreateObject();
    cJSON *args = add_args(body, model);
    hc_auto(text) device = hc_format("%d", instance->device);
    cJSON_AddStringToObject(args, "model_instance_kind", instance->kind);
    cJSON_AddStringToObject(args, "model_instance_name", instance->name);
    cJSON_AddStringToObject(args, "model_instance_device_id", device);
    const struct hc_host_policy *policy = hc_instance_policy(instance);
    cJSON_AddNumberToObject(body, "numa_node", policy == NULL ? -1 : policy->numa_node);
    cJSON_AddBoolToObject(body, "decoupled", model->decoupled);
    cJSON_AddBoolToObject(body, "overlaps", model->concurrency > 1);
    int fds[HC_CONTROL_MAX_FDS];
    size_t n_fds = pyhost_end_fds(host, fds);
    HC_TRY(guests_open_door(host, &fds[n_fds], error));
    hc_auto(fd) door = fds[n_fds];
    return send_json(&host->process, HC_CONTROL_INITIALIZE, body, fds, n_fds + 1, error);
}

void pyhost_initialize(struct pyhost *host) {
    struct hc_error error;
    if (send_initialize(host, &error) != HC_OK) {
        pyhost_kill(host);
    }
}

/* Its threads are yet to be started, and inherit this. */
static void choose_cores(const struct pyhost *host) {
    const struct hc_instance *instance = host->owner->instance;
    const struct hc_host_policy *policy = hc_instance_policy(instance);
    if (policy != NULL && policy->has_cores &&
        sched_setaffinity(host->process.pid, sizeof policy->cores, &policy->cores) != 0) {
        hc_log_error("instance '%s' does not keep to the cores of its host policy '%s': %s",
                     instance->name, policy->name, strerror(errno));
    }
}

static void on_started(struct process *process) {
    struct pyhost *host = hc_list_item(process, struct pyhost, process);
    struct hc_error error;
    choose_cores(host);
    if (host->forked_from_template) {
        host->state = PYHOST_IMPORTED;
        pyhost_initialize(host);
        return;
    }
    bool complete = host->owner->instance->index == 0 && !host->owner->model->config_complete;
    if (pyhost_send_start(process, host->owner->model, complete, &error) != HC_OK) {
        pyhost_kill(host);
    }
}

static void on_imported(struct pyhost *host, struct hc_text body) {
    hc_auto(json) json = cJSON_ParseWithLength(body.data, body.size);
    host->state = PYHOST_IMPORTED;
    lives_on_imported(host, cJSON_GetStringValue(cJSON_GetObjectItem(json, "config")));
}

static void on_ready(struct pyhost *host, struct hc_text body) {
    hc_auto(json) json = cJSON_ParseWithLength(body.data, body.size);
    if (cJSON_IsTrue(cJSON_GetObjectItem(json, "is_ready"))) {
        atomic_store_explicit(&host->owner->model->model->has_check, true, memory_order_relaxed);
    }
    host->state = PYHOST_READY;
    lives_on_ready(host);
}

static void on_frame(struct process *process, const struct hc_control_frame *frame) {
    struct pyhost *host = hc_list_item(process, struct pyhost, process);
    if (frame->kind == HC_CONTROL_IMPORTED && host->state == PYHOST_STARTING) {
        on_imported(host, frame->body);
    } else if (frame->kind == HC_CONTROL_READY && host->state == PYHOST_IMPORTED) {
        on_ready(host, frame->body);
    } else if (frame->kind == HC_CONTROL_CHECKED && host->asked) {
        checks_on_answer(host, frame->body);
    } else if (host->state < PYHOST_IMPORTED ||
               !(questions_begin(host, frame) || families_begin(host, frame))) {
        process_refuse(process, frame);
    }
}

static void on_end(struct process *process) {
    struct pyhost *host = hc_list_item(process, struct pyhost, process);
    struct hc_server *server = host->owner->model->server;
    hc_spin_forget((void *)server->spin_board.base, &host->header->spinning);
    host->state = PYHOST_DEAD;
    checks_on_death(host);
    host->death = process_describe_end(process);
    lives_on_death(host);
}

static const struct process_events events = {
    .on_started = on_started,
    .on_frame = on_frame,
    .on_end = on_end,
};

static struct pyhost *create(struct python_instance *owner) {
    struct pyhost *host = hc_new(struct pyhost);
    atomic_init(&host->references, 1);
    host->owner = owner;
    host->channel = HC_MEMFILE_NONE;
    host->responses = HC_MEMFILE_NONE;
    host->n_links = owner->model->n_loops;
    host->events_fd = -1;
    hc_list_init(&host->families);
    hc_list_init(&host->guests);
    host->door_watch.fd = -1;
    host->links = hc_alloc_array(host->n_links, sizeof *host->links);
    for (size_t i = 0; i < host->n_links; i++) {
        host->links[i].host = host;
        hc_list_init(&host->links[i].calls);
    }
    process_init(&host->process, owner->model->server->control, owner->instance->name,
                 python_prefix(owner->model), &events);
    pins_init(&host->pins, owner->model->model->arena, &owner->model->pins_lock);
    return host;
}

static enum hc_code start(struct pyhost *host, struct hc_error *error) {
    struct python_model *model = host->owner->model;
    HC_TRY(create_memory(host, error));
    host->forked_from_template = model->has_template;
    return model->has_template ? process_fork(&model->template, &host->process, error)
                               : environment_fork(model->environment, &host->process, error);
}

enum hc_code pyhost_start(struct python_instance *owner, struct pyhost **host_out,
                          struct hc_error *error) {
    struct pyhost *host = create(owner);
    enum hc_code code = start(host, error);
    if (code != HC_OK) {
        pyhost_unref(host);
        return code;
    }
    *host_out = host;
    return HC_OK;
}

enum hc_code pyhost_create_guest(struct pyhost *parent, struct pyhost **host_out,
                                 struct hc_error *error) {
    struct pyhost *host = create(parent->owner);
    enum hc_code code = create_memory(host, error);
    if (code != HC_OK) {
        pyhost_unref(host);
        return code;
    }
    pyhost_ref(parent);
    host->guest_of = parent;
    *host_out = host;
    return HC_OK;
}
