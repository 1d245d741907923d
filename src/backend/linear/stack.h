/*
 * Stacks: the layers of a model as the kernels take them.
 *
 * Weights are packed once, row after row, each row all inputs of one output, as torch has them. A
 * stack is const once made, and shared by all instances and threads.
 */
#ifndef HC_BACKEND_LINEAR_STACK_H
#define HC_BACKEND_LINEAR_STACK_H

#include "base/buf.h"
#include "base/pool.h"
#include "weights/weights.h"

enum layer_kind {
    LAYER_LINEAR,
    LAYER_NORM,
    LAYER_RELU,
    LAYER_LEAKY_RELU,
    LAYER_GELU,
    LAYER_GELU_TANH,
    LAYER_TANH,
    LAYER_SIGMOID,
    LAYER_SILU,
    LAYER_SOFTMAX,
};

/* A layer as it was found, before anything is packed. */
struct layer_description {
    enum layer_kind kind;
    double number;                          /* eps, negative slope */
    struct hc_text name;                    /* "0", for messages */
    const struct hc_weights_tensor *weight; /* NULL for those that have none */
    const struct hc_weights_tensor *bias;
    const struct hc_weights_tensor *scale; /* of INT8 weights */
};

struct descriptions {
    struct layer_description *layers;
    size_t n;
};

void descriptions_finish(struct descriptions *descriptions);

#define auto_descriptions __attribute__((cleanup(descriptions_finish))) struct descriptions

/*
 * The layers of WEIGHTS: its modules, or its tensors with LAYERS, the config's parameter, between
 * them ("linear relu linear"; NULL: none).
 */
enum hc_code describe_layers(const struct hc_weights *weights, const char *layers,
                             struct descriptions *descriptions, struct hc_error *error);

/* Numbers are float or double, as the whole stack is computed. */
struct layer {
    enum layer_kind kind;
    double number;
    enum hc_dtype dtype; /* of weights */
    const void *weights; /* n_out rows of n_in; of a norm: numbers, or NULL */
    const void *scales;  /* numbers, one an output; NULL: none */
    const void *bias;    /* numbers; NULL: none */
    size_t n_in;
    size_t n_out;
    bool relu; /* follows at once */
};

struct stack {
    struct layer *layers;
    size_t n_layers;
    size_t last_linear; /* index; there is one at least */
    size_t n_in;
    size_t n_out;
    size_t hidden_width;  /* of the widest linear layer but the last */
    size_t n_products;    /* for one row */
    bool is_double;       /* else float */
    enum hc_dtype native; /* of what torch would take and give */
    size_t weights_size;
    struct hc_pool pool;
    void **memory; /* the packed weights */
    size_t n_memory;
};

enum hc_code stack_create(const struct hc_weights *weights, const struct descriptions *descriptions,
                          struct stack **stack, struct hc_error *error);

/* Forget the weights, which are elsewhere by now; all else stays. */
void stack_drop_weights(struct stack *stack);
bool stack_has_weights(const struct stack *stack);

/* Take over the weights of FRESH, the same stack read again. */
void stack_take_weights(struct stack *stack, struct stack *fresh);

/* NULL is fine. */
void stack_destroy(struct stack *stack);

HC_CLEANUP(stack, struct stack *, stack_destroy);

#endif
