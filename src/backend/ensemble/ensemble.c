/* The ensemble backend: its table of functions. */
#include "backend/ensemble.h"

#include "plan.h"
#include "run.h"

static void load(struct hc_model *model) {
    model->backend_model = plan_create(model);
    hc_model_loaded(model, NULL);
}

static void unload(struct hc_model *model) {
    hc_model_unloaded(model);
}

static void abandon(struct hc_model *model) {
    (void)model; /* its requests end with those to its models */
}

static void destroy(struct hc_model *model) {
    plan_destroy(model->backend_model);
}

const struct hc_backend hc_ensemble_backend = {
    .name = "ensemble",
    .reads_in_place = true,
    .load = load,
    .unload = unload,
    .abandon = abandon,
    .destroy = destroy,
    .infer = run_start,
    .cancel = run_cancel,
    .pause = run_pause,
};
