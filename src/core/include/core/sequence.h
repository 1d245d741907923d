/*
 * Sequences: what a model with sequence batching is given besides the request's own inputs.
 *
 * Control inputs say where in its sequence a request is. Direct batches have a place for each slot;
 * where a slot has nothing to do stands a *null request*, with inputs of zeros, not ready, whose
 * answer nobody gets.
 */
#ifndef HC_CORE_SEQUENCE_H
#define HC_CORE_SEQUENCE_H

#include "core/model.h"
#include "core/request.h"

/* Set up MODEL's sequencer after its config. */
void hc_sequence_configure(struct hc_model *model);

/* Check what REQUEST says of its sequence, and add the control inputs. Request's loop. */
enum hc_code hc_sequence_prepare(struct hc_request *request, struct hc_error *error);

/*
 * With the model locked, on any loop: complete BATCH, jobs in the order of their slots, to N_PLACES
 * with null requests of the calling loop; those for which there is no memory are left out.
 */
void hc_sequence_fill(struct hc_model *model, struct hc_list *batch, size_t n_places);

#endif
