/* CUDA's bfloat16, as far as the kernels use it. */
#ifndef FAKE_CUDA_DEVICE_CUDA_BF16_H
#define FAKE_CUDA_DEVICE_CUDA_BF16_H

#include "backend/linear/half.h"

struct __nv_bfloat16 {
    uint16_t bits;
};

static inline float __bfloat162float(__nv_bfloat16 value) {
    return bfloat_to_float(value.bits);
}

static inline __nv_bfloat16 __float2bfloat16_rn(float value) {
    return {float_to_bfloat(value)};
}

#endif
