/* A stack's weights, copied to a GPU in the form that its kernels read. */
#include <stdlib.h>
#include <string.h>

#include "../half.h"
#include "base/alloc.h"
#include "gpu.h"

enum { ALIGNMENT = 256 };

size_t gpu_number_size(enum gpu_number number) {
    static const size_t sizes[GPU_N_NUMBERS] = {
        [GPU_F32] = 4, [GPU_F64] = 8, [GPU_F16] = 2, [GPU_BF16] = 2, [GPU_I8] = 1};
    return sizes[number];
}

enum gpu_number gpu_number_of(enum hc_dtype dtype) {
    switch (dtype) {
    case HC_DTYPE_FP64:
        return GPU_F64;
    case HC_DTYPE_FP16:
        return GPU_F16;
    case HC_DTYPE_BF16:
        return GPU_BF16;
    case HC_DTYPE_INT8:
        return GPU_I8;
    default:
        return GPU_F32;
    }
}

static enum gpu_operation operation_of(enum layer_kind kind) {
    static const enum gpu_operation operations[] = {
        [LAYER_LINEAR] = GPU_NOTHING, [LAYER_NORM] = GPU_NORM,
        [LAYER_RELU] = GPU_RELU,      [LAYER_LEAKY_RELU] = GPU_LEAKY_RELU,
        [LAYER_GELU] = GPU_GELU,      [LAYER_GELU_TANH] = GPU_GELU_TANH,
        [LAYER_TANH] = GPU_TANH,      [LAYER_SIGMOID] = GPU_SIGMOID,
        [LAYER_SILU] = GPU_SILU,      [LAYER_SOFTMAX] = GPU_SOFTMAX,
    };
    return operations[kind];
}

/*
 * Half precision between layers, as torch has it, where all weights and what clients send are of
 * the same kind of it; else nothing between layers is narrower than float.
 */
static enum gpu_number choose_number(const struct stack *stack, const struct run_types *types) {
    if (stack->is_double) {
        return GPU_F64;
    }
    for (size_t i = 0; i < stack->n_layers; i++) {
        const struct layer *layer = &stack->layers[i];
        if (layer->kind == LAYER_LINEAR && layer->dtype != types->x) {
            return GPU_F32;
        }
    }
    return gpu_number_of(types->x);
}

/* ---- Pieces of the GPU's memory ---- */

/* Copies to one block of memory; without memory it only counts. */
struct packer {
    hc_cuda_address memory; /* 0: counting */
    size_t size;
    enum hc_code code;
    struct hc_error *error;
};

/* COPY fills SIZE zeroed bytes; returns where they are on the GPU. */
static hc_cuda_address add_piece(struct packer *packer, size_t size, const void *user,
                                 void (*copy)(const void *user, char *to)) {
    hc_cuda_address place = packer->memory + packer->size;
    if (packer->code != HC_OK) {
        return 0;
    }
    if (!hc_size_add(packer->size, hc_align_up(size, ALIGNMENT), &packer->size)) {
        packer->code = hc_error_set(packer->error, HC_RESOURCE_EXHAUSTED, "too many weights");
        return 0;
    }
    if (packer->memory == 0) {
        return ALIGNMENT; /* no address, but not none */
    }
    hc_auto(memory) packed = calloc(1, size);
    if (packed == NULL) {
        packer->code = hc_error_set(packer->error, HC_RESOURCE_EXHAUSTED,
                                    "no memory to pack %zu bytes of weights", size);
        return 0;
    }
    copy(user, packed);
    packer->code = hc_cuda_copy_in(place, packed, size, "copying weights", packer->error);
    return place;
}

struct matrix {
    const struct layer *layer;
    enum gpu_number number;
};

static void widen_row(const struct layer *layer, size_t row, float *to) {
    const uint16_t *from = (const uint16_t *)layer->weights + row * layer->n_in;
    for (size_t i = 0; i < layer->n_in; i++) {
        to[i] = layer->dtype == HC_DTYPE_FP16 ? half_to_float(from[i]) : bfloat_to_float(from[i]);
    }
}

static void copy_matrix(const void *user, char *to) {
    const struct matrix *matrix = user;
    const struct layer *layer = matrix->layer;
    size_t from_size = layer->n_in * hc_dtype_size(layer->dtype);
    size_t to_size = gpu_pad((uint32_t)layer->n_in) * gpu_number_size(matrix->number);
    for (size_t i = 0; i < layer->n_out; i++, to += to_size) {
        if (gpu_number_of(layer->dtype) == matrix->number) {
            memcpy(to, (const char *)layer->weights + i * from_size, from_size);
        } else {
            widen_row(layer, i, (float *)to);
        }
    }
}

struct vector {
    const void *numbers;
    size_t n;
    size_t number_size;
};

static void copy_vector(const void *user, char *to) {
    const struct vector *vector = user;
    memcpy(to, vector->numbers, vector->n * vector->number_size);
}

/* 0: there is none. */
static hc_cuda_address add_vector(struct packer *packer, const struct stack *stack,
                                  const void *numbers, size_t n) {
    const struct vector vector = {numbers, n, stack->is_double ? sizeof(double) : sizeof(float)};
    return numbers == NULL ? 0 : add_piece(packer, n * vector.number_size, &vector, copy_vector);
}

struct narrowed {
    const float *numbers;
    size_t n;
    enum gpu_number number;
};

static void copy_narrowed(const void *user, char *to) {
    const struct narrowed *vector = user;
    for (size_t i = 0; i < vector->n; i++) {
        ((uint16_t *)to)[i] = vector->number == GPU_F16 ? float_to_half(vector->numbers[i])
                                                        : float_to_bfloat(vector->numbers[i]);
    }
}

/* ---- Layers ---- */

/* What an earlier layer of the same weights has; 0: there is none. */
static hc_cuda_address find_packed(const struct stack *stack, const struct gpu_stack *gpu,
                                   size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (stack->layers[i].kind == LAYER_LINEAR &&
            stack->layers[i].weights == stack->layers[index].weights) {
            return gpu->layers[i].weights;
        }
    }
    return 0;
}

static void add_linear(struct packer *packer, const struct stack *stack, struct gpu_stack *gpu,
                       size_t index) {
    const struct layer *from = &stack->layers[index];
    struct gpu_layer *layer = &gpu->layers[index];
    layer->number = from->dtype == HC_DTYPE_INT8 ? GPU_I8 : gpu->number;
    layer->weights = find_packed(stack, gpu, index);
    if (layer->weights == 0) {
        const struct matrix matrix = {from, layer->number};
        size_t row_size = gpu_pad((uint32_t)from->n_in) * gpu_number_size(layer->number);
        layer->weights = add_piece(packer, from->n_out * row_size, &matrix, copy_matrix);
    }
    layer->scales = add_vector(packer, stack, from->scales, from->n_out);
    layer->bias = add_vector(packer, stack, from->bias, from->n_out);
    layer->narrow_bias = 0;
    if (from->bias != NULL && (gpu->number == GPU_F16 || gpu->number == GPU_BF16)) {
        const struct narrowed narrowed = {from->bias, from->n_out, gpu->number};
        layer->narrow_bias =
            add_piece(packer, from->n_out * sizeof(uint16_t), &narrowed, copy_narrowed);
    }
}

static void add_layers(struct packer *packer, const struct stack *stack, struct gpu_stack *gpu) {
    for (size_t i = 0; i < stack->n_layers; i++) {
        const struct layer *from = &stack->layers[i];
        struct gpu_layer *layer = &gpu->layers[i];
        layer->operation = operation_of(from->kind);
        layer->parameter = from->number;
        layer->n_in = (uint32_t)from->n_in;
        layer->n_out = (uint32_t)from->n_out;
        if (from->kind == LAYER_LINEAR) {
            add_linear(packer, stack, gpu, i);
        } else {
            layer->weights = add_vector(packer, stack, from->weights, from->n_out);
            layer->bias = add_vector(packer, stack, from->bias, from->n_out);
        }
    }
}

/* So that no extent overflows in the kernels' parameters. */
static enum hc_code check_widths(const struct stack *stack, uint32_t *widest,
                                 struct hc_error *error) {
    enum { MAX_WIDTH = 1 << 26 };
    *widest = 0;
    for (size_t i = 0; i < stack->n_layers; i++) {
        const struct layer *layer = &stack->layers[i];
        size_t width = layer->n_in > layer->n_out ? layer->n_in : layer->n_out;
        if (width > MAX_WIDTH) {
            return hc_error_set(error, HC_UNIMPLEMENTED,
                                "a layer of %zu values is too wide for a GPU", width);
        }
        *widest = gpu_pad((uint32_t)width) > *widest ? gpu_pad((uint32_t)width) : *widest;
    }
    return HC_OK;
}

void gpu_stack_destroy(struct gpu_stack *stack) {
    if (stack == NULL) {
        return;
    }
    if (stack->memory != 0 && hc_cuda_use(stack->kernels->device, NULL) == HC_OK) {
        hc_cuda()->free(stack->memory);
    }
    free(stack->layers);
    free(stack);
}

HC_CLEANUP(gpu_stack, struct gpu_stack *, gpu_stack_destroy);

enum hc_code gpu_stack_create(const struct stack *stack, const struct run_types *types,
                              const struct gpu_kernels *kernels, struct gpu_stack **gpu_stack,
                              struct hc_error *error) {
    hc_auto(gpu_stack) gpu = hc_new(struct gpu_stack);
    gpu->kernels = kernels;
    gpu->types = *types;
    gpu->number = choose_number(stack, types);
    gpu->n_layers = stack->n_layers;
    gpu->layers = hc_alloc_array(stack->n_layers, sizeof *gpu->layers);
    gpu->n_in = (uint32_t)stack->n_in;
    gpu->n_out = (uint32_t)stack->n_out;
    HC_TRY(check_widths(stack, &gpu->widest, error));
    HC_TRY(hc_cuda_use(kernels->device, error));
    struct packer counter = {.error = error};
    add_layers(&counter, stack, gpu);
    HC_TRY(counter.code);
    HC_TRY(
        hc_cuda_check(hc_cuda()->alloc(&gpu->memory, counter.size), "memory for weights", error));
    struct packer packer = {.memory = gpu->memory, .error = error};
    memset(gpu->layers, 0, stack->n_layers * sizeof *gpu->layers);
    add_layers(&packer, stack, gpu);
    HC_TRY(packer.code);
    *gpu_stack = hc_take(gpu);
    return HC_OK;
}
