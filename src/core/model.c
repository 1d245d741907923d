/* Models: made from configs, referenced, taken apart. */
#include "core/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/instances.h"
#include "core/rate_limit.h"
#include "core/schedule.h"
#include "core/server.h"
#include "core/warmup.h"
#include "model/config_json.h"
#include "model/labels.h"
#include "model/repository.h"

static struct hc_model_io make_io(struct hc_pool *pool, const struct hc_config_tensor *tensor) {
    int64_t *dims = hc_pool_alloc(pool, tensor->n_dims * sizeof *dims);
    memcpy(dims, tensor->dims, tensor->n_dims * sizeof *dims);
    struct hc_text name = hc_text_of(tensor->name);
    size_t n_reshape = tensor->reshape == NULL ? 0 : tensor->reshape->n_shape;
    int64_t *reshape = hc_pool_alloc(pool, n_reshape * sizeof *reshape);
    for (size_t i = 0; i < n_reshape; i++) {
        reshape[i] = tensor->reshape->shape[i];
    }
    return (struct hc_model_io){
        .name = {hc_pool_copy(pool, name), name.size},
        .dtype = tensor->dtype,
        .dims = dims,
        .n_dims = tensor->n_dims,
        .optional = tensor->optional,
        .reshaped = tensor->reshape != NULL,
        .reshape = reshape,
        .n_reshape = n_reshape,
    };
}

/* What the config names was there when the model was placed; a file that has gone has no labels. */
static void read_labels(struct hc_model *model, size_t output) {
    hc_auto(text) path = hc_config_label_path(model->config, output, model->folder);
    struct hc_text *labels;
    size_t n_labels;
    struct hc_error error;
    if (path == NULL) {
        return;
    }
    if (hc_labels_read(path, &model->memory, &labels, &n_labels, &error) != HC_OK) {
        hc_log_warning("%s: %s", model->name, error.message);
        return;
    }
    model->outputs[output].labels = labels;
    model->outputs[output].n_labels = n_labels;
}

static void read_ios(struct hc_model *model) {
    const Inference__ModelConfig *config = model->config;
    struct hc_pool *pool = &model->memory;
    model->inputs = hc_pool_alloc(pool, config->n_input * sizeof *model->inputs);
    model->n_inputs = config->n_input;
    model->n_optional_inputs = 0;
    model->reshapes = false;
    for (size_t i = 0; i < config->n_input; i++) {
        struct hc_config_tensor tensor = hc_config_input(config, i);
        model->inputs[i] = make_io(pool, &tensor);
        model->reshapes = model->reshapes || tensor.reshape != NULL;
        model->inputs[i].ragged = config->input[i]->allow_ragged_batch;
        model->n_optional_inputs += tensor.optional ? 1 : 0;
    }
    model->outputs = hc_pool_alloc(pool, config->n_output * sizeof *model->outputs);
    model->n_outputs = config->n_output;
    for (size_t i = 0; i < config->n_output; i++) {
        struct hc_config_tensor tensor = hc_config_output(config, i);
        model->outputs[i] = make_io(pool, &tensor);
        model->reshapes = model->reshapes || tensor.reshape != NULL;
        read_labels(model, i);
    }
}

/* Everything that is drawn from the config, for quick use. */
static void read_config(struct hc_model *model) {
    hc_auto_buf json = {0};
    hc_config_json_print(model->config, &json);
    free(model->config_json);
    model->config_json = hc_buf_take(&json);
    model->max_batch_size = model->config->max_batch_size;
    model->decoupled = hc_config_is_decoupled(model->config);
    model->caches = hc_config_has_cache(model->config) &&
                    (model->server->cache != NULL || model->server->shared_cache != NULL);
    if (model->caches &&
        hc_repository_stamp(model->folder, model->version, &model->files_stamp, NULL) != HC_OK) {
        model->files_stamp = 0;
    }
    model->platform = hc_config_platform(model->config);
    hc_pool_reset(&model->memory);
    read_ios(model);
    hc_schedule_configure(model);
}

static void on_unused(struct hc_task *task) {
    struct hc_model *model = hc_list_item(task, struct hc_model, unused_task);
    if (model->state == HC_MODEL_UNLOADING && model->backend_model != NULL) {
        model->backend->unload(model);
    } else {
        model->on_unloaded(model);
    }
}

enum hc_code hc_model_create(struct hc_server *server, const char *folder, int64_t version,
                             Inference__ModelConfig *config, struct hc_model **model_out,
                             struct hc_error *error) {
    hc_auto(config) owned = config;
    hc_auto(text) backend_folder = NULL;
    const struct hc_backend *backend;
    HC_TRY(hc_backend_resolve(config, server->options.backend_directory, &backend, &backend_folder,
                              error));
    struct hc_arena *arena;
    HC_TRY(hc_arena_create("hippocamp-requests", &arena, error));
    struct hc_model *model = hc_new(struct hc_model);
    model->server = server;
    model->name = hc_strdup(config->name);
    model->version = version;
    model->folder = hc_strdup(folder);
    model->config = hc_take(owned);
    model->arena = arena;
    model->stats = hc_model_stats_create(server->n_contexts, server->options.metrics.summaries);
    model->backend = backend;
    model->backend_folder = hc_take(backend_folder);
    model->state = HC_MODEL_LOADING;
    model->load_start_ns = hc_clock_ns();
    model->unused_task.run = on_unused;
    atomic_init(&model->references, 1);
    pthread_mutex_init(&model->lock, NULL);
    hc_list_init(&model->order);
    hc_alarms_init(&model->alarms, model, server->n_contexts);
    hc_instances_make(model);
    read_config(model);
    enum hc_code code = hc_rate_limit_join(model, error);
    if (code != HC_OK) {
        hc_model_destroy(model);
        return code;
    }
    *model_out = model;
    return HC_OK;
}

/* A config that was the model's, with its JSON once that has been replaced as well. */
struct hc_model_config {
    struct hc_model_config *next;
    Inference__ModelConfig *config;
    char *json;
};

void hc_model_retire_config(struct hc_model *model, Inference__ModelConfig *config) {
    struct hc_model_config *retired = hc_new(struct hc_model_config);
    retired->config = config;
    retired->next = model->retired;
    model->retired = retired;
}

void hc_model_replace_config(struct hc_model *model, Inference__ModelConfig *config) {
    hc_auto_buf json = {0};
    hc_config_json_print(config, &json);
    hc_model_retire_config(model, model->config);
    model->retired->json = model->config_json;
    model->config = config;
    model->config_json = hc_buf_take(&json);
}

static void free_retired(struct hc_model *model) {
    for (struct hc_model_config *retired; (retired = model->retired) != NULL;) {
        model->retired = retired->next;
        hc_config_free(retired->config);
        free(retired->json);
        free(retired);
    }
}

void hc_model_destroy(struct hc_model *model) {
    if (model->backend_model != NULL) {
        model->backend->destroy(model);
    }
    hc_rate_limit_leave(model);
    hc_instances_free(model);
    hc_schedule_finish(model);
    hc_arena_destroy(model->arena);
    hc_model_stats_destroy(model->stats);
    hc_alarms_finish(&model->alarms);
    hc_pool_finish(&model->memory);
    hc_model_retire_config(model, model->config);
    free_retired(model);
    pthread_mutex_destroy(&model->lock);
    free(model->config_json);
    free(model->reason);
    free(model->trouble);
    free(model->backend_folder);
    free(model->folder);
    free(model->name);
    free(model);
}

enum hc_code hc_model_complete(struct hc_model *model, const char *config_json,
                               struct hc_error *error) {
    if (config_json != NULL) {
        Inference__ModelConfig *read;
        HC_TRY(hc_config_json_read(hc_text_of(config_json), &read, error));
        hc_auto(config) completed = read;
        HC_TRY(hc_config_merge(model->config, completed, error));
    }
    HC_TRY(hc_config_settle(model->config, model->folder, error));
    read_config(model);
    return HC_OK;
}

void hc_model_ref(struct hc_model *model) {
    atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed);
}

void hc_model_unref(struct hc_model *model) {
    if (atomic_fetch_sub_explicit(&model->references, 1, memory_order_acq_rel) == 1) {
        hc_loop_post(model->server->control, &model->unused_task);
    }
}

static void finish_loading(struct hc_model *model, const struct hc_error *error) {
    model->state = error == NULL ? HC_MODEL_READY : HC_MODEL_UNAVAILABLE;
    model->load_ns = hc_clock_ns() - model->load_start_ns;
    if (error != NULL) {
        model->reason = hc_format("%s: %s", hc_code_name(error->code), error->message);
    }
    model->on_loaded(model);
}

static void on_warm(void *user, const struct hc_error *error) {
    finish_loading(user, error);
}

void hc_model_loaded(struct hc_model *model, const struct hc_error *error) {
    if (error == NULL && model->config->n_model_warmup > 0) {
        hc_warmup_run(model->instances, model->n_instances, on_warm, model);
    } else {
        finish_loading(model, error);
    }
}

void hc_model_unloaded(struct hc_model *model) {
    model->state = HC_MODEL_UNAVAILABLE;
    model->on_unloaded(model);
}

void hc_model_troubled(struct hc_model *model, const char *trouble) {
    free(model->trouble);
    model->trouble = hc_strdup(trouble);
}

bool hc_model_is_up(struct hc_model *model) {
    bool up = model->n_instances == 0;
    pthread_mutex_lock(&model->lock);
    for (size_t i = 0; i < model->n_instances && !up; i++) {
        up = model->instances[i]->state == HC_INSTANCE_READY;
    }
    pthread_mutex_unlock(&model->lock);
    return up;
}

char *hc_model_file(const struct hc_model *model) {
    return model->backend_folder != NULL
               ? hc_format("%s/model.py", model->backend_folder)
               : hc_repository_model_file(model->folder, model->version, model->config);
}

static const struct hc_model_io *find_io(const struct hc_model_io *ios, size_t n_ios,
                                         struct hc_text name) {
    for (size_t i = 0; i < n_ios; i++) {
        if (hc_text_equal(ios[i].name, name)) {
            return &ios[i];
        }
    }
    return NULL;
}

const struct hc_model_io *hc_model_find_input(const struct hc_model *model, struct hc_text name) {
    return find_io(model->inputs, model->n_inputs, name);
}

const struct hc_model_io *hc_model_find_output(const struct hc_model *model, struct hc_text name) {
    return find_io(model->outputs, model->n_outputs, name);
}
