/*
 * One form of the kernels: HC_KERNELS is its name, HC_VECTOR_SIZE the bytes of its vectors. The
 * arithmetic is in kernels_real.h, which is compiled for float and for double.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "half.h"
#include "kernels_levels.h"

#ifdef __F16C__
#include <immintrin.h>
#endif

/*
 * glibc has these for whole vectors, in libmvec, but offers them only to those who give up more of
 * IEEE's arithmetic than we want to.
 */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define HC_VECTORISED __attribute__((simd("notinbranch")))
HC_VECTORISED float expf(float x);
HC_VECTORISED float tanhf(float x);
HC_VECTORISED float erff(float x);
HC_VECTORISED double exp(double x);
HC_VECTORISED double tanh(double x);
HC_VECTORISED double erf(double x);
#endif

#define HC_INLINE static inline __attribute__((always_inline))

#define REAL       float
#define REAL_LANES (HC_VECTOR_SIZE / 4)
#define NAME(name) name##_float
#define MATH(name) name##f
#include "kernels_real.h"
#undef REAL
#undef REAL_LANES
#undef NAME
#undef MATH

#define REAL_IS_DOUBLE
#define REAL       double
#define REAL_LANES (HC_VECTOR_SIZE / 8)
#define NAME(name) name##_double
#define MATH(name) name
#include "kernels_real.h"

static void run_linear(const struct layer *layer, const void *x, size_t n_rows, void *y) {
    switch (layer->dtype) {
    case HC_DTYPE_FP64:
        linear_double(layer, HC_DTYPE_FP64, x, n_rows, y);
        return;
    case HC_DTYPE_FP32:
        linear_float(layer, HC_DTYPE_FP32, x, n_rows, y);
        return;
    case HC_DTYPE_FP16:
        linear_float(layer, HC_DTYPE_FP16, x, n_rows, y);
        return;
    case HC_DTYPE_BF16:
        linear_float(layer, HC_DTYPE_BF16, x, n_rows, y);
        return;
    default:
        linear_float(layer, HC_DTYPE_INT8, x, n_rows, y);
        return;
    }
}

static void run_apply(const struct layer *layer, bool is_double, void *y, size_t n_rows) {
    if (is_double) {
        apply_double(layer, y, n_rows);
    } else {
        apply_float(layer, y, n_rows);
    }
}

static void run_widen(enum hc_dtype dtype, const void *from, size_t n, float *to) {
    uint16_t half;
    for (size_t i = 0; i < n; i++) {
        memcpy(&half, (const char *)from + i * sizeof half, sizeof half);
        to[i] = dtype == HC_DTYPE_FP16 ? half_to_float(half) : bfloat_to_float(half);
    }
}

static void run_narrow(enum hc_dtype dtype, const float *from, size_t n, void *to) {
    for (size_t i = 0; i < n; i++) {
        uint16_t half = dtype == HC_DTYPE_FP16 ? float_to_half(from[i]) : float_to_bfloat(from[i]);
        memcpy((char *)to + i * sizeof half, &half, sizeof half);
    }
}

const struct kernels HC_KERNELS = {
    .name = HC_KERNELS_NAME,
    .linear = run_linear,
    .apply = run_apply,
    .widen = run_widen,
    .narrow = run_narrow,
};
