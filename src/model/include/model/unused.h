/*
 * Fields of a config that change nothing here: hints for other backends than Python's, which
 * NVIDIA's server has no use for with a Python model either. They are checked and accepted.
 */
#ifndef HC_MODEL_UNUSED_H
#define HC_MODEL_UNUSED_H

#include <stdbool.h>

#include "base/buf.h"
#include "model/config.h"

/*
 * Whether a field is one of these, itself or as a part of one: "optimization.cuda.graphs". Names
 * are those of the .proto file; lists and maps have no numbers and keys.
 */
bool hc_config_is_unused(const char *path);

/* Append those that CONFIG, as it was read and before defaults are filled in, sets: "a, b.c". */
void hc_config_list_unused(const Inference__ModelConfig *config, struct hc_buf *list);

#endif
