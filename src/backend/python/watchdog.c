/*
 * The watchdog: an instance whose execute does not return in the time that the model's parameter
 * EXECUTION_TIMEOUT_SECONDS allows is made to print where it is, and killed.
 */
#include <math.h>
#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "internal.h"

static const uint64_t shortest_pause_ns = 10 * HC_NS_PER_MS;
static const uint64_t longest_pause_ns = HC_NS_PER_S;
static const uint64_t time_to_print_ns = 200 * HC_NS_PER_MS;

/* The execution that the instance has had for longest; 0: none. */
static uint64_t current_execution(struct hc_instance *instance) {
    pthread_mutex_lock(&instance->model->lock);
    uint64_t id = instance->n_executions > 0 ? instance->executions[0].id : 0;
    pthread_mutex_unlock(&instance->model->lock);
    return id;
}

static void look_at(struct python_instance *own, uint64_t now_ns) {
    struct python_model *model = own->model;
    uint64_t id = current_execution(own->instance);
    if (own->host == NULL || own->host->state != PYHOST_READY || id == 0 ||
        id != own->watched_execution) {
        own->watched_execution = id;
        own->watched_since_ns = now_ns;
        own->condemned = false;
        return;
    }
    uint64_t age_ns = now_ns - own->watched_since_ns;
    if (!own->condemned && age_ns >= model->execution_timeout_ns) {
        own->condemned = true;
        process_condemn(&own->host->process, "execute did not return within the time that "
                                             "EXECUTION_TIMEOUT_SECONDS allows");
    } else if (own->condemned && age_ns >= model->execution_timeout_ns + time_to_print_ns) {
        pyhost_kill(own->host);
    }
}

static void on_due(struct hc_timer *timer) {
    struct python_model *model = hc_list_item(timer, struct python_model, watchdog);
    uint64_t now_ns = hc_clock_ns();
    uint64_t pause_ns = model->execution_timeout_ns / 8;
    for (size_t i = 0; i < model->model->n_instances; i++) {
        look_at(python_instance_at(model, i), now_ns);
    }
    pause_ns = pause_ns < shortest_pause_ns ? shortest_pause_ns : pause_ns;
    pause_ns = pause_ns > longest_pause_ns ? longest_pause_ns : pause_ns;
    hc_timer_start(model->server->control, timer, now_ns + pause_ns);
}

enum hc_code watchdog_start(struct python_model *model, struct hc_error *error) {
    const char *value = hc_config_parameter(model->model->config, "EXECUTION_TIMEOUT_SECONDS");
    if (value == NULL) {
        return HC_OK;
    }
    char *end;
    double seconds = strtod(value, &end);
    if (end == value || *end != '\0' || !isfinite(seconds) || seconds <= 0 || seconds > 1e6) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "EXECUTION_TIMEOUT_SECONDS must be a number above 0, not '%s'", value);
    }
    model->execution_timeout_ns = (uint64_t)(seconds * (double)HC_NS_PER_S);
    model->watchdog.on_due = on_due;
    on_due(&model->watchdog);
    return HC_OK;
}

void watchdog_stop(struct python_model *model) {
    hc_timer_stop(&model->watchdog);
}
