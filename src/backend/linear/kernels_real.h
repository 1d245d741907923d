/*
 * The kernels for one type of numbers, REAL, in vectors of REAL_LANES. Included twice, so without a
 * guard.
 *
 * A linear layer is computed in blocks of some rows by some outputs. Each sum of a block is a
 * vector that takes one vector of x and one of w at a time; with three rows by four outputs, seven
 * loads feed twelve multiplications and everything stays in registers. Outputs are the outer loop:
 * their weights are read from memory once, while the rows of x stay in the caches.
 */

typedef REAL NAME(vec) __attribute__((vector_size(REAL_LANES * sizeof(REAL))));

HC_INLINE NAME(vec) NAME(load)(const void *place) {
    NAME(vec) vec;
    memcpy(&vec, place, sizeof vec);
    return vec;
}

#ifndef REAL_IS_DOUBLE
typedef uint16_t halves __attribute__((vector_size(REAL_LANES * sizeof(uint16_t))));
typedef uint32_t words __attribute__((vector_size(REAL_LANES * sizeof(uint32_t))));
typedef int8_t octets __attribute__((vector_size(REAL_LANES * sizeof(int8_t))));

/* As half_to_float(), lane by lane. */
HC_INLINE vec_float load_fp16(const void *place) {
#if defined(__F16C__) && REAL_LANES == 8
    return (vec_float)_mm256_cvtph_ps(_mm_loadu_si128(place));
#elif defined(__AVX512F__) && REAL_LANES == 16
    return (vec_float)_mm512_cvtph_ps(_mm256_loadu_si256(place));
#else
    halves packed;
    memcpy(&packed, place, sizeof packed);
    words wide = __builtin_convertvector(packed, words);
    words magnitude = (wide & 0x7fff) << 13;
    words bits = (words)((vec_float)magnitude * 0x1p112F);
    words special = (words)(magnitude >= (0x7c00U << 13));
    bits = (special & (magnitude | 0x7f800000)) | (~special & bits);
    return (vec_float)(bits | (wide & 0x8000) << 16);
#endif
}

HC_INLINE vec_float load_bf16(const void *place) {
    halves packed;
    memcpy(&packed, place, sizeof packed);
    return (vec_float)(__builtin_convertvector(packed, words) << 16);
}

HC_INLINE vec_float load_int8(const void *place) {
    octets packed;
    memcpy(&packed, place, sizeof packed);
    return __builtin_convertvector(packed, vec_float);
}
#endif

/* Weights from index AT on, as numbers; DTYPE is a constant wherever this is used. */
HC_INLINE NAME(vec) NAME(load_weights)(enum hc_dtype dtype, const void *weights, size_t at) {
#ifndef REAL_IS_DOUBLE
    switch (dtype) {
    case HC_DTYPE_FP16:
        return load_fp16((const uint16_t *)weights + at);
    case HC_DTYPE_BF16:
        return load_bf16((const uint16_t *)weights + at);
    case HC_DTYPE_INT8:
        return load_int8((const int8_t *)weights + at);
    default:
        break;
    }
#else
    (void)dtype;
#endif
    return NAME(load)((const REAL *)weights + at);
}

HC_INLINE REAL NAME(weight)(enum hc_dtype dtype, const void *weights, size_t at) {
#ifndef REAL_IS_DOUBLE
    switch (dtype) {
    case HC_DTYPE_FP16:
        return half_to_float(((const uint16_t *)weights)[at]);
    case HC_DTYPE_BF16:
        return bfloat_to_float(((const uint16_t *)weights)[at]);
    case HC_DTYPE_INT8:
        return ((const int8_t *)weights)[at];
    default:
        break;
    }
#else
    (void)dtype;
#endif
    return ((const REAL *)weights)[at];
}

typedef REAL NAME(quad) __attribute__((vector_size(4 * sizeof(REAL))));

#if REAL_LANES >= 4
/* The lanes of VEC added until four are left. */
HC_INLINE NAME(quad) NAME(halve)(NAME(vec) vec) {
#if REAL_LANES == 16
    __auto_type eight = __builtin_shufflevector(vec, vec, 0, 1, 2, 3, 4, 5, 6, 7) +
                        __builtin_shufflevector(vec, vec, 8, 9, 10, 11, 12, 13, 14, 15);
#else
    __auto_type eight = vec;
#endif
#if REAL_LANES >= 8
    return __builtin_shufflevector(eight, eight, 0, 1, 2, 3) +
           __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
#else
    return eight;
#endif
}
#endif

/* The sum of the lanes. */
HC_INLINE REAL NAME(sum)(NAME(vec) vec) {
#if REAL_LANES >= 4
    NAME(quad) four = NAME(halve)(vec);
    return (four[0] + four[2]) + (four[1] + four[3]);
#else
    return vec[0] + vec[1];
#endif
}

/* The sums of four vectors, each STEP after the one before. */
HC_INLINE NAME(quad) NAME(sum_four)(const NAME(vec) * vecs, int step) {
#if REAL_LANES >= 4
    NAME(quad) a = NAME(halve)(vecs[0]);
    NAME(quad) b = NAME(halve)(vecs[step]);
    NAME(quad) c = NAME(halve)(vecs[2 * step]);
    NAME(quad) d = NAME(halve)(vecs[3 * step]);
    NAME(quad)
    ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
    NAME(quad)
    cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
    return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) +
           __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
#else
    return (NAME(quad)){NAME(sum)(vecs[0]), NAME(sum)(vecs[step]), NAME(sum)(vecs[2 * step]),
                        NAME(sum)(vecs[3 * step])};
#endif
}

HC_INLINE NAME(quad) NAME(load_four)(const void *numbers, size_t at) {
    NAME(quad) quad;
    memcpy(&quad, (const REAL *)numbers + at, sizeof quad);
    return quad;
}

/* What becomes of sums of products. A number that is none stays so, as with torch. */
HC_INLINE REAL NAME(finish)(const struct layer *layer, size_t output, REAL sum) {
    if (layer->scales != NULL) {
        sum *= ((const REAL *)layer->scales)[output];
    }
    if (layer->bias != NULL) {
        sum += ((const REAL *)layer->bias)[output];
    }
    return layer->relu && sum < 0 ? 0 : sum;
}

HC_INLINE NAME(quad) NAME(finish_four)(const struct layer *layer, size_t output, NAME(quad) sums) {
    if (layer->scales != NULL) {
        sums *= NAME(load_four)(layer->scales, output);
    }
    if (layer->bias != NULL) {
        sums += NAME(load_four)(layer->bias, output);
    }
    if (layer->relu) {
        __auto_type negative = sums < 0;
        __auto_type kept = (__typeof__(negative))sums & ~negative;
        sums = (NAME(quad))kept;
    }
    return sums;
}

/* The products of what is left of a row from K on, less than a vector of it. */
HC_INLINE REAL NAME(rest)(enum hc_dtype dtype, const REAL *x, const void *weights, size_t first,
                          size_t k, size_t n_in) {
    REAL sum = 0;
    for (; k < n_in; k++) {
        sum += x[k] * NAME(weight)(dtype, weights, first + k);
    }
    return sum;
}

/* Four outputs of one row: reduced together, and written side by side. */
HC_INLINE void NAME(store_four)(const struct layer *layer, enum hc_dtype dtype, const REAL *x,
                                const NAME(vec) * sums, int step, size_t k, size_t output,
                                REAL *y) {
    const size_t n_in = layer->n_in;
    NAME(quad) four = NAME(sum_four)(sums, step);
    if (k < n_in) {
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; j++) {
            four[j] += NAME(rest)(dtype, x, layer->weights, (output + j) * n_in, k, n_in);
        }
    }
    four = NAME(finish_four)(layer, output, four);
    memcpy(y + output, &four, sizeof four);
}

enum { NAME(MAX_SUMS) = 12 };

/* N_ROWS rows from ROW on by N_OUTPUTS outputs from OUTPUT on: 1, 4 or 8; both are constants. */
HC_INLINE void NAME(block)(const struct layer *layer, enum hc_dtype dtype, const REAL *x,
                           size_t row, const int n_rows, size_t output, const int n_outputs,
                           REAL *y) {
    const size_t n_in = layer->n_in;
    const size_t first_weight = output * n_in;
    NAME(vec) sums[NAME(MAX_SUMS)];
    memset(sums, 0, sizeof sums);
    size_t k = 0;
    x += row * n_in;
    y += row * layer->n_out;
    for (; k + REAL_LANES <= n_in; k += REAL_LANES) {
        NAME(vec) inputs[4];
#pragma GCC unroll 4
        for (int i = 0; i < n_rows; i++) {
            inputs[i] = NAME(load)(x + (size_t)i * n_in + k);
        }
#pragma GCC unroll 8
        for (int j = 0; j < n_outputs; j++) {
            NAME(vec)
            weights =
                NAME(load_weights)(dtype, layer->weights, first_weight + (size_t)j * n_in + k);
#pragma GCC unroll 4
            for (int i = 0; i < n_rows; i++) {
                sums[j * n_rows + i] += inputs[i] * weights;
            }
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < n_rows; i++, x += n_in, y += layer->n_out) {
        if (n_outputs == 1) {
            REAL sum = NAME(sum)(sums[i]);
            sum += NAME(rest)(dtype, x, layer->weights, first_weight, k, n_in);
            y[output] = NAME(finish)(layer, output, sum);
            continue;
        }
#pragma GCC unroll 2
        for (int j = 0; j < n_outputs; j += 4) {
            NAME(store_four)(layer, dtype, x, sums + j * n_rows + i, n_rows, k, output + (size_t)j,
                             y);
        }
    }
}

/* All rows by N_OUTPUTS outputs from OUTPUT on. */
HC_INLINE void NAME(panel)(const struct layer *layer, enum hc_dtype dtype, const REAL *x,
                           size_t n_rows, size_t output, const int n_outputs, REAL *y) {
    size_t row = 0;
    for (; row + 3 <= n_rows; row += 3) {
        NAME(block)(layer, dtype, x, row, 3, output, n_outputs, y);
    }
    if (n_rows - row == 2) {
        NAME(block)(layer, dtype, x, row, 2, output, n_outputs, y);
    } else if (n_rows - row == 1) {
        NAME(block)(layer, dtype, x, row, 1, output, n_outputs, y);
    }
}

HC_INLINE void NAME(linear)(const struct layer *layer, enum hc_dtype dtype, const REAL *x,
                            size_t n_rows, REAL *y) {
    size_t output = 0;
    if (n_rows == 1) {
        for (; output + 8 <= layer->n_out; output += 8) {
            NAME(block)(layer, dtype, x, 0, 1, output, 8, y);
        }
    }
    for (; output + 4 <= layer->n_out; output += 4) {
        NAME(panel)(layer, dtype, x, n_rows, output, 4, y);
    }
    for (; output < layer->n_out; output++) {
        NAME(panel)(layer, dtype, x, n_rows, output, 1, y);
    }
}

/* ---- Other layers: plain loops over numbers, which the compiler makes vectors of ---- */

static void NAME(normalise)(const struct layer *layer, REAL *y) {
    const size_t n = layer->n_in;
    const REAL *weights = layer->weights;
    const REAL *bias = layer->bias;
    REAL mean = 0;
    REAL variance = 0;
#pragma omp simd reduction(+ : mean)
    for (size_t i = 0; i < n; i++) {
        mean += y[i];
    }
    mean /= (REAL)n;
#pragma omp simd reduction(+ : variance)
    for (size_t i = 0; i < n; i++) {
        variance += (y[i] - mean) * (y[i] - mean);
    }
    REAL factor = 1 / MATH(sqrt)(variance / (REAL)n + (REAL)layer->number);
    for (size_t i = 0; i < n; i++) {
        REAL value = (y[i] - mean) * factor;
        value = weights == NULL ? value : value * weights[i];
        y[i] = bias == NULL ? value : value + bias[i];
    }
}

static void NAME(softmax)(REAL *y, size_t n) {
    REAL largest = y[0];
    REAL sum = 0;
    for (size_t i = 1; i < n; i++) {
        largest = y[i] > largest ? y[i] : largest;
    }
    for (size_t i = 0; i < n; i++) {
        y[i] = MATH(exp)(y[i] - largest);
    }
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) {
        sum += y[i];
    }
    for (size_t i = 0; i < n; i++) {
        y[i] /= sum;
    }
}

static void NAME(gelu)(REAL *y, size_t n) {
    const REAL half = 0.5;
    const REAL root = M_SQRT1_2;
    for (size_t i = 0; i < n; i++) {
        y[i] = half * y[i] * (1 + MATH(erf)(y[i] * root));
    }
}

static void NAME(gelu_tanh)(REAL *y, size_t n) {
    const REAL half = 0.5;
    const REAL factor = M_SQRT2 * M_2_SQRTPI * 0.5;
    const REAL cubic = 0.044715;
    for (size_t i = 0; i < n; i++) {
        REAL inner = factor * (y[i] + cubic * y[i] * y[i] * y[i]);
        y[i] = half * y[i] * (1 + MATH(tanh)(inner));
    }
}

static void NAME(leaky_relu)(REAL *y, size_t n, REAL slope) {
    for (size_t i = 0; i < n; i++) {
        y[i] = y[i] < 0 ? slope * y[i] : y[i];
    }
}

static void NAME(tanh)(REAL *y, size_t n) {
    for (size_t i = 0; i < n; i++) {
        y[i] = MATH(tanh)(y[i]);
    }
}

static void NAME(sigmoid)(REAL *y, size_t n) {
    for (size_t i = 0; i < n; i++) {
        y[i] = 1 / (1 + MATH(exp)(-y[i]));
    }
}

static void NAME(silu)(REAL *y, size_t n) {
    for (size_t i = 0; i < n; i++) {
        y[i] = y[i] / (1 + MATH(exp)(-y[i]));
    }
}

static void NAME(apply)(const struct layer *layer, REAL *y, size_t n_rows) {
    const size_t n = n_rows * layer->n_in;
    switch (layer->kind) {
    case LAYER_NORM:
        for (size_t i = 0; i < n_rows; i++) {
            NAME(normalise)(layer, y + i * layer->n_in);
        }
        return;
    case LAYER_SOFTMAX:
        for (size_t i = 0; i < n_rows; i++) {
            NAME(softmax)(y + i * layer->n_in, layer->n_in);
        }
        return;
    case LAYER_RELU:
        NAME(leaky_relu)(y, n, 0);
        return;
    case LAYER_LEAKY_RELU:
        NAME(leaky_relu)(y, n, (REAL)layer->number);
        return;
    case LAYER_GELU:
        NAME(gelu)(y, n);
        return;
    case LAYER_GELU_TANH:
        NAME(gelu_tanh)(y, n);
        return;
    case LAYER_TANH:
        NAME(tanh)(y, n);
        return;
    case LAYER_SIGMOID:
        NAME(sigmoid)(y, n);
        return;
    case LAYER_SILU:
        NAME(silu)(y, n);
        return;
    case LAYER_LINEAR:
        return; /* is run by linear() */
    }
}
