/* The Python backend: a model and its instances; when to start, restart and stop. */
#include "backend/python.h"

#include <errno.h>

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "channel/bell.h"
#include "core/dispatch.h"
#include "core/instances.h"
#include "internal.h"
#include "message.h"

/* A life that ends before its first success delays the next one, doubling up to the longest. */
static const uint64_t first_delay_ns = 100 * HC_NS_PER_MS;
static const uint64_t longest_delay_ns = 10 * HC_NS_PER_S;

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

/* ---- Handing a life to the loops, and taking it back ---- */

struct handover {
    struct pyhost *host;
    void (*step)(struct loop_side *side, struct pyhost *host);
    void (*done)(
        struct pyhost *host); /* on the control thread, when every loop has done its step */
    atomic_size_t n_left;
    struct hc_task finish;
    struct handover_task {
        struct hc_task task;
        struct handover *handover;
        struct loop_side *side;
    } tasks[];
};

static void finish_handover(struct hc_task *task) {
    struct handover *handover = hc_list_item(task, struct handover, finish);
    struct pyhost *host = handover->host;
    void (*done)(struct pyhost *) = handover->done;
    free(handover);
    done(host);
    pyhost_unref(host);
}

static void run_step(struct hc_task *task) {
    struct handover_task *own = hc_list_item(task, struct handover_task, task);
    struct handover *handover = own->handover;
    handover->step(own->side, handover->host);
    if (atomic_fetch_sub(&handover->n_left, 1) == 1) {
        hc_loop_post(handover->host->owner->model->server->control, &handover->finish);
    }
}

static void hand_over(struct pyhost *host,
                      void (*step)(struct loop_side *side, struct pyhost *host),
                      void (*done)(struct pyhost *host)) {
    struct python_model *model = host->owner->model;
    struct handover *handover =
        hc_alloc(sizeof *handover + model->n_loops * sizeof handover->tasks[0]);
    pyhost_ref(host);
    handover->host = host;
    handover->step = step;
    handover->done = done;
    handover->finish.run = finish_handover;
    atomic_init(&handover->n_left, model->n_loops);
    for (size_t i = 0; i < model->n_loops; i++) {
        handover->tasks[i] = (struct handover_task){
            .task = {.run = run_step}, .handover = handover, .side = &model->sides[i]};
        hc_loop_post(model->server->contexts[i].loop, &handover->tasks[i].task);
    }
}

/* ---- Lives ---- */

static void start_life(struct python_instance *own);

static bool instances_dead(const struct python_model *model) {
    for (size_t i = 0; i < model->model->n_instances; i++) {
        if (python_instance_at(model, i)->host != NULL) {
            return false;
        }
    }
    return true;
}

static bool all_dead(const struct python_model *model) {
    return instances_dead(model) && !model->template_alive;
}

static void kill_all(struct python_model *model) {
    for (size_t i = 0; i < model->model->n_instances; i++) {
        if (python_instance_at(model, i)->host != NULL) {
            pyhost_kill(python_instance_at(model, i)->host);
        }
    }
    if (model->template_alive) {
        process_kill(&model->template);
    }
}

/* The end of a model's loading, when every instance has become ready or one has failed. */
static void finish_loading(struct python_model *model) {
    model->loading = false;
    hc_model_loaded(model->model, model->load_error.code != HC_OK ? &model->load_error : NULL);
}

static void fail_loading(struct python_model *model, const struct hc_error *error) {
    if (model->load_error.code == HC_OK) {
        model->load_error = *error;
    }
    kill_all(model);
    if (all_dead(model)) {
        finish_loading(model);
    }
}

/* When the last instance has ended, the template follows, and then the model is unloaded. */
static void finish_unloading(struct python_model *model) {
    if (all_dead(model)) {
        hc_model_unloaded(model->model);
    } else if (instances_dead(model)) {
        process_kill(&model->template);
    }
}

static uint64_t restart_delay_ns(unsigned n_failures) {
    if (n_failures == 0) {
        return 0;
    }
    uint64_t delay_ns = first_delay_ns << (n_failures < 16 ? n_failures - 1 : 15);
    return delay_ns < longest_delay_ns ? delay_ns : longest_delay_ns;
}

static void restart_later(struct python_instance *own) {
    uint64_t delay_ns = restart_delay_ns(own->n_failures);
    own->n_failures++;
    hc_timer_start(own->model->server->control, &own->restart_timer, hc_clock_ns() + delay_ns);
}

static void on_restart_due(struct hc_timer *timer) {
    start_life(hc_list_item(timer, struct python_instance, restart_timer));
}

/* With the last instance of an abandoned model goes the hope of what is queued. */
static void fail_if_abandoned(struct python_model *model) {
    if (model->abandoned && all_dead(model)) {
        hc_dispatch_fail_queue(model->model, HC_UNAVAILABLE,
                               "Server is stopping, the model has been ended");
    }
}

/* What became of an instance that was started while the model serves. */
static void come(struct python_instance *own, const struct hc_error *error) {
    own->comes = false;
    hc_instance_started(own->instance, error);
}

/* The loops know nothing of the life any more. */
static void end_life(struct pyhost *host) {
    struct python_instance *own = host->owner;
    struct python_model *model = own->model;
    guests_close(host);
    pins_release_all(&host->pins);
    own->host = NULL;
    if (model->stopping) {
        families_close(&host->families);
    } else {
        families_keep(&host->families, &model->families); /* counters do not start again */
    }
    if (atomic_load(&host->succeeded)) {
        own->n_failures = 0;
    }
    if (own->comes) {
        struct hc_error error;
        hc_auto(text) death = process_tell_end(&host->process);
        hc_error_set(&error, HC_INTERNAL, "%s", death);
        come(own, &error);
    }
    if (model->stopping) {
        finish_unloading(model);
    } else if (model->abandoned) {
        fail_if_abandoned(model);
    } else if (own->leaves) {
        hc_instance_stopped(own->instance);
    } else if (!hc_instance_is_wanted(own->instance)) {
        /* it could not be started */
    } else if (model->loading) {
        struct hc_error error;
        hc_auto(text) death = process_tell_end(&host->process);
        hc_error_set(&error, HC_INTERNAL, "%s", death);
        fail_loading(model, &error);
    } else {
        hc_auto(text) death = process_tell_end(&host->process);
        hc_log_error("Starting again: %s", death);
        hc_model_troubled(model->model, death);
        restart_later(own);
    }
    pyhost_unref(host);
}

static void on_dropped(struct pyhost *host) {
    const char *name = host->owner->instance->name;
    hc_auto(text) message = hc_format("Failed to process the request(s) for model instance '%s', "
                                      "message: %s",
                                      name, host->death);
    hc_dispatch_recover(host->owner->instance, HC_INTERNAL, message);
    end_life(host);
}

static void drop(struct pyhost *host) {
    host->adoption = PYHOST_BEING_DROPPED;
    hand_over(host, loop_side_drop, on_dropped);
}

static void on_adopted(struct pyhost *host) {
    struct python_model *model = host->owner->model;
    host->adoption = PYHOST_ADOPTED;
    if (host->state == PYHOST_DEAD) {
        drop(host);
        return;
    }
    if (model->stopping) {
        return; /* told to stop below, by what set the flag */
    }
    hc_dispatch_up(host->owner->instance);
    if (host->owner->comes) {
        come(host->owner, NULL);
    }
    if (model->loading && --model->n_starting == 0 && model->load_error.code == HC_OK) {
        finish_loading(model);
    }
}

bool python_complete(struct python_model *model, const char *completed_config) {
    struct hc_error error;
    if (model->config_complete) {
        return true;
    }
    if (hc_model_complete(model->model, completed_config, &error) != HC_OK) {
        fail_loading(model, &error);
        return false;
    }
    model->config_complete = true;
    return true;
}

void python_on_imported(struct pyhost *host, const char *completed_config) {
    struct python_model *model = host->owner->model;
    if (!model->config_complete && host->owner->instance->index == 0) {
        if (!python_complete(model, completed_config)) {
            return;
        }
        for (size_t i = 1; i < model->model->n_instances; i++) {
            struct pyhost *other = python_instance_at(model, i)->host;
            if (other != NULL && other->state == PYHOST_IMPORTED) {
                pyhost_initialize(other);
            }
        }
    }
    if (model->config_complete) {
        pyhost_initialize(host);
    }
}

void python_on_ready(struct pyhost *host) {
    host->adoption = PYHOST_BEING_ADOPTED;
    hand_over(host, loop_side_adopt, on_adopted);
}

void python_on_death(struct pyhost *host) {
    if (host->adoption == PYHOST_UNKNOWN) {
        end_life(host);
    } else if (host->adoption == PYHOST_ADOPTED) {
        hc_dispatch_down(host->owner->instance);
        drop(host);
    }
}

static enum hc_code start_process(struct python_instance *own, struct hc_error *error) {
    struct python_model *model = own->model;
    if (!model->wants_template || model->has_template) {
        return pyhost_start(own, &own->host, error);
    }
    /* Its life starts when the template is ready. */
    return model->template_alive ? HC_OK : template_start(model, error);
}

static void start_life(struct python_instance *own) {
    struct hc_error error;
    if (start_process(own, &error) == HC_OK) {
        return;
    }
    if (own->comes) {
        come(own, &error);
    } else if (own->model->loading) {
        fail_loading(own->model, &error);
    } else {
        hc_log_error("instance '%s': %s", own->instance->name, error.message);
        restart_later(own);
    }
}

/* Whether it is meant to live, does not, and does not wait for its next life. */
static bool is_missing(const struct python_instance *own) {
    return hc_instance_is_wanted(own->instance) && own->host == NULL &&
           !hc_timer_started(&own->restart_timer);
}

/* Start what has no life and does not wait for its next one. */
static void start_lives(struct python_model *model) {
    for (size_t i = 0; i < model->model->n_instances; i++) {
        struct python_instance *own = python_instance_at(model, i);
        bool stopped = model->stopping || model->abandoned || model->load_error.code != HC_OK;
        if (!stopped && is_missing(own)) {
            start_life(own);
        }
    }
}

void python_on_template_ready(struct python_model *model) {
    start_lives(model);
}

void python_on_template_end(struct python_model *model, bool was_ready, const char *death) {
    struct hc_error error;
    hc_error_set(&error, HC_INTERNAL, "%s", death);
    if (model->stopping) {
        finish_unloading(model);
    } else if (model->abandoned) {
        fail_if_abandoned(model);
    } else if (!model->wants_template) {
        start_lives(model);
    } else if (model->loading) {
        fail_loading(model, &error);
    } else if (was_ready) {
        hc_log_warning("%s It is started again for the next instance.", death);
    } else {
        hc_log_error("%s", death);
        for (size_t i = 0; i < model->model->n_instances; i++) {
            struct python_instance *own = python_instance_at(model, i);
            if (is_missing(own) && own->comes) {
                come(own, &error);
            } else if (is_missing(own)) {
                restart_later(own);
            }
        }
    }
}

/* ---- The table of functions ---- */

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

/* Inputs are in the processor's memory whatever a model says that it can take; in Triton's words.
 */
static enum hc_code check_input_memory(const struct hc_model *model, struct hc_error *error) {
    const char *value = hc_config_parameter(model->config, "FORCE_CPU_ONLY_INPUT_TENSORS");
    if (value != NULL && strcmp(value, "yes") != 0 && strcmp(value, "no") != 0) {
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
    own->restart_timer.on_due = on_restart_due;
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
        fail_loading(own, &error);
        return;
    }
    if (check_input_memory(model, &error) != HC_OK || watchdog_start(own, &error) != HC_OK ||
        read_concurrency(model, &error) != HC_OK || read_views(model, &error) != HC_OK) {
        fail_loading(own, &error);
        return;
    }
    own->wants_template = template_is_wanted(model);
    start_lives(own);
}

/* Tell a ready pyhost to finalise and end; others are killed, they have nothing to finish. */
static void stop_life(struct pyhost *host) {
    struct hc_server *server = host->owner->model->server;
    struct pyhost_link *link = &host->links[hc_loop_index(server->control)];
    const struct hc_entry entry = {.kind = HC_WORK_STOP};
    if (host->state != PYHOST_READY || !hc_ring_write(&link->rings.work, &entry)) {
        pyhost_kill(host);
        return;
    }
    hc_ring_publish(&link->rings.work);
    hc_bell_ring(&host->header->bell);
}

static void unload(struct hc_model *model) {
    struct python_model *own = python_model_of(model);
    own->stopping = true;
    for (size_t i = 0; i < model->n_instances; i++) {
        struct python_instance *instance = python_instance_at(own, i);
        hc_timer_stop(&instance->restart_timer);
        hc_dispatch_down(instance->instance);
        if (instance->host != NULL && instance->host->state != PYHOST_DEAD && !instance->leaves) {
            stop_life(instance->host);
        }
    }
    finish_unloading(own);
}

static void start_instance(struct hc_instance *instance) {
    if (instance->backend == NULL) {
        attach(instance);
    }
    struct python_instance *own = instance->backend;
    own->comes = true;
    own->leaves = false;
    own->n_failures = 0;
    start_life(own);
}

static void stop_instance(struct hc_instance *instance) {
    struct python_instance *own = instance->backend;
    own->leaves = true;
    hc_timer_stop(&own->restart_timer);
    hc_dispatch_down(instance);
    if (own->host == NULL) {
        hc_instance_stopped(instance);
    } else if (own->host->state != PYHOST_DEAD) {
        stop_life(own->host);
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
    kill_all(own);
    fail_if_abandoned(own);
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
