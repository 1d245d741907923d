#include "kernels.h"

#include <math.h>

#include "base/alloc.h"
#include "half.h"
#include "test.h"

extern const struct kernels kernels_wide;

/* Every form that runs here. */
static const struct kernels *form_at(size_t index) {
    const struct kernels *kernels = kernels_at(index);
#ifdef HC_HAS_WIDE
    if (kernels == NULL && (index == 0 || kernels_at(index - 1) != NULL)) {
        return &kernels_wide;
    }
#endif
    return kernels;
}

static double random_number(void) {
    return drand48() * 2 - 1;
}

/* A layer with random weights, and what they are as doubles. */
struct sample {
    struct layer layer;
    double *exact; /* n_out rows of n_in, scales included */
    double *bias;
};

static void set_weight(struct sample *sample, size_t index, double value) {
    void *weights = (void *)sample->layer.weights;
    switch (sample->layer.dtype) {
    case HC_DTYPE_FP64:
        ((double *)weights)[index] = value;
        sample->exact[index] = value;
        return;
    case HC_DTYPE_FP32:
        ((float *)weights)[index] = (float)value;
        sample->exact[index] = (float)value;
        return;
    case HC_DTYPE_FP16:
        ((uint16_t *)weights)[index] = float_to_half((float)value);
        sample->exact[index] = half_to_float(float_to_half((float)value));
        return;
    case HC_DTYPE_BF16:
        ((uint16_t *)weights)[index] = float_to_bfloat((float)value);
        sample->exact[index] = bfloat_to_float(float_to_bfloat((float)value));
        return;
    default:
        ((int8_t *)weights)[index] = (int8_t)(value * 127);
        sample->exact[index] =
            (int8_t)(value * 127) *
            (double)((const float *)sample->layer.scales)[index / sample->layer.n_in];
        return;
    }
}

static void make_numbers(enum hc_dtype dtype, size_t n, const void **numbers, double *exact) {
    void *memory = hc_alloc_array(n, sizeof(double));
    for (size_t i = 0; i < n; i++) {
        float value = (float)random_number();
        if (dtype == HC_DTYPE_FP64) {
            ((double *)memory)[i] = value;
        } else {
            ((float *)memory)[i] = value;
        }
        if (exact != NULL) {
            exact[i] = value;
        }
    }
    *numbers = memory;
}

static struct sample make_sample(enum hc_dtype dtype, size_t n_in, size_t n_out, bool relu) {
    struct sample sample = {
        .layer = {.kind = LAYER_LINEAR,
                  .dtype = dtype,
                  .n_in = n_in,
                  .n_out = n_out,
                  .relu = relu,
                  .weights = hc_alloc_array(n_in * n_out, sizeof(double))},
        .exact = hc_alloc_array(n_in * n_out, sizeof(double)),
        .bias = hc_alloc_array(n_out, sizeof(double)),
    };
    make_numbers(dtype, n_out, &sample.layer.bias, sample.bias);
    if (dtype == HC_DTYPE_INT8) {
        make_numbers(dtype, n_out, &sample.layer.scales, NULL);
    }
    for (size_t i = 0; i < n_in * n_out; i++) {
        set_weight(&sample, i, random_number());
    }
    return sample;
}

static void free_sample(struct sample *sample) {
    free((void *)sample->layer.weights);
    free((void *)sample->layer.bias);
    free((void *)sample->layer.scales);
    free(sample->exact);
    free(sample->bias);
}

static double number_at(enum hc_dtype dtype, const void *numbers, size_t index) {
    return dtype == HC_DTYPE_FP64 ? ((const double *)numbers)[index]
                                  : (double)((const float *)numbers)[index];
}

/* Whether Y is within the error of a sum of n + 1 products in that arithmetic. */
static void check(const struct sample *sample, const void *x, size_t n_rows, const void *y) {
    const struct layer *layer = &sample->layer;
    double rounding = layer->dtype == HC_DTYPE_FP64 ? 0x1p-53 : 0x1p-24;
    for (size_t row = 0; row < n_rows; row++) {
        for (size_t output = 0; output < layer->n_out; output++) {
            double sum = sample->bias[output];
            double sizes = fabs(sum);
            for (size_t i = 0; i < layer->n_in; i++) {
                double product = number_at(layer->dtype, x, row * layer->n_in + i) *
                                 sample->exact[output * layer->n_in + i];
                sum += product;
                sizes += fabs(product);
            }
            sum = layer->relu && sum < 0 ? 0 : sum;
            double got = number_at(layer->dtype, y, row * layer->n_out + output);
            assert_true(fabs(got - sum) <= 2 * (double)(layer->n_in + 1) * rounding * sizes);
        }
    }
}

static void run_sample(const struct kernels *kernels, enum hc_dtype dtype, size_t n_in,
                       size_t n_out, size_t n_rows) {
    struct sample sample = make_sample(dtype, n_in, n_out, n_rows % 2 == 0);
    const void *x;
    make_numbers(dtype, n_rows * n_in, &x, NULL);
    size_t real_size = dtype == HC_DTYPE_FP64 ? sizeof(double) : sizeof(float);
    /* Exactly as much as is needed, so that a write beyond it is seen. */
    void *y = hc_alloc_array(n_rows * n_out, real_size);
    kernels->linear(&sample.layer, x, n_rows, y);
    check(&sample, x, n_rows, y);
    free(y);
    free((void *)x);
    free_sample(&sample);
}

static void sums_are_as_exact_as_they_can_be(void **state) {
    (void)state;
    static const enum hc_dtype dtypes[] = {HC_DTYPE_FP64, HC_DTYPE_FP32, HC_DTYPE_FP16,
                                           HC_DTYPE_BF16, HC_DTYPE_INT8};
    static const size_t widths[][2] = {{1, 1},  {3, 1},  {4, 4},   {7, 9},
                                       {16, 8}, {17, 5}, {33, 13}, {100, 20}};
    const struct kernels *kernels;
    srand48(1);
    for (size_t form = 0; (kernels = form_at(form)) != NULL; form++) {
        for (size_t d = 0; d < N_ITEMS(dtypes); d++) {
            for (size_t w = 0; w < N_ITEMS(widths); w++) {
                for (size_t n_rows = 0; n_rows <= 8; n_rows++) {
                    run_sample(kernels, dtypes[d], widths[w][0], widths[w][1], n_rows);
                }
            }
        }
    }
}

static double gelu(double x) {
    return 0.5 * x * (1 + erf(x * M_SQRT1_2));
}

static double gelu_tanh(double x) {
    return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static double silu(double x) {
    return x / (1 + exp(-x));
}

static double relu(double x) {
    return x < 0 ? 0 : x;
}

static double leaky_relu(double x) {
    return x < 0 ? 0.25 * x : x;
}

static const struct {
    enum layer_kind kind;
    double (*exact)(double x);
} activations[] = {
    {LAYER_RELU, relu}, {LAYER_LEAKY_RELU, leaky_relu},
    {LAYER_GELU, gelu}, {LAYER_GELU_TANH, gelu_tanh},
    {LAYER_TANH, tanh}, {LAYER_SIGMOID, sigmoid},
    {LAYER_SILU, silu},
};

enum { N_POINTS = 1003 };

static void activations_are_exact_to_some_roundings(void **state) {
    (void)state;
    static float floats[N_POINTS];
    static double doubles[N_POINTS];
    const struct kernels *kernels;
    for (size_t form = 0; (kernels = form_at(form)) != NULL; form++) {
        for (size_t a = 0; a < N_ITEMS(activations); a++) {
            const struct layer layer = {
                .kind = activations[a].kind, .number = 0.25, .n_in = N_POINTS, .n_out = N_POINTS};
            for (int i = 0; i < N_POINTS; i++) {
                floats[i] = (float)(doubles[i] = (i - 501) / 32.0);
            }
            kernels->apply(&layer, false, floats, 1);
            kernels->apply(&layer, true, doubles, 1);
            for (int i = 0; i < N_POINTS; i++) {
                double x = (i - 501) / 32.0;
                double exact = activations[a].exact(x);
                /* Where GELU's sum cancels, the error is one of x's. */
                double size = fabs(exact) + fabs(x) * (activations[a].exact == gelu ||
                                                       activations[a].exact == gelu_tanh);
                assert_true(fabs(floats[i] - exact) <= 8 * 0x1p-24 * size + 1e-37);
                assert_true(fabs(doubles[i] - exact) <= 8 * 0x1p-53 * size + 1e-300);
            }
        }
    }
}

static void what_is_no_number_stays_so(void **state) {
    (void)state;
    const struct kernels *kernels;
    for (size_t form = 0; (kernels = form_at(form)) != NULL; form++) {
        for (size_t a = 0; a < N_ITEMS(activations); a++) {
            const struct layer layer = {.kind = activations[a].kind, .n_in = 5, .n_out = 5};
            float y[] = {NAN, 1, NAN, 2, NAN};
            kernels->apply(&layer, false, y, 1);
            assert_true(isnan(y[0]) && isnan(y[2]) && isnan(y[4]));
            assert_false(isnan(y[1]) || isnan(y[3]));
        }
    }
}

static void rows_are_normalised_each_for_itself(void **state) {
    (void)state;
    static const float weights[] = {1, 2, 3, 4, 5};
    static const float bias[] = {0.5F, 0, 0, 0, -1};
    const struct layer layer = {.kind = LAYER_NORM,
                                .number = 1e-5,
                                .n_in = 5,
                                .n_out = 5,
                                .weights = weights,
                                .bias = bias};
    const struct kernels *kernels;
    for (size_t form = 0; (kernels = form_at(form)) != NULL; form++) {
        float y[] = {1, 2, 3, 4, 5, 100, 100, 100, 100, 100};
        kernels->apply(&layer, false, y, 2);
        for (int i = 0; i < 5; i++) {
            double exact = (i - 2) / sqrt(2 + 1e-5) * weights[i] + bias[i];
            assert_true(fabs(y[i] - exact) < 1e-5);
            assert_true(fabsf(y[5 + i] - bias[i]) < 1e-5F);
        }
    }
}

static void softmax_does_not_overflow(void **state) {
    (void)state;
    const struct layer layer = {.kind = LAYER_SOFTMAX, .n_in = 3, .n_out = 3};
    const struct kernels *kernels;
    for (size_t form = 0; (kernels = form_at(form)) != NULL; form++) {
        float y[] = {1000, 1000, 0, -1000, -1000, -1000};
        kernels->apply(&layer, false, y, 2);
        assert_true(y[0] == 0.5F && y[1] == 0.5F && y[2] == 0);
        assert_true(fabs(y[3] - 1.0 / 3) < 1e-7 && y[3] == y[4] && y[4] == y[5]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_as_exact_as_they_can_be),
        cmocka_unit_test(activations_are_exact_to_some_roundings),
        cmocka_unit_test(what_is_no_number_stays_so),
        cmocka_unit_test(rows_are_normalised_each_for_itself),
        cmocka_unit_test(softmax_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
