/*
 * Numbers: loading and storing them, sixteen bytes at a time where it matters, and the functions
 * between layers. Whatever the type in memory, the arithmetic is in float, or double for double.
 */
#ifndef HC_BACKEND_LINEAR_CUDA_NUMBER_CUH
#define HC_BACKEND_LINEAR_CUDA_NUMBER_CUH

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "parameters.h"

/* The elements of a weight's type that one load brings, and what they are calculated in. */
template <typename Number> struct traits {
    using real = float;
    static const int lanes = 16 / sizeof(Number);
};

template <> struct traits<double> {
    using real = double;
    static const int lanes = 2;
};

/* As floats these are four times as wide, so half as many go at a time. */
template <> struct traits<int8_t> {
    using real = float;
    static const int lanes = 8;
};

static __device__ __forceinline__ float widen(float value) {
    return value;
}

static __device__ __forceinline__ double widen(double value) {
    return value;
}

static __device__ __forceinline__ float widen(__half value) {
    return __half2float(value);
}

static __device__ __forceinline__ float widen(__nv_bfloat16 value) {
    return __bfloat162float(value);
}

static __device__ __forceinline__ float widen(int8_t value) {
    return (float)value;
}

/* N numbers from a place that is aligned to as many bytes as they have, 16 at most, by as few loads
 * as there can be. */
template <typename Number, int N> struct vector {
    Number lanes[N];

    static __device__ __forceinline__ vector load(const Number *place) {
        vector value;
        if (sizeof value == 8) {
            *(uint2 *)&value = __ldg((const uint2 *)place);
        } else {
#pragma unroll
            for (int i = 0; i < (int)(sizeof value / 16); i++) {
                ((uint4 *)&value)[i] = __ldg((const uint4 *)place + i);
            }
        }
        return value;
    }
} __attribute__((aligned(sizeof(Number) * N < 16 ? 8 : 16)));

/* Element INDEX of rows that hold NUMBER. */
template <typename Real>
static __device__ __forceinline__ Real load(uint64_t place, size_t index, uint32_t number) {
    switch (number) {
    case GPU_F64:
        return (Real)((const double *)place)[index];
    case GPU_F16:
        return (Real)widen(((const __half *)place)[index]);
    case GPU_BF16:
        return (Real)widen(((const __nv_bfloat16 *)place)[index]);
    default:
        return (Real)((const float *)place)[index];
    }
}

template <typename Real>
static __device__ __forceinline__ void store(uint64_t place, size_t index, uint32_t number,
                                             Real value) {
    switch (number) {
    case GPU_F64:
        ((double *)place)[index] = (double)value;
        return;
    case GPU_F16:
        ((__half *)place)[index] = __float2half_rn((float)value);
        return;
    case GPU_BF16:
        ((__nv_bfloat16 *)place)[index] = __float2bfloat16_rn((float)value);
        return;
    default:
        ((float *)place)[index] = (float)value;
        return;
    }
}

template <typename Real>
static __device__ __forceinline__ Real operate(uint32_t operation, Real x, Real slope) {
    const Real one = 1;
    const Real half = 0.5;
    switch (operation) {
    case GPU_RELU:
        return x < 0 ? 0 : x;
    case GPU_LEAKY_RELU:
        return x < 0 ? slope * x : x;
    case GPU_GELU:
        return half * x * (one + erf(x * (Real)0.70710678118654752440));
    case GPU_GELU_TANH:
        return half * x *
               (one + tanh((Real)0.79788456080286535588 * (x + (Real)0.044715 * x * x * x)));
    case GPU_TANH:
        return tanh(x);
    case GPU_SIGMOID:
        return one / (one + exp(-x));
    case GPU_SILU:
        return x / (one + exp(-x));
    default:
        return x;
    }
}

/* What becomes of the sum of the products of ROW and OUTPUT. */
template <typename Real>
static __device__ __forceinline__ void finish(const gpu_linear &p, uint32_t row, uint32_t output,
                                              Real sum) {
    if (row >= p.n_rows || output >= p.n_stored) {
        return;
    }
    Real value = 0;
    if (output < p.n_out) {
        value = p.scales == 0 ? sum : sum * ((const Real *)p.scales)[output];
        value = p.bias == 0 ? value : value + ((const Real *)p.bias)[output];
        value = operate<Real>(p.operation, value, (Real)p.slope);
    }
    store<Real>(p.y, (size_t)row * p.y_stride + output, p.y_number, value);
}

#endif
