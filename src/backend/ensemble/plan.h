/*
 * Plans: an ensemble's steps with numbers instead of names; made when it is loaded, then const.
 */
#ifndef HC_BACKEND_ENSEMBLE_PLAN_H
#define HC_BACKEND_ENSEMBLE_PLAN_H

#include "core/model.h"

/* An input or output of a step's model, and the ensemble's tensor that it is. */
struct plan_port {
    struct hc_text name;
    size_t tensor;
};

struct plan_step {
    const char *model;
    const char *namespace_; /* NULL: there are none */
    int64_t version;        /* -1: the latest */
    struct plan_port *inputs;
    size_t n_inputs;
    struct plan_port *outputs;
    size_t n_outputs;
};

struct plan {
    struct plan_step *steps;
    size_t n_steps;
    size_t n_tensors;
    size_t *inputs; /* the tensors that are inputs and outputs of the ensemble, in its order */
    size_t *outputs;
    size_t max_in_flight; /* requests to one step at a time, of one request; 0: any number */
    struct hc_pool memory;
};

/* For MODEL, an ensemble whose config has been checked, and outlives the plan. */
struct plan *plan_create(const struct hc_model *model);
void plan_destroy(struct plan *plan);

#endif
