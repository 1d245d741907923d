/*
 * What the fuzz targets of the formats of weights have in common.
 */
#ifndef HC_TESTS_FUZZ_WEIGHTS_INPUT_H
#define HC_TESTS_FUZZ_WEIGHTS_INPUT_H

#include "weights/weights.h"

/*
 * Any bytes are read or refused with a message. Every element of what is read may be read, the
 * layers make a stack or are refused, and a stack computes.
 */
void weights_input(enum hc_weights_format format, const uint8_t *data, size_t size);

#endif
