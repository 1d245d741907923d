/* Kernels, which are known by their names and do here what they do on a GPU. FAKE_CUDA_FAIL_AFTER:
 * those that may still be started before all fail. */
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/linear/half.h"
#include "fake.h"

struct function {
    char name[32];
};

static double get(uint64_t place, size_t index, uint32_t number) {
    const void *memory = (const void *)place;
    switch (number) {
    case GPU_F64:
        return ((const double *)memory)[index];
    case GPU_F16:
        return half_to_float(((const uint16_t *)memory)[index]);
    case GPU_BF16:
        return bfloat_to_float(((const uint16_t *)memory)[index]);
    case GPU_I8:
        return ((const int8_t *)memory)[index];
    default:
        return ((const float *)memory)[index];
    }
}

static void put(uint64_t place, size_t index, uint32_t number, double value) {
    void *memory = (void *)place;
    switch (number) {
    case GPU_F64:
        ((double *)memory)[index] = value;
        return;
    case GPU_F16:
        ((uint16_t *)memory)[index] = float_to_half((float)value);
        return;
    case GPU_BF16:
        ((uint16_t *)memory)[index] = float_to_bfloat((float)value);
        return;
    default:
        ((float *)memory)[index] = (float)value;
        return;
    }
}

static double operate(uint32_t operation, double x, double slope) {
    switch (operation) {
    case GPU_RELU:
        return x < 0 ? 0 : x;
    case GPU_LEAKY_RELU:
        return x < 0 ? slope * x : x;
    case GPU_GELU:
        return 0.5 * x * (1 + erf(x * M_SQRT1_2));
    case GPU_GELU_TANH:
        return 0.5 * x * (1 + tanh(M_SQRT2 * M_2_SQRTPI * 0.5 * (x + 0.044715 * x * x * x)));
    case GPU_TANH:
        return tanh(x);
    case GPU_SIGMOID:
        return 1 / (1 + exp(-x));
    case GPU_SILU:
        return x / (1 + exp(-x));
    default:
        return x;
    }
}

static void run_linear(const struct gpu_linear *p, uint32_t number) {
    uint32_t real = number == GPU_F64 ? GPU_F64 : GPU_F32;
    uint32_t x_number = number == GPU_I8 ? GPU_F32 : number;
    for (uint32_t row = 0; row < p->n_rows; row++) {
        for (uint32_t output = 0; output < p->n_stored; output++) {
            double sum = 0;
            for (uint32_t i = 0; output < p->n_out && i < p->n_in; i++) {
                sum += get(p->x, (size_t)row * p->x_stride + i, x_number) *
                       get(p->weights, (size_t)output * p->weights_stride + i, number);
            }
            if (output < p->n_out) {
                sum = p->scales == 0 ? sum : sum * get(p->scales, output, real);
                sum = p->bias == 0 ? sum : sum + get(p->bias, output, real);
                sum = operate(p->operation, sum, p->slope);
            }
            put(p->y, (size_t)row * p->y_stride + output, p->y_number, sum);
        }
    }
}

static void normalise(const struct gpu_apply *p, double *row, uint32_t real) {
    double mean = 0;
    double variance = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        mean += row[i] / p->n;
    }
    for (uint32_t i = 0; i < p->n; i++) {
        variance += (row[i] - mean) * (row[i] - mean) / p->n;
    }
    for (uint32_t i = 0; i < p->n; i++) {
        row[i] = (row[i] - mean) / sqrt(variance + p->parameter);
        row[i] *= p->weights == 0 ? 1 : get(p->weights, i, real);
        row[i] += p->bias == 0 ? 0 : get(p->bias, i, real);
    }
}

static void soften(const struct gpu_apply *p, double *row) {
    double largest = row[0];
    double sum = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        largest = row[i] > largest ? row[i] : largest;
    }
    for (uint32_t i = 0; i < p->n; i++) {
        row[i] = exp(row[i] - largest);
        sum += row[i];
    }
    for (uint32_t i = 0; i < p->n; i++) {
        row[i] /= sum;
    }
}

static void run_apply(const struct gpu_apply *p, uint32_t real) {
    double *row = calloc(p->n_stored + p->n, sizeof *row);
    for (uint32_t i = 0; i < p->n_rows; i++) {
        memset(row, 0, p->n_stored * sizeof *row);
        for (uint32_t j = 0; j < p->n; j++) {
            row[j] = get(p->x, (size_t)i * p->x_stride + j, p->x_number);
        }
        if (p->operation == GPU_NORM) {
            normalise(p, row, real);
        } else if (p->operation == GPU_SOFTMAX) {
            soften(p, row);
        }
        for (uint32_t j = 0; j < p->n_stored; j++) {
            double value = j < p->n && p->operation < GPU_NORM
                               ? operate(p->operation, row[j], p->parameter)
                               : row[j];
            put(p->y, (size_t)i * p->y_stride + j, p->y_number, value);
        }
    }
    free(row);
}

static uint32_t number_of(const char *name) {
    const char *number = strchr(name, '_') + 1;
    return strncmp(number, "f64", 3) == 0    ? GPU_F64
           : strncmp(number, "f16", 3) == 0  ? GPU_F16
           : strncmp(number, "bf16", 4) == 0 ? GPU_BF16
           : strncmp(number, "i8", 2) == 0   ? GPU_I8
                                             : GPU_F32;
}

EXPORT int cuModuleLoad(void **module, const char *path) {
    *module = (void *)cuModuleLoad;
    return access(path, R_OK) == 0 ? SUCCESS : NOT_FOUND;
}

EXPORT int cuModuleGetFunction(struct function **function, void *module, const char *name) {
    (void)module;
    *function = calloc(1, sizeof **function);
    snprintf((*function)->name, sizeof(*function)->name, "%s", name);
    return SUCCESS;
}

static bool may_start(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static int n_started;
    const char *limit = getenv("FAKE_CUDA_FAIL_AFTER");
    pthread_mutex_lock(&lock);
    bool may = limit == NULL || n_started++ < atoi(limit);
    pthread_mutex_unlock(&lock);
    return may;
}

int fake_run_kernel(const struct launch *launch) {
    const struct function *function = launch->function;
    if (!may_start()) {
        return LAUNCH_FAILED;
    }
    if (strncmp(function->name, "apply", 5) == 0) {
        run_apply(&launch->apply, number_of(function->name));
    } else {
        run_linear(&launch->linear, number_of(function->name));
    }
    return SUCCESS;
}

EXPORT int cuLaunchKernel(const struct function *function, unsigned grid_x, unsigned grid_y,
                          unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                          unsigned shared_size, struct stream *stream, void **parameters,
                          void **extra) {
    (void)shared_size, (void)extra;
    struct launch launch = {.function = function};
    if (grid_x == 0 || grid_y == 0 || grid_z != 1 || block_x != GPU_WARPS * GPU_WARP ||
        block_y != 1 || block_z != 1) {
        return INVALID_VALUE;
    }
    if (strncmp(function->name, "apply", 5) == 0) {
        launch.apply = *(const struct gpu_apply *)parameters[0];
    } else {
        launch.linear = *(const struct gpu_linear *)parameters[0];
    }
    return fake_add_launch(stream, &launch);
}
