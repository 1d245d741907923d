/*
 * Classification: instead of an output's values, which of them are the largest, and what they stand
 * for.
 */
#ifndef HC_CORE_CLASSIFY_H
#define HC_CORE_CLASSIFY_H

#include "core/model.h"
#include "core/response.h"

/*
 * The COUNT > 0 largest elements of OUTPUT, or all if it has fewer, the largest first and of equals
 * the first; in each item of a batch if the model has batches. *CLASSES is a tensor of strings
 * "VALUE:INDEX:LABEL", or "VALUE:INDEX" where there is no label, whose memory is POOL's.
 * HC_INVALID_ARGUMENT for datatypes that have no classes, HC_INTERNAL when the data does not fit
 * the shape, HC_RESOURCE_EXHAUSTED without memory. Any thread.
 */
enum hc_code hc_classify(const struct hc_model *model, const struct hc_output *output,
                         uint64_t count, struct hc_pool *pool, struct hc_output *classes,
                         struct hc_error *error);

#endif
