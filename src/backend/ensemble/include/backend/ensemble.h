/*
 * The ensemble backend: models that are made of other models, as their configs say.
 *
 * There are no instances: a request runs on its own loop, as one request after the other to the
 * models of the steps, each as soon as its inputs are there. The tensors of a request are values by
 * name. A step of a decoupled model gives a set of them for each of its responses, and the steps
 * behind it run once for each set; what the ensemble answers keeps their order.
 *
 * Steps share tensors where they can: native models read them where they are. A Python model may
 * write into its inputs and keep them, so it is given copies of its own, once each. To map the
 * producer's pages privately for every request instead takes longer than that copy up to some 10
 * MB, and is no quicker beyond.
 *
 *     plan.c      the steps of an ensemble, with numbers for names
 *     start.c     one request: its models, which steps it needs
 *     run.c       which steps run, and when it is over
 *     wave.c      one set of tensors: what is there, what is still needed
 *     step.c      one request to a step's model, its inputs copied to where that model reads them
 *     answer.c    the ensemble's responses, made of those of its steps without copying
 *     ensemble.c  the table of functions
 */
#ifndef HC_BACKEND_ENSEMBLE_ENSEMBLE_H
#define HC_BACKEND_ENSEMBLE_ENSEMBLE_H

#include "core/backend.h"

extern const struct hc_backend hc_ensemble_backend;

#endif
