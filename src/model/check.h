/*
 * The parts of the checks, one a subject. Private to this library.
 */
#ifndef HC_MODEL_CHECK_H
#define HC_MODEL_CHECK_H

#include "model/config.h"

enum hc_code hc_check_dynamic_batching(const Inference__ModelConfig *config,
                                       struct hc_error *error);
enum hc_code hc_check_sequence_batching(const Inference__ModelConfig *config,
                                        struct hc_error *error);

/* Steps and tensors of an ensemble, as far as they can be seen without the models. */
enum hc_code hc_check_ensemble(const Inference__ModelConfig *config, struct hc_error *error);

/* Batch inputs and outputs. */
enum hc_code hc_check_batch_io(const Inference__ModelConfig *config, struct hc_error *error);

/* Implicit states, with the files in FOLDER that they begin with. */
enum hc_code hc_check_states(const Inference__ModelConfig *config, const char *folder,
                             struct hc_error *error);

/*
 * The bytes of a tensor as Triton counts them for data from a file, where a string takes at least
 * its length prefix. False when an extent is variable or there are too many.
 */
bool hc_check_count_bytes(Inference__DataType data_type, const int64_t *dims, size_t n_dims,
                          size_t *size);

#endif
