/* The linear backend: the table of functions; loading and unloading. */
#include "backend/linear.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "core/dispatch.h"
#include "core/instances.h"
#include "internal.h"

static struct scratch *loop_scratches;
static size_t n_loop_scratches;

struct scratch *linear_loop_scratch(unsigned index) {
    return &loop_scratches[index];
}

void hc_linear_start(struct hc_server *server) {
    loop_scratches = hc_alloc_array(server->n_contexts, sizeof *loop_scratches);
    n_loop_scratches = server->n_contexts;
    gpu_kernels_set_path(server->options.gpu_kernels_path);
    hc_backend_register(&hc_linear_backend);
}

void hc_linear_finish(void) {
    linear_workers_stop();
    for (size_t i = 0; i < n_loop_scratches; i++) {
        scratch_finish(&loop_scratches[i]);
    }
    free(hc_take(loop_scratches));
    n_loop_scratches = 0;
}

/* ---- Loading: on a thread of its own, since files are large ---- */

enum hc_code linear_read_stack(const struct hc_model *model, struct stack **stack,
                               struct hc_error *error) {
    hc_auto(text) path = NULL;
    HC_TRY(linear_find_file(model, &path, error));
    hc_auto(weights) weights = NULL;
    HC_TRY(hc_weights_open(path, &weights, error));
    auto_descriptions descriptions = {0};
    const char *layers = hc_config_parameter(model->config, "layers");
    if (describe_layers(weights, layers, &descriptions, error) != HC_OK ||
        stack_create(weights, &descriptions, stack, error) != HC_OK) {
        return hc_error_prefix(error, "%s: ", path);
    }
    return HC_OK;
}

static void *run_load(void *user) {
    struct linear_model *own = user;
    if (linear_read_stack(own->model, &own->stack, &own->load_error) == HC_OK) {
        linear_gpus_load(own, &own->load_error);
    }
    hc_loop_post(own->model->server->control, &own->loaded_task);
    return NULL;
}

static enum hc_code finish_loading(struct linear_model *own, struct hc_error *error) {
    struct hc_model *model = own->model;
    if (own->load_error.code != HC_OK) {
        *error = own->load_error;
        return error->code;
    }
    HC_TRY(linear_settle_config(model, own->stack, error));
    HC_TRY(linear_workers_start(model->server, error));
    own->types = (struct run_types){model->inputs[0].dtype, model->outputs[0].dtype};
    own->kernels = kernels_best();
    for (size_t i = 0; i < model->n_instances; i++) {
        hc_dispatch_up(model->instances[i]);
    }
    return HC_OK;
}

static void on_loaded(struct hc_task *task) {
    struct linear_model *own = hc_list_item(task, struct linear_model, loaded_task);
    struct hc_error error;
    own->loading = false;
    if (own->stopping) {
        hc_model_unloaded(own->model);
        return;
    }
    enum hc_code code = finish_loading(own, &error);
    hc_model_loaded(own->model, code == HC_OK ? NULL : &error);
}

static void start_loading(struct linear_model *own) {
    pthread_t thread;
    own->loading = true;
    own->loaded_task.run = on_loaded;
    int result = pthread_create(&thread, NULL, run_load, own);
    if (result == 0) {
        pthread_setname_np(thread, "linear-load");
        pthread_detach(thread);
        return;
    }
    hc_error_set(&own->load_error, HC_RESOURCE_EXHAUSTED, "no thread to load the weights: %s",
                 strerror(result));
    hc_loop_post(own->model->server->control, &own->loaded_task);
}

/* ---- The table of functions ---- */

static void attach(struct hc_instance *instance) {
    struct linear_instance *own = hc_new(struct linear_instance);
    own->instance = instance;
    own->model = linear_model_of(instance->model);
    own->device = linear_no_gpu;
    instance->backend = own;
}

static void start_instance(struct hc_instance *instance) {
    struct hc_error error;
    if (instance->backend == NULL) {
        attach(instance);
    }
    if (linear_gpus_start(instance->backend, &error) != HC_OK) {
        hc_instance_started(instance, &error);
        return;
    }
    hc_dispatch_up(instance);
    hc_instance_started(instance, NULL);
}

static void stop_instance(struct hc_instance *instance) {
    hc_dispatch_down(instance);
    linear_gpus_stop(instance->backend);
    hc_instance_stopped(instance);
}

static void load(struct hc_model *model) {
    struct linear_model *own = hc_new(struct linear_model);
    own->model = model;
    own->device = linear_no_gpu;
    own->n_sides = model->server->n_contexts;
    own->sides = hc_alloc_array(own->n_sides, sizeof *own->sides);
    model->backend_model = own;
    for (size_t i = 0; i < model->n_instances; i++) {
        attach(model->instances[i]);
    }
    start_loading(own);
}

static void unload(struct hc_model *model) {
    struct linear_model *own = linear_model_of(model);
    own->stopping = true;
    for (size_t i = 0; i < model->n_instances; i++) {
        hc_dispatch_down(model->instances[i]);
    }
    if (!own->loading) {
        hc_model_unloaded(model);
    }
}

/* Executions end by themselves, soon. */
static void abandon(struct hc_model *model) {
    (void)model;
}

static void destroy(struct hc_model *model) {
    struct linear_model *own = linear_model_of(model);
    for (size_t i = 0; i < own->n_sides; i++) {
        linear_side_finish(&own->sides[i]);
    }
    linear_gpus_unload(own);
    for (size_t i = 0; i < model->n_instances; i++) {
        free(model->instances[i]->backend);
    }
    stack_destroy(own->stack);
    free(own->sides);
    free(own);
}

static enum hc_code prepare(struct hc_request *request, struct hc_error *error) {
    struct linear_answer *answer;
    HC_TRY(linear_answer_create(request, &answer, error));
    request->_backend = answer;
    return HC_OK;
}

static void discard(struct hc_request *request) {
    linear_answer_discard(request->_backend);
    request->_backend = NULL;
}

/* What runs is over before anybody could stop it. */
static void cancel(struct hc_request *request) {
    (void)request;
}

const struct hc_backend hc_linear_backend = {
    .name = "linear",
    .reads_in_place = true,
    .load = load,
    .unload = unload,
    .abandon = abandon,
    .can_use_gpus = gpu_kernels_exist,
    .works_on = linear_gpus_have_all,
    .start = start_instance,
    .stop = stop_instance,
    .destroy = destroy,
    .prepare = prepare,
    .discard = discard,
    .submit = linear_submit,
    .extend = linear_extend,
    .kick = linear_kick,
    .withdraw = linear_withdraw,
    .cancel = cancel,
};
