/* The Python backend: the table of its functions, and what wakes loops when a pyhost has replied.
 */
#include "backend/python.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "channel/bell.h"
#include "core/dispatch.h"
#include "core/instances.h"
#include "internal.h"
#include "message.h"

/* What wakes each loop when a pyhost has replied. */
struct loop_bell {
    struct hc_watch watch;
    struct hc_task start; /* the watch, on its loop */
    struct hc_loop *loop;
};

static struct loop_bell bells[HC_MAX_LINKS];
static size_t n_bells;

int python_event_fd(unsigned index) {
    return bells[index].watch.fd;
}

static void on_bell(struct hc_watch *watch, unsigned events) {
    (void)watch;
    (void)events; /* being awake is enough: pollers look at their rings every turn */
}

static void start_bell(struct hc_task *task) {
    struct loop_bell *bell = hc_list_item(task, struct loop_bell, start);
    struct hc_error error;
    if (hc_watch_start(bell->loop, &bell->watch, HC_WATCH_READ | HC_WATCH_EDGE, &error) != HC_OK) {
        hc_log_error("cannot watch for replies: %s", error.message);
        abort();
    }
}

enum hc_code hc_python_start(struct hc_server *server, struct hc_error *error) {
    for (size_t i = 0; i < server->n_contexts; i++) {
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (fd < 0) {
            return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "eventfd: %s", strerror(errno));
        }
        bells[i] = (struct loop_bell){
            .watch = {.fd = fd, .on_ready = on_bell},
            .start = {.run = start_bell},
            .loop = server->contexts[i].loop,
        };
        n_bells = i + 1;
        hc_loop_post(bells[i].loop, &bells[i].start);
    }
    hc_backend_register(&hc_python_backend);
    return HC_OK;
}

void hc_python_finish(void) {
    for (size_t i = 0; i < n_bells; i++) {
        hc_watch_stop(&bells[i].watch);
        hc_fd_close(bells[i].watch.fd);
    }
    n_bells = 0;
    environments_finish();
}

/* How many coroutines of an instance may run side by side, when the config says so. */
static enum hc_code read_concurrency(struct hc_model *model, struct hc_error *error) {
    const char *value = hc_config_parameter(model->config, "CONCURRENT_EXECUTIONS");
    uint64_t number = 1;
    if (value != NULL &&
        (!hc_text_number(hc_text_of(value), HC_MAX_CONCURRENCY, &number) || number == 0)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "CONCURRENT_EXECUTIONS must be a number from 1 to %d, not '%s'",
                            HC_MAX_CONCURRENCY, value);
    }
    model->concurrency = (unsigned)number;
    return HC_OK;
}

/* Whether inputs may be in a GPU's memory, when the config says so; in Triton's words. */
static enum hc_code read_input_memory(struct hc_model *model, struct hc_error *error) {
    const char *value = hc_config_parameter(model->config, "FORCE_CPU_ONLY_INPUT_TENSORS");
    model->takes_gpu_inputs = value != NULL && strcmp(value, "no") == 0;
    if (value != NULL && !model->takes_gpu_inputs && strcmp(value, "yes") != 0) {
        return hc_error_set(error, HC_UNIMPLEMENTED,
                            "Incorrect value for FORCE_CPU_ONLY_INPUT_TENSORS: %s'", value);
    }
    return HC_OK;
}

/* Whether the model looks at inputs in clients' shared memory, when the config says so. */
static enum hc_code read_views(struct hc_model *model, struct hc_error *error) {
    const char *value = hc_config_parameter(model->config, "VIEW_SHARED_MEMORY_INPUTS");
    model->views_inputs = value != NULL && strcmp(value, "yes") == 0;
    if (value != NULL && !model->views_inputs && strcmp(value, "no") != 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "VIEW_SHARED_MEMORY_INPUTS must be yes or no, not '%s'", value);
    }
    return HC_OK;
}

static void attach(struct hc_instance *instance) {
    struct python_instance *own = hc_new(struct python_instance);
    own->instance = instance;
    own->model = python_model_of(instance->model);
    own->restart_timer.on_due = lives_on_restart_due;
    instance->backend = own;
}

static void load(struct hc_model *model) {
    struct python_model *own = hc_new(struct python_model);
    own->model = model;
    own->server = model->server;
    own->loading = true;
    checks_init(&own->checks);
    hc_list_init(&own->families);
    own->n_loops = model->server->n_contexts;
    own->n_starting = model->n_instances;
    pthread_mutex_init(&own->pins_lock, NULL);
    model->backend_model = own;
    own->sides = hc_alloc_array(own->n_loops, sizeof *own->sides);
    for (unsigned i = 0; i < own->n_loops; i++) {
        loop_side_init(&own->sides[i], own, i);
    }
    for (size_t i = 0; i < model->n_instances; i++) {
        attach(model->instances[i]);
    }
    struct hc_error error;
    if (environment_open(model, &own->environment, &error) != HC_OK) {
        lives_fail_loading(own, &error);
        return;
    }
    if (read_input_memory(model, &error) != HC_OK || watchdog_start(own, &error) != HC_OK ||
        read_concurrency(model, &error) != HC_OK || read_views(model, &error) != HC_OK) {
        lives_fail_loading(own, &error);
        return;
    }
    own->wants_template = template_is_wanted(model);
    lives_start_missing(own);
}

static void unload(struct hc_model *model) {
    struct python_model *own = python_model_of(model);
    own->stopping = true;
    for (size_t i = 0; i < model->n_instances; i++) {
        struct python_instance *instance = python_instance_at(own, i);
        hc_timer_stop(&instance->restart_timer);
        hc_dispatch_down(instance->instance);
        if (instance->host != NULL && instance->host->state != PYHOST_DEAD && !instance->leaves) {
            lives_stop(instance->host);
        }
    }
    lives_finish_unloading(own);
}

static void start_instance(struct hc_instance *instance) {
    if (instance->backend == NULL) {
        attach(instance);
    }
    struct python_instance *own = instance->backend;
    own->comes = true;
    own->leaves = false;
    own->n_failures = 0;
    lives_start(own);
}

static void stop_instance(struct hc_instance *instance) {
    struct python_instance *own = instance->backend;
    own->leaves = true;
    hc_timer_stop(&own->restart_timer);
    hc_dispatch_down(instance);
    if (own->host == NULL) {
        hc_instance_stopped(instance);
    } else if (own->host->state != PYHOST_DEAD) {
        lives_stop(own->host);
    }
}

static void abandon(struct hc_model *model) {
    struct python_model *own = python_model_of(model);
    if (own == NULL) {
        return; /* it was never loaded */
    }
    own->abandoned = true;
    for (size_t i = 0; i < model->n_instances; i++) {
        hc_timer_stop(&python_instance_at(own, i)->restart_timer);
    }
    lives_kill_all(own);
    lives_fail_if_abandoned(own);
}

static void destroy(struct hc_model *model) {
    struct python_model *own = python_model_of(model);
    watchdog_stop(own);
    families_close(&own->families);
    if (own->environment != NULL) {
        environment_unref(own->environment);
    }
    for (size_t i = 0; i < own->n_loops; i++) {
        loop_side_finish(&own->sides[i]);
    }
    free(own->sides);
    for (size_t i = 0; i < model->n_instances; i++) {
        free(model->instances[i]->backend);
    }
    pthread_mutex_destroy(&own->pins_lock);
    free(own);
}

static struct loop_side *side_of(const struct hc_request *request) {
    return &python_model_of(request->model)->sides[request->context->index];
}

static enum hc_code prepare(struct hc_request *request, struct hc_error *error) {
    struct hc_block *block;
    HC_TRY(hc_message_write(request, &block, error));
    request->_backend = block;
    loop_side_expect(side_of(request));
    return HC_OK;
}

void python_discard(struct hc_request *request) {
    loop_side_settle(side_of(request));
    hc_arena_unref(request->model->arena, request->_backend);
    request->_backend = NULL;
}

static void submit(struct hc_instance *instance, struct hc_execution *execution) {
    struct python_model *own = python_model_of(instance->model);
    loop_side_submit(&own->sides[hc_loop_index(hc_loop_current())], instance, execution);
}

static bool extend(struct hc_instance *instance, struct hc_execution *execution,
                   struct hc_request *request) {
    struct python_model *own = python_model_of(instance->model);
    return loop_side_extend(&own->sides[hc_loop_index(hc_loop_current())], instance, execution,
                            request);
}

static void kick(struct hc_instance *instance) {
    struct python_model *own = python_model_of(instance->model);
    struct loop_side *side = &own->sides[hc_loop_index(hc_loop_current())];
    struct pyhost *host = side->hosts[instance->index].host;
    if (host != NULL) {
        hc_bell_ring(&host->header->bell);
    }
}

/*
 * The pyhost may still look at the messages it was given, so the requests get new ones, made before
 * the point of no return.
 */
static bool withdraw(struct hc_instance *instance, struct hc_execution *execution) {
    struct hc_arena *arena = instance->model->arena;
    struct hc_block **copies = hc_alloc_array(execution->n_requests, sizeof *copies);
    size_t n = 0;
    bool copied = true;
    hc_list_each (link, &execution->requests) {
        struct hc_request *request = hc_request_of_job(link);
        copied = copied && hc_message_copy(arena, request->_backend, &copies[n], NULL) == HC_OK;
        n += copied ? 1 : 0;
    }
    bool withdrawn = copied && loop_side_set_state(execution, HC_MESSAGE_WITHDRAWN);
    size_t i = 0;
    hc_list_each (link, &execution->requests) {
        struct hc_request *request = hc_request_of_job(link);
        if (withdrawn) {
            struct hc_block *old = request->_backend;
            request->_backend = copies[i];
            copies[i++] = old;
        }
    }
    for (i = 0; i < n; i++) {
        hc_arena_unref(arena, copies[i]);
    }
    free(copies);
    return withdrawn;
}

static void check(struct hc_model *model, void (*on_checked)(void *user, bool ready), void *user) {
    checks_ask(python_model_of(model), on_checked, user);
}

static void cancel(struct hc_request *request) {
    struct hc_message_request *message = hc_message_of(request->model->arena, request->_backend);
    atomic_store_explicit(&message->cancelled, 1, memory_order_relaxed);
}

static void pause_sending(struct hc_request *request, bool paused) {
    struct hc_message_request *message = hc_message_of(request->model->arena, request->_backend);
    atomic_store_explicit(&message->paused, paused ? 1 : 0, memory_order_relaxed);
    if (!paused) {
        loop_side_wake(side_of(request), request->_instance);
    }
}

const struct hc_backend hc_python_backend = {
    .name = "python",
    .notice_ns = HC_BELL_NOTICE_NS,
    .load = load,
    .unload = unload,
    .abandon = abandon,
    .start = start_instance,
    .stop = stop_instance,
    .destroy = destroy,
    .prepare = prepare,
    .discard = python_discard,
    .submit = submit,
    .extend = extend,
    .kick = kick,
    .withdraw = withdraw,
    .cancel = cancel,
    .pause = pause_sending,
    .check = check,
};
