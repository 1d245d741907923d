/*
 * Label files: what the elements of an output stand for, one a line. A line may be empty, which is
 * no label; a carriage return at its end belongs to it, as for Triton.
 */
#ifndef HC_MODEL_LABELS_H
#define HC_MODEL_LABELS_H

#include <stddef.h>

#include "base/error.h"
#include "base/pool.h"
#include "base/text.h"

/* Read the file at PATH into memory of POOL. HC_INTERNAL when it cannot be, or is over 64 MB. */
enum hc_code hc_labels_read(const char *path, struct hc_pool *pool, struct hc_text **labels,
                            size_t *n_labels, struct hc_error *error);

#endif
