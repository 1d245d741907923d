/*
 * The tensors of an ensemble, as its models' inputs and outputs tell them. Private to this library.
 */
#ifndef HC_MODEL_ENSEMBLE_TENSORS_H
#define HC_MODEL_ENSEMBLE_TENSORS_H

#include "model/config.h"

struct hc_ensemble_tensor {
    const char *name;
    const char *model; /* that told it first */
    Inference__DataType data_type;
    const int64_t *dims;
    size_t n_dims;
    bool batching; /* with another dimension in front */
    bool visited;  /* is there, in the order of execution */
    size_t origin; /* the decoupled model that its number of answers comes from, 0 for none */
};

/* All of them, by name; room for as many as the ensemble can name. */
struct hc_ensemble_tensors {
    const char *ensemble; /* its name, for messages */
    struct hc_ensemble_tensor *items;
    size_t n;
};

/* The tensor of that name, NULL when there is none. */
struct hc_ensemble_tensor *hc_ensemble_tensor_find(const struct hc_ensemble_tensors *tensors,
                                                   const char *name);

/* Add a tensor, unless there is one of its name. */
void hc_ensemble_tensor_add(struct hc_ensemble_tensors *tensors, struct hc_ensemble_tensor tensor);

/*
 * Add a tensor, or hold it against what is known of it: another datatype or shape is
 * HC_INVALID_ARGUMENT.
 */
enum hc_code hc_ensemble_tensor_mention(struct hc_ensemble_tensors *tensors,
                                        struct hc_ensemble_tensor tensor, struct hc_error *error);

#endif
