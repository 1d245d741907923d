/* CUDA's half precision, as far as the kernels use it. */
#ifndef FAKE_CUDA_DEVICE_CUDA_FP16_H
#define FAKE_CUDA_DEVICE_CUDA_FP16_H

#include "backend/linear/half.h"

struct __half {
    uint16_t bits;
};

static inline float __half2float(__half value) {
    return half_to_float(value.bits);
}

static inline __half __float2half_rn(float value) {
    return {float_to_half(value)};
}

#endif
