/*
 * The forms of the kernels: kernels_level.c, compiled once for each.
 */
#ifndef HC_BACKEND_LINEAR_KERNELS_LEVELS_H
#define HC_BACKEND_LINEAR_KERNELS_LEVELS_H

#include "kernels.h"

extern const struct kernels kernels_portable; /* 128 bits: SSE2, NEON */
extern const struct kernels kernels_avx2;     /* 256 bits */
extern const struct kernels kernels_avx512;   /* 512 bits */

#endif
