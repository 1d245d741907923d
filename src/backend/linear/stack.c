/* Stacks: layers checked against each other, weights packed. */
#include "stack.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "half.h"

static enum hc_code invalid(const struct layer_description *layer, const char *what,
                            struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT, "layer '%.*s' %s", HC_TEXT_ARGS(layer->name),
                        what);
}

/* ---- Memory ---- */

enum { ALIGNMENT = 64 };

static enum hc_code allocate(struct stack *stack, size_t size, void **memory,
                             struct hc_error *error) {
    size_t rounded;
    if (!hc_size_add(size, ALIGNMENT - 1, &rounded) ||
        (*memory = aligned_alloc(ALIGNMENT, hc_align_up(size, ALIGNMENT))) == NULL) {
        hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for %zu bytes of weights", size);
        return HC_RESOURCE_EXHAUSTED;
    }
    stack->memory = hc_realloc(stack->memory, (stack->n_memory + 1) * sizeof(void *));
    stack->memory[stack->n_memory++] = *memory;
    return HC_OK;
}

void stack_drop_weights(struct stack *stack) {
    for (size_t i = 0; i < stack->n_memory; i++) {
        free(stack->memory[i]);
    }
    stack->n_memory = 0;
    free(hc_take(stack->memory));
    for (size_t i = 0; i < stack->n_layers; i++) {
        struct layer *layer = &stack->layers[i];
        layer->weights = layer->scales = layer->bias = NULL;
    }
}

bool stack_has_weights(const struct stack *stack) {
    return stack->n_memory > 0;
}

void stack_take_weights(struct stack *stack, struct stack *fresh) {
    stack_drop_weights(stack);
    for (size_t i = 0; i < stack->n_layers; i++) {
        stack->layers[i].weights = fresh->layers[i].weights;
        stack->layers[i].scales = fresh->layers[i].scales;
        stack->layers[i].bias = fresh->layers[i].bias;
    }
    stack->memory = hc_take(fresh->memory);
    stack->n_memory = fresh->n_memory;
    fresh->n_memory = 0;
}

void stack_destroy(struct stack *stack) {
    if (stack == NULL) {
        return;
    }
    stack_drop_weights(stack);
    free(stack->layers);
    free(stack);
}

/* ---- Tensors ---- */

static double element(const struct hc_weights_tensor *tensor, size_t index) {
    const char *place = tensor->data;
    if (tensor->n_dims > 0) { /* a vector, or a column of one */
        place += index * (size_t)tensor->strides[0] * hc_dtype_size(tensor->dtype);
    }
    union {
        float f;
        double d;
        uint16_t h;
    } value;
    memcpy(&value, place, hc_dtype_size(tensor->dtype));
    switch (tensor->dtype) {
    case HC_DTYPE_FP64:
        return value.d;
    case HC_DTYPE_FP32:
        return value.f;
    case HC_DTYPE_FP16:
        return half_to_float(value.h);
    default:
        return bfloat_to_float(value.h);
    }
}

static bool is_number(enum hc_dtype dtype) {
    return dtype == HC_DTYPE_FP32 || dtype == HC_DTYPE_FP64 || dtype == HC_DTYPE_FP16 ||
           dtype == HC_DTYPE_BF16;
}

/* Whether TENSOR has N elements, in one dimension or in one and another of extent 1. */
static bool is_vector(const struct hc_weights_tensor *tensor, size_t n) {
    return is_number(tensor->dtype) && tensor->n_dims >= 1 && tensor->n_dims <= 2 &&
           (uint64_t)tensor->dims[0] == n && (tensor->n_dims == 1 || tensor->dims[1] == 1);
}

/* The N numbers of a vector as floats or doubles; TENSOR may be NULL, and *NUMBERS is then. */
static enum hc_code pack_vector(struct stack *stack, const struct layer_description *layer,
                                const struct hc_weights_tensor *tensor, size_t n,
                                const void **numbers, struct hc_error *error) {
    if (tensor == NULL) {
        return HC_OK;
    }
    if (!is_vector(tensor, n)) {
        return invalid(layer, "has a bias or scale that does not fit its weight", error);
    }
    void *memory;
    HC_TRY(
        allocate(stack, n * (stack->is_double ? sizeof(double) : sizeof(float)), &memory, error));
    for (size_t i = 0; i < n; i++) {
        if (stack->is_double) {
            ((double *)memory)[i] = element(tensor, i);
        } else {
            ((float *)memory)[i] = (float)element(tensor, i);
        }
    }
    *numbers = memory;
    return HC_OK;
}

static void copy_row(const struct hc_weights_tensor *tensor, size_t row, char *to) {
    size_t size = hc_dtype_size(tensor->dtype);
    const char *from = tensor->data + row * (size_t)tensor->strides[0] * size;
    size_t n = (size_t)tensor->dims[1];
    if (tensor->strides[1] == 1) {
        memcpy(to, from, n * size);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(to + i * size, from + i * (size_t)tensor->strides[1] * size, size);
    }
}

static bool is_same_tensor(const struct hc_weights_tensor *a, const struct hc_weights_tensor *b) {
    return b != NULL && b->n_dims == 2 && a->data == b->data && a->dtype == b->dtype &&
           memcmp(a->dims, b->dims, 2 * sizeof a->dims[0]) == 0 &&
           memcmp(a->strides, b->strides, 2 * sizeof a->strides[0]) == 0;
}

/* Layers that share a weight in the file share it in memory. */
static const void *find_packed(const struct stack *stack, const struct descriptions *descriptions,
                               const struct hc_weights_tensor *tensor) {
    for (size_t i = 0; i < stack->n_layers; i++) {
        if (is_same_tensor(tensor, descriptions->layers[i].weight)) {
            return stack->layers[i].weights;
        }
    }
    return NULL;
}

static enum hc_code pack_matrix(struct stack *stack, const struct descriptions *descriptions,
                                const struct hc_weights *weights,
                                const struct hc_weights_tensor *tensor, struct layer *layer,
                                struct hc_error *error) {
    layer->weights = find_packed(stack, descriptions, tensor);
    if (layer->weights != NULL) {
        return HC_OK;
    }
    /* The tensor lies in the file, so its size does not overflow. */
    size_t row_size = layer->n_in * hc_dtype_size(layer->dtype);
    size_t size = layer->n_out * row_size;
    stack->weights_size += size;
    if (stack->weights_size > weights->content_size) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "its weights overlap, and come to more than the file holds");
    }
    void *memory;
    HC_TRY(allocate(stack, size, &memory, error));
    for (size_t row = 0; row < layer->n_out; row++) {
        copy_row(tensor, row, (char *)memory + row * row_size);
    }
    layer->weights = memory;
    return HC_OK;
}

/* ---- Layers ---- */

static enum hc_code check_weight(const struct layer_description *layer, size_t n_dims,
                                 struct hc_error *error) {
    const struct hc_weights_tensor *weight = layer->weight;
    if (weight == NULL) {
        return invalid(layer, "has no weight", error);
    }
    if (weight->n_dims != n_dims) {
        return invalid(layer,
                       n_dims == 2 ? "has a weight that is not a matrix"
                                   : "has a weight that is not a vector",
                       error);
    }
    for (size_t i = 0; i < n_dims; i++) {
        if (weight->dims[i] == 0) {
            return invalid(layer, "has a weight without elements", error);
        }
    }
    return HC_OK;
}

static enum hc_code check_type(const struct stack *stack, const struct layer_description *layer,
                               struct hc_error *error) {
    enum hc_dtype dtype = layer->weight->dtype;
    if (!is_number(dtype) && dtype != HC_DTYPE_INT8) {
        return invalid(layer, "has a weight of a type other than FP64, FP32, FP16, BF16 and INT8",
                       error);
    }
    if ((dtype == HC_DTYPE_FP64) != stack->is_double) {
        return invalid(layer, "mixes FP64 with other types", error);
    }
    if ((dtype == HC_DTYPE_INT8) != (layer->scale != NULL)) {
        return invalid(layer,
                       dtype == HC_DTYPE_INT8 ? "has an INT8 weight without weight_scale"
                                              : "has a weight_scale without need",
                       error);
    }
    return HC_OK;
}

/* WIDTH is that of what comes from the layer before; 0: nothing does. */
static enum hc_code add_linear(struct stack *stack, const struct hc_weights *weights,
                               const struct descriptions *descriptions,
                               const struct layer_description *described, size_t width,
                               struct layer *layer, struct hc_error *error) {
    HC_TRY(check_weight(described, 2, error));
    HC_TRY(check_type(stack, described, error));
    const struct hc_weights_tensor *weight = described->weight;
    layer->n_out = (size_t)weight->dims[0];
    layer->n_in = (size_t)weight->dims[1];
    layer->dtype = weight->dtype;
    if (width > 0 && layer->n_in != width) {
        return invalid(described, "takes another number of values than the layer before gives",
                       error);
    }
    HC_TRY(pack_vector(stack, described, described->bias, layer->n_out, &layer->bias, error));
    HC_TRY(pack_vector(stack, described, described->scale, layer->n_out, &layer->scales, error));
    HC_TRY(pack_matrix(stack, descriptions, weights, weight, layer, error));
    if (__builtin_add_overflow(stack->n_products, layer->n_in * layer->n_out, &stack->n_products)) {
        return invalid(described, "is too large", error);
    }
    return HC_OK;
}

/* Without weights a norm takes the width of what comes. */
static enum hc_code add_norm(struct stack *stack, const struct layer_description *described,
                             size_t width, struct layer *layer, struct hc_error *error) {
    layer->n_in = layer->n_out = width;
    if (described->weight != NULL) {
        HC_TRY(check_weight(described, 1, error));
        layer->n_in = layer->n_out = (size_t)described->weight->dims[0];
        if (width > 0 && layer->n_in != width) {
            return invalid(described, "normalises another number of values than come", error);
        }
        HC_TRY(
            pack_vector(stack, described, described->weight, layer->n_in, &layer->weights, error));
    }
    return pack_vector(stack, described, described->bias, layer->n_in, &layer->bias, error);
}

static enum hc_code add_layer(struct stack *stack, const struct hc_weights *weights,
                              const struct descriptions *descriptions, size_t index, size_t *width,
                              struct hc_error *error) {
    const struct layer_description *described = &descriptions->layers[index];
    struct layer *layer = &stack->layers[index];
    layer->kind = described->kind;
    layer->number = described->number;
    layer->n_in = layer->n_out = *width;
    if (layer->kind == LAYER_LINEAR) {
        HC_TRY(add_linear(stack, weights, descriptions, described, *width, layer, error));
        stack->last_linear = index;
    } else if (layer->kind == LAYER_NORM) {
        HC_TRY(add_norm(stack, described, *width, layer, error));
    }
    stack->n_layers++;
    stack->n_in = stack->n_in > 0 ? stack->n_in : layer->n_in;
    *width = layer->n_out;
    return HC_OK;
}

/* What the first linear layer is of decides for all. */
static enum hc_code choose_types(struct stack *stack, const struct descriptions *descriptions,
                                 struct hc_error *error) {
    for (size_t i = 0; i < descriptions->n; i++) {
        const struct layer_description *layer = &descriptions->layers[i];
        if (layer->kind == LAYER_LINEAR && layer->weight != NULL) {
            stack->is_double = layer->weight->dtype == HC_DTYPE_FP64;
            stack->native =
                layer->weight->dtype == HC_DTYPE_INT8 ? HC_DTYPE_FP32 : layer->weight->dtype;
            return HC_OK;
        }
    }
    return hc_error_set(error, HC_INVALID_ARGUMENT, "has no linear layer");
}

/* Layers at the start that come before any width is known get it now; ReLUs join their layer. */
static void settle(struct stack *stack) {
    for (size_t i = 0; i < stack->n_layers; i++) {
        struct layer *layer = &stack->layers[i];
        if (layer->n_in == 0) {
            layer->n_in = layer->n_out = stack->n_in;
        }
        if (layer->kind == LAYER_LINEAR && i < stack->last_linear &&
            layer->n_out > stack->hidden_width) {
            stack->hidden_width = layer->n_out;
        }
        if (layer->kind == LAYER_RELU && i > 0 && stack->layers[i - 1].kind == LAYER_LINEAR) {
            stack->layers[i - 1].relu = true;
        }
    }
}

enum hc_code stack_create(const struct hc_weights *weights, const struct descriptions *descriptions,
                          struct stack **stack_out, struct hc_error *error) {
    hc_auto(stack) stack = hc_new(struct stack);
    stack->layers = hc_alloc_array(descriptions->n, sizeof *stack->layers);
    HC_TRY(choose_types(stack, descriptions, error));
    size_t width = 0;
    for (size_t i = 0; i < descriptions->n; i++) {
        HC_TRY(add_layer(stack, weights, descriptions, i, &width, error));
    }
    stack->n_out = width;
    settle(stack);
    *stack_out = hc_take(stack);
    return HC_OK;
}
