/* Instances: made, added while the model serves, and taken out of it. */
#include "core/instances.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "core/dispatch.h"
#include "core/rate_limit.h"
#include "core/server.h"
#include "core/warmup.h"

/* ---- Making ---- */

static void describe(struct hc_instance *instance, struct hc_config_instance *item) {
    free(instance->name);
    instance->name = hc_take(item->name);
    instance->kind = item->kind;
    instance->device = item->device;
    instance->group = item->group;
    instance->passive = item->group->passive;
}

static void on_idle(struct hc_task *task);

static struct hc_instance *create(struct hc_model *model, unsigned index) {
    struct hc_instance *instance = hc_new(struct hc_instance);
    instance->model = model;
    instance->index = index;
    instance->idle_task.run = on_idle;
    hc_list_init(&instance->unanswered);
    return instance;
}

void hc_instances_make(struct hc_model *model) {
    hc_auto_instances list = {0};
    hc_config_list_instances(model->config, &list);
    model->instances = hc_alloc_array(list.n, sizeof(struct hc_instance *));
    model->n_instances = list.n;
    for (unsigned i = 0; i < list.n; i++) {
        model->instances[i] = create(model, i);
        describe(model->instances[i], &list.items[i]);
    }
}

static void make_room(struct hc_instance *instance) {
    unsigned depth = instance->model->depth;
    free(instance->executions);
    instance->executions = hc_alloc_array(depth > HC_INSTANCE_DEPTH ? depth : HC_INSTANCE_DEPTH,
                                          sizeof *instance->executions);
}

void hc_instances_make_room(struct hc_model *model) {
    for (size_t i = 0; i < model->n_instances; i++) {
        make_room(model->instances[i]);
    }
}

void hc_instances_free(struct hc_model *model) {
    for (size_t i = 0; i < model->n_instances; i++) {
        free(model->instances[i]->name);
        free(model->instances[i]->executions);
        free(model->instances[i]);
    }
    free(model->instances);
}

/* ---- What changes ---- */

/* A change under way. The model is referenced. */
struct hc_instances_change {
    Inference__ModelConfig *config;
    hc_instances_on_changed *on_done;
    size_t n_coming;       /* and not yet up, plus 1 while they are started */
    struct hc_error error; /* the first failure */
};

static bool fits(const struct hc_instance *instance, const struct hc_config_instance *item,
                 bool by_name) {
    return instance->role == HC_INSTANCE_SERVES && !instance->kept &&
           instance->device == item->device &&
           hc_config_same_instances(instance->group, item->group) &&
           (!by_name || strcmp(instance->name, item->name) == 0);
}

/* Let an instance that does what ITEM says be kept; false when there is none left. */
static bool keep(struct hc_model *model, const struct hc_config_instance *item, bool by_name) {
    for (size_t i = 0; i < model->n_instances; i++) {
        if (fits(model->instances[i], item, by_name)) {
            model->instances[i]->kept = true;
            return true;
        }
    }
    return false;
}

/* A place for one more: one that has been left, or a new one. */
static struct hc_instance *find_place(struct hc_model *model) {
    for (size_t i = 0; i < model->n_instances; i++) {
        if (model->instances[i]->role == HC_INSTANCE_GONE) {
            return model->instances[i];
        }
    }
    struct hc_instance *instance = create(model, (unsigned)model->n_instances);
    make_room(instance);
    pthread_mutex_lock(&model->lock);
    instance->closed = true;
    model->instances =
        hc_realloc(model->instances, (model->n_instances + 1) * sizeof(struct hc_instance *));
    model->instances[model->n_instances++] = instance;
    if (model->has_sequences) {
        hc_sequencer_extend(&model->sequencer);
    }
    pthread_mutex_unlock(&model->lock);
    return instance;
}

static void add(struct hc_model *model, struct hc_config_instance *item) {
    struct hc_instance *instance = find_place(model);
    struct hc_error error;
    describe(instance, item);
    instance->role = HC_INSTANCE_COMES;
    model->change->n_coming++;
    if (hc_rate_limit_join_one(instance, &error) != HC_OK) {
        hc_instance_started(instance, &error);
        return;
    }
    model->backend->start(instance);
}

/* ---- Coming ---- */

/* Its place may be taken. */
static void set_gone(struct hc_instance *instance) {
    hc_rate_limit_leave_one(instance);
    instance->role = HC_INSTANCE_GONE;
}

static void remove_instance(struct hc_instance *instance) {
    instance->role = HC_INSTANCE_LEAVES;
    hc_dispatch_close(instance);
}

/* All have come up: the new ones take requests, those that are not kept no more. */
static void take_over(struct hc_model *model, struct hc_instances_change *change) {
    hc_model_replace_config(model, hc_take(change->config));
    for (size_t i = 0; i < model->n_instances; i++) {
        struct hc_instance *instance = model->instances[i];
        if (instance->role == HC_INSTANCE_COMES) {
            instance->role = HC_INSTANCE_SERVES;
            hc_dispatch_open(instance);
        } else if (instance->role == HC_INSTANCE_SERVES && !instance->kept) {
            remove_instance(instance);
        }
    }
}

static void undo(struct hc_model *model) {
    for (size_t i = 0; i < model->n_instances; i++) {
        if (model->instances[i]->role == HC_INSTANCE_COMES) {
            remove_instance(model->instances[i]);
        }
    }
}

static void finish_one(struct hc_model *model) {
    struct hc_instances_change *change = model->change;
    if (--change->n_coming > 0) {
        return;
    }
    model->change = NULL;
    bool failed = change->error.code != HC_OK;
    if (failed) {
        hc_model_retire_config(model, hc_take(change->config)); /* instances look at it */
        undo(model);
    } else {
        take_over(model, change);
    }
    for (size_t i = 0; i < model->n_instances; i++) {
        model->instances[i]->kept = false;
    }
    change->on_done(model, failed ? &change->error : NULL);
    free(change);
    hc_model_unref(model);
}

static void on_warm(void *user, const struct hc_error *error) {
    struct hc_model *model = user;
    if (error != NULL && model->change->error.code == HC_OK) {
        model->change->error = *error;
    }
    finish_one(model);
}

void hc_instance_started(struct hc_instance *instance, const struct hc_error *error) {
    struct hc_model *model = instance->model;
    if (error != NULL) {
        set_gone(instance);
        on_warm(model, error);
    } else {
        hc_warmup_run(&instance, 1, on_warm, model);
    }
}

void hc_instances_change(struct hc_model *model, const Inference__ModelConfig *groups,
                         hc_instances_on_changed *on_done) {
    assert(model->change == NULL);
    hc_auto_instances list = {0};
    Inference__ModelConfig *config = hc_config_with_instances(model->config, groups);
    hc_config_list_instances(config, &list);
    model->change = hc_new(struct hc_instances_change);
    model->change->config = config;
    model->change->on_done = on_done;
    model->change->n_coming = 1;
    hc_model_ref(model);
    bool *found = hc_alloc_array(list.n, sizeof *found);
    for (size_t i = 0; i < list.n; i++) {
        found[i] = keep(model, &list.items[i], true);
    }
    for (size_t i = 0; i < list.n; i++) {
        found[i] = found[i] || keep(model, &list.items[i], false);
    }
    for (size_t i = 0; i < list.n; i++) {
        if (!found[i]) {
            add(model, &list.items[i]);
        }
    }
    free(found);
    finish_one(model);
}

/* ---- Leaving ---- */

static void on_idle(struct hc_task *task) {
    struct hc_instance *instance = hc_list_item(task, struct hc_instance, idle_task);
    struct hc_model *model = instance->model;
    if (instance->role == HC_INSTANCE_LEAVES && model->state == HC_MODEL_READY) {
        model->backend->stop(instance);
    }
    hc_model_unref(model);
}

void hc_instance_stopped(struct hc_instance *instance) {
    struct hc_model *model = instance->model;
    pthread_mutex_lock(&model->lock);
    model->n_leaving--;
    pthread_mutex_unlock(&model->lock);
    set_gone(instance);
}

/* ---- Host policies ---- */

const struct hc_host_policy *hc_instance_policy(const struct hc_instance *instance) {
    const struct hc_server_options *options = &instance->model->server->options;
    hc_auto(text) name = instance->group->host_policy[0] != '\0'
                             ? hc_strdup(instance->group->host_policy)
                         : strcmp(instance->kind, "GPU") == 0
                             ? hc_format("gpu_%d", instance->device)
                             : hc_strdup(strcmp(instance->kind, "CPU") == 0 ? "cpu" : "model");
    for (size_t i = 0; i < options->n_host_policies; i++) {
        if (strcmp(options->host_policies[i].name, name) == 0) {
            return &options->host_policies[i];
        }
    }
    return NULL;
}
