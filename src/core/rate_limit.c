/* Rate limiting: the limiter behind its lock, and news for the models that may go on. */
#include "core/rate_limit.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "core/dispatch.h"

struct hc_rate_limiter {
    pthread_mutex_t lock; /* taken last */
    struct hc_limiter limiter;
};

void hc_rate_limit_start(struct hc_server *server) {
    const struct hc_server_options *options = &server->options;
    if (!options->rate_limit) {
        return;
    }
    server->rate_limiter = hc_new(struct hc_rate_limiter);
    pthread_mutex_init(&server->rate_limiter->lock, NULL);
    hc_limiter_init(&server->rate_limiter->limiter, options->rate_limits, options->n_rate_limits);
}

void hc_rate_limit_finish(struct hc_server *server) {
    if (server->rate_limiter != NULL) {
        hc_limiter_finish(&server->rate_limiter->limiter);
        pthread_mutex_destroy(&server->rate_limiter->lock);
        free(server->rate_limiter);
    }
}

static struct hc_rate_limiter *limiter_of(const struct hc_instance *instance) {
    return instance->model->server->rate_limiter;
}

/* ---- Members ---- */

static void on_granted(struct hc_task *task) {
    struct hc_instance *instance = hc_list_item(task, struct hc_instance, granted_task);
    struct hc_rate_limiter *own = limiter_of(instance);
    pthread_mutex_lock(&own->lock);
    instance->granted_posted = false;
    pthread_mutex_unlock(&own->lock);
    hc_dispatch_look(instance->model);
    hc_model_unref(instance->model);
}

static void describe(struct hc_instance *instance, const Inference__ModelRateLimiter *config) {
    size_t n = config == NULL ? 0 : config->n_resources;
    struct hc_limiter_need *needs = hc_alloc_array(n, sizeof *needs);
    for (size_t i = 0; i < n; i++) {
        needs[i] = (struct hc_limiter_need){
            .resource = config->resources[i]->name,
            .count = config->resources[i]->count,
            .global = config->resources[i]->global,
        };
    }
    instance->limited = (struct hc_limiter_member){
        .needs = needs,
        .n_needs = n,
        .device = instance->device,
        .priority = config == NULL ? 0 : config->priority,
    };
    instance->granted_task.run = on_granted;
}

enum hc_code hc_rate_limit_join_one(struct hc_instance *instance, struct hc_error *error) {
    struct hc_rate_limiter *own = limiter_of(instance);
    if (own == NULL) {
        return HC_OK;
    }
    pthread_mutex_lock(&own->lock);
    describe(instance, instance->group->rate_limiter);
    enum hc_code code = hc_limiter_join(&own->limiter, &instance->limited, error);
    pthread_mutex_unlock(&own->lock);
    return code;
}

void hc_rate_limit_leave_one(struct hc_instance *instance) {
    struct hc_rate_limiter *own = limiter_of(instance);
    if (own == NULL) {
        return;
    }
    pthread_mutex_lock(&own->lock);
    if (hc_list_in(&instance->limited._link)) {
        hc_limiter_leave(&own->limiter, &instance->limited);
    }
    free((void *)instance->limited.needs);
    instance->limited.needs = NULL;
    pthread_mutex_unlock(&own->lock);
}

enum hc_code hc_rate_limit_join(struct hc_model *model, struct hc_error *error) {
    for (size_t i = 0; i < model->n_instances; i++) {
        HC_TRY(hc_rate_limit_join_one(model->instances[i], error));
    }
    return HC_OK;
}

void hc_rate_limit_leave(struct hc_model *model) {
    for (size_t i = 0; i < model->n_instances; i++) {
        hc_rate_limit_leave_one(model->instances[i]);
    }
}

/* ---- Turns ---- */

/*
 * With the limiter locked: whoever can run now, does. The model that asks (NULL: none) sees for
 * itself; the others are looked at as soon as this loop has nothing locked.
 */
static void grant(struct hc_rate_limiter *own, const struct hc_model *asking) {
    struct hc_limiter_member *member;
    while ((member = hc_limiter_next(&own->limiter)) != NULL) {
        struct hc_instance *instance = hc_list_item(member, struct hc_instance, limited);
        if (instance->model != asking && !instance->granted_posted) {
            instance->granted_posted = true;
            hc_model_ref(instance->model);
            hc_loop_post(hc_loop_current(), &instance->granted_task);
        }
    }
}

static bool is_idle(const struct hc_instance *instance) {
    return instance->state == HC_INSTANCE_READY && !instance->passive && !instance->closed &&
           instance->n_executions == 0;
}

/* The first idle instance that has its resources. */
static struct hc_instance *find_running(const struct hc_model *model) {
    for (size_t i = 0; i < model->n_instances; i++) {
        struct hc_instance *instance = model->instances[i];
        if (is_idle(instance) && instance->limited.state == HC_LIMITER_RUNNING) {
            return instance;
        }
    }
    return NULL;
}

/* Have so many idle instances in line, as far as there are any. */
static void line_up(struct hc_rate_limiter *own, const struct hc_model *model, size_t n_wanted) {
    for (size_t i = 0; i < model->n_instances && n_wanted > 0; i++) {
        struct hc_instance *instance = model->instances[i];
        if (!is_idle(instance)) {
            continue;
        }
        if (instance->limited.state == HC_LIMITER_IDLE) {
            hc_limiter_wait(&own->limiter, &instance->limited);
        }
        n_wanted--;
    }
    grant(own, model);
}

struct hc_instance *hc_rate_limit_pick(struct hc_model *model, size_t n_waiting) {
    struct hc_rate_limiter *own = model->server->rate_limiter;
    pthread_mutex_lock(&own->lock);
    struct hc_instance *instance = find_running(model);
    if (instance == NULL) {
        line_up(own, model, n_waiting);
        instance = find_running(model);
    }
    pthread_mutex_unlock(&own->lock);
    return instance;
}

bool hc_rate_limit_acquire(struct hc_instance *instance) {
    struct hc_rate_limiter *own = limiter_of(instance);
    pthread_mutex_lock(&own->lock);
    if (instance->limited.state == HC_LIMITER_IDLE) {
        hc_limiter_wait(&own->limiter, &instance->limited);
        grant(own, instance->model);
    }
    bool runs = instance->limited.state == HC_LIMITER_RUNNING;
    pthread_mutex_unlock(&own->lock);
    return runs;
}

/* It is in line before others are served, or two that share a resource would only alternate. */
void hc_rate_limit_ran(struct hc_instance *instance, bool again) {
    struct hc_rate_limiter *own = limiter_of(instance);
    pthread_mutex_lock(&own->lock);
    if (instance->limited.state == HC_LIMITER_RUNNING) { /* else it was past the queue */
        hc_limiter_done(&own->limiter, &instance->limited, true);
        if (again) {
            hc_limiter_wait(&own->limiter, &instance->limited);
        }
        grant(own, instance->model);
    }
    pthread_mutex_unlock(&own->lock);
}

void hc_rate_limit_release(struct hc_instance *instance) {
    struct hc_rate_limiter *own = limiter_of(instance);
    pthread_mutex_lock(&own->lock);
    if (instance->limited.state == HC_LIMITER_RUNNING) {
        hc_limiter_done(&own->limiter, &instance->limited, false);
        grant(own, NULL);
    }
    pthread_mutex_unlock(&own->lock);
}

void hc_rate_limit_settle_one(struct hc_instance *instance) {
    struct hc_rate_limiter *own = limiter_of(instance);
    pthread_mutex_lock(&own->lock);
    if (instance->limited.state == HC_LIMITER_WAITING) {
        hc_limiter_give_up(&own->limiter, &instance->limited);
        grant(own, NULL);
    } else if (instance->limited.state == HC_LIMITER_RUNNING && instance->n_executions == 0) {
        hc_limiter_done(&own->limiter, &instance->limited, false);
        grant(own, NULL);
    }
    pthread_mutex_unlock(&own->lock);
}

void hc_rate_limit_settle(struct hc_model *model) {
    for (size_t i = 0; i < model->n_instances; i++) {
        hc_rate_limit_settle_one(model->instances[i]);
    }
}
