/*
 * Ensembles: models that are made of others, whose inputs and outputs are connected by named
 * tensors. hc_config_check() has seen to it that the connections are sound in themselves; here they
 * are held against the models.
 */
#ifndef HC_MODEL_ENSEMBLE_H
#define HC_MODEL_ENSEMBLE_H

#include "model/config.h"

/* The config of the model that a step names, as it is loaded, or NULL; it must last for the call.
 */
typedef const Inference__ModelConfig *(*hc_ensemble_find)(
    void *context, const Inference__ModelEnsembling__Step *step);

/*
 * Check an ensemble's config against those of its models: batch sizes, names, datatypes and shapes
 * of what is connected, and that nothing joins answers of different decoupled models. Then set
 * whether the ensemble is decoupled itself: when one of its models is.
 */
enum hc_code hc_ensemble_settle(Inference__ModelConfig *ensemble, hc_ensemble_find find,
                                void *context, struct hc_error *error);

#endif
