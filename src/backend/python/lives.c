/* The lives of a model's instances: when they start, start again, and end. */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "channel/bell.h"
#include "core/dispatch.h"
#include "core/instances.h"
#include "internal.h"

/* A life that ends before its first success delays the next one, doubling up to the longest. */
static const uint64_t first_delay_ns = 100 * HC_NS_PER_MS;
static const uint64_t longest_delay_ns = 10 * HC_NS_PER_S;

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

void lives_kill_all(struct python_model *model) {
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

void lives_fail_loading(struct python_model *model, const struct hc_error *error) {
    if (model->load_error.code == HC_OK) {
        model->load_error = *error;
    }
    lives_kill_all(model);
    if (all_dead(model)) {
        finish_loading(model);
    }
}

void lives_finish_unloading(struct python_model *model) {
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

void lives_on_restart_due(struct hc_timer *timer) {
    lives_start(hc_list_item(timer, struct python_instance, restart_timer));
}

void lives_fail_if_abandoned(struct python_model *model) {
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
        lives_finish_unloading(model);
    } else if (model->abandoned) {
        lives_fail_if_abandoned(model);
    } else if (own->leaves) {
        hc_instance_stopped(own->instance);
    } else if (!hc_instance_is_wanted(own->instance)) {
        /* it could not be started */
    } else if (model->loading) {
        struct hc_error error;
        hc_auto(text) death = process_tell_end(&host->process);
        hc_error_set(&error, HC_INTERNAL, "%s", death);
        lives_fail_loading(model, &error);
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
    pyhost_hand_over(host, loop_side_drop, on_dropped);
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

bool lives_complete(struct python_model *model, const char *completed_config) {
    struct hc_error error;
    if (model->config_complete) {
        return true;
    }
    if (hc_model_complete(model->model, completed_config, &error) != HC_OK) {
        lives_fail_loading(model, &error);
        return false;
    }
    model->config_complete = true;
    return true;
}

void lives_on_imported(struct pyhost *host, const char *completed_config) {
    struct python_model *model = host->owner->model;
    if (!model->config_complete && host->owner->instance->index == 0) {
        if (!lives_complete(model, completed_config)) {
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

void lives_on_ready(struct pyhost *host) {
    host->adoption = PYHOST_BEING_ADOPTED;
    pyhost_hand_over(host, loop_side_adopt, on_adopted);
}

void lives_on_death(struct pyhost *host) {
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

void lives_start(struct python_instance *own) {
    struct hc_error error;
    if (start_process(own, &error) == HC_OK) {
        return;
    }
    if (own->comes) {
        come(own, &error);
    } else if (own->model->loading) {
        lives_fail_loading(own->model, &error);
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

void lives_start_missing(struct python_model *model) {
    for (size_t i = 0; i < model->model->n_instances; i++) {
        struct python_instance *own = python_instance_at(model, i);
        bool stopped = model->stopping || model->abandoned || model->load_error.code != HC_OK;
        if (!stopped && is_missing(own)) {
            lives_start(own);
        }
    }
}

void lives_on_template_ready(struct python_model *model) {
    lives_start_missing(model);
}

void lives_on_template_end(struct python_model *model, bool was_ready, const char *death) {
    struct hc_error error;
    hc_error_set(&error, HC_INTERNAL, "%s", death);
    if (model->stopping) {
        lives_finish_unloading(model);
    } else if (model->abandoned) {
        lives_fail_if_abandoned(model);
    } else if (!model->wants_template) {
        lives_start_missing(model);
    } else if (model->loading) {
        lives_fail_loading(model, &error);
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

void lives_stop(struct pyhost *host) {
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
