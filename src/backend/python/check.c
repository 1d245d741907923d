/*
 * The hook is_ready: asked of every instance of a model, which answers over the control socket.
 */
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "internal.h"

HC_CLEANUP(json, cJSON *, cJSON_Delete);

static const uint64_t longest_check_ns = 5 * HC_NS_PER_S;

/* Who waits for the answer. */
struct waiter {
    struct hc_list link;
    void (*on_checked)(void *user, bool ready);
    void *user;
};

void checks_init(struct checks *checks) {
    hc_list_init(&checks->waiters);
}

static void finish(struct checks *checks) {
    hc_timer_stop(&checks->timer);
    checks->n_left = 0;
    struct hc_list *link;
    while ((link = hc_list_pop(&checks->waiters)) != NULL) {
        struct waiter *waiter = hc_list_item(link, struct waiter, link);
        waiter->on_checked(waiter->user, checks->ready);
        free(waiter);
    }
}

static void on_timeout(struct hc_timer *timer) {
    struct checks *checks = hc_list_item(timer, struct checks, timer);
    hc_log_error("Timed out waiting for user-defined is_ready() response");
    checks->ready = false;
    finish(checks);
}

/* A host that is being asked has answered, or will not. */
static void answered(struct pyhost *host, bool ready) {
    struct checks *checks = &host->owner->model->checks;
    host->asked = false;
    if (checks->n_left == 0 || host->round != checks->round) {
        return; /* too late for the round that it was asked in */
    }
    checks->ready = checks->ready && ready;
    if (--checks->n_left == 0) {
        finish(checks);
    }
}

void checks_on_answer(struct pyhost *host, struct hc_text body) {
    hc_auto(json) json = cJSON_ParseWithLength(body.data, body.size);
    bool ready = cJSON_IsTrue(cJSON_GetObjectItem(json, "ready"));
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItem(json, "message"));
    if (!ready) {
        hc_log_error("Model '%s' is not ready (%s).", host->owner->instance->name,
                     message != NULL ? message : "user-defined check failed");
    }
    answered(host, ready);
}

void checks_on_death(struct pyhost *host) {
    if (host->asked) {
        answered(host, false);
    }
}

/* One that still thinks about the last question is not ready. */
static void ask(struct checks *checks, struct pyhost *host) {
    if (host == NULL || host->state != PYHOST_READY) {
        return;
    }
    if (host->asked || hc_control_send(host->process.control, HC_CONTROL_CHECK, HC_TEXT("{}"), NULL,
                                       0, NULL) != HC_OK) {
        checks->ready = false;
        return;
    }
    host->asked = true;
    host->round = checks->round;
    checks->n_left++;
}

static void start_round(struct python_model *model) {
    struct checks *checks = &model->checks;
    checks->round++;
    checks->ready = true;
    for (size_t i = 0; i < model->model->n_instances; i++) {
        ask(checks, python_instance_at(model, i)->host);
    }
    if (checks->n_left == 0) {
        finish(checks);
        return;
    }
    checks->timer.on_due = on_timeout;
    hc_timer_start(model->server->control, &checks->timer, hc_clock_ns() + longest_check_ns);
}

void checks_ask(struct python_model *model, void (*on_checked)(void *user, bool ready),
                void *user) {
    struct waiter *waiter = hc_new(struct waiter);
    waiter->on_checked = on_checked;
    waiter->user = user;
    hc_list_append(&model->checks.waiters, &waiter->link);
    if (model->checks.n_left == 0) {
        start_round(model);
    }
}
