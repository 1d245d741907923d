/* The beginning of a run: its models, and which steps are needed. */
#include "base/alloc.h"
#include "base/clock.h"
#include "core/catalog.h"
#include "core/context.h"
#include "core/server.h"
#include "run.h"

static enum hc_code find_model(const struct hc_catalog *catalog, const struct plan_step *step,
                               struct hc_model **found, struct hc_error *error) {
    const struct hc_catalog_entry *entry =
        hc_catalog_find_in(catalog, step->namespace_, step->model);
    for (size_t i = entry == NULL ? 0 : entry->n_versions; i-- > 0;) {
        const struct hc_catalog_version *version = &entry->versions[i];
        if (version->model != NULL && (step->version < 0 || version->number == step->version)) {
            *found = version->model;
            return HC_OK;
        }
    }
    return hc_error_set(error, HC_UNAVAILABLE, "model '%s' is not ready", step->model);
}

static enum hc_code find_models(struct run *run, struct hc_error *error) {
    const struct hc_catalog *catalog = hc_server_catalog(run->request->context->server);
    for (size_t i = 0; i < run->plan->n_steps; i++) {
        HC_TRY(find_model(catalog, &run->plan->steps[i], &run->models[i], error));
        hc_model_ref(run->models[i]);
    }
    return HC_OK;
}

static bool is_wanted(const struct run *run, size_t tensor) {
    for (size_t i = 0; i < run->model->n_outputs; i++) {
        if (run->plan->outputs[i] == tensor && answer_has(run, i)) {
            return true;
        }
    }
    for (size_t i = 0; i < run->plan->n_steps; i++) {
        for (size_t j = 0; j < run->plan->steps[i].n_inputs && run->needed[i]; j++) {
            if (run->plan->steps[i].inputs[j].tensor == tensor) {
                return true;
            }
        }
    }
    return false;
}

/* Steps are needed for the outputs that are requested, and for other steps that are. */
static void find_needed(struct run *run) {
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < run->plan->n_steps; i++) {
            const struct plan_step *step = &run->plan->steps[i];
            for (size_t j = 0; j < step->n_outputs && !run->needed[i]; j++) {
                run->needed[i] = is_wanted(run, step->outputs[j].tensor);
                changed = changed || run->needed[i];
            }
        }
    }
}

enum hc_code run_start(struct hc_request *request, struct hc_error *error) {
    struct hc_model *model = request->model;
    struct run *run = hc_new(struct run);
    run->request = request;
    run->model = model;
    hc_model_ref(model);
    run->plan = model->backend_model;
    run->models = hc_alloc_array(run->plan->n_steps, sizeof(struct hc_model *));
    run->needed = hc_alloc_array(run->plan->n_steps, sizeof *run->needed);
    run->n_in_flight = hc_alloc_array(run->plan->n_steps, sizeof *run->n_in_flight);
    run->n_uses = 1;
    run->batch_size = request->batch_size;
    hc_list_init(&run->waves);
    hc_list_init(&run->calls);
    request->queued_ns = hc_clock_ns();
    enum hc_code code = find_models(run, error);
    if (code != HC_OK) {
        hc_error_prefix(error, "in ensemble '%s', ", model->name);
        run_unuse(run);
        return code;
    }
    request->_backend = run;
    find_needed(run);
    wave_set_inputs(wave_add(run, &run->waves));
    run_advance(run);
    run_unuse(run);
    return HC_OK;
}
