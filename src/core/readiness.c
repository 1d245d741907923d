/* Asking models whether they are ready. */
#include "core/readiness.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "core/catalog.h"
#include "core/server.h"

/* One question of a front end. */
struct check {
    struct hc_task task;
    struct hc_loop *loop;
    hc_readiness_on_done *on_done;
    void *user;
    struct hc_model **models; /* to be asked, referenced */
    size_t n_models;
    size_t n_left;
    bool ready;
};

static void on_answered(struct hc_task *task) {
    struct check *check = hc_list_item(task, struct check, task);
    check->on_done(check->user, check->ready);
    for (size_t i = 0; i < check->n_models; i++) {
        hc_model_unref(check->models[i]);
    }
    free(check->models);
    free(check);
}

/* Control thread. */
static void on_checked(void *user, bool ready) {
    struct check *check = user;
    check->ready = check->ready && ready;
    if (--check->n_left == 0) {
        check->task.run = on_answered;
        hc_loop_post(check->loop, &check->task);
    }
}

/* Control thread. */
static void ask(struct hc_task *task) {
    struct check *check = hc_list_item(task, struct check, task);
    check->n_left = check->n_models;
    for (size_t i = 0, n = check->n_models; i < n; i++) {
        struct hc_model *model = check->models[i];
        model->backend->check(model, on_checked, check);
    }
}

static void add(struct check *check, struct hc_model *model) {
    if (model != NULL && atomic_load_explicit(&model->has_check, memory_order_relaxed)) {
        check->models =
            hc_realloc(check->models, (check->n_models + 1) * sizeof(struct hc_model *));
        check->models[check->n_models++] = model;
        hc_model_ref(model);
    }
}

static void add_all(struct check *check, const struct hc_catalog *catalog) {
    for (size_t i = 0; i < catalog->n_entries; i++) {
        for (size_t j = 0; j < catalog->entries[i].n_versions; j++) {
            add(check, catalog->entries[i].versions[j].model);
        }
    }
}

void hc_readiness_check(struct hc_context *context, struct hc_model *model,
                        hc_readiness_on_done *on_done, void *user) {
    bool up = model != NULL ? hc_model_is_up(model)
                            : hc_catalog_is_ready(hc_server_catalog(context->server));
    struct check *check = hc_new(struct check);
    *check = (struct check){
        .loop = context->loop, .on_done = on_done, .user = user, .ready = up, .task.run = ask};
    if (up && model != NULL) {
        add(check, model);
    } else if (up) {
        add_all(check, hc_server_catalog(context->server));
    }
    if (check->n_models == 0) {
        free(check);
        on_done(user, up);
        return;
    }
    hc_loop_post(context->server->control, &check->task);
}
