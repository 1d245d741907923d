/*
 * Layers: read from the modules that a file holds, or, when it holds tensors only, from their names
 * and what the config says lies between them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "stack.h"

static const double torch_eps = 1e-5;
static const double torch_slope = 0.01;

/* How a layer is called by torch, and in the config's parameter. */
static const struct kind_row {
    const char *type;
    const char *word;
    enum layer_kind kind;
    const char *attribute; /* that its number comes from */
    const double *default_number;
    bool nothing; /* it changes nothing when a model is used */
} kind_rows[] = {
    {"Linear", "linear", LAYER_LINEAR, NULL, NULL, false},
    {"NonDynamicallyQuantizableLinear", NULL, LAYER_LINEAR, NULL, NULL, false},
    {"LayerNorm", "layer_norm", LAYER_NORM, "eps", &torch_eps, false},
    {"ReLU", "relu", LAYER_RELU, NULL, NULL, false},
    {"LeakyReLU", "leaky_relu", LAYER_LEAKY_RELU, "negative_slope", &torch_slope, false},
    {"GELU", "gelu", LAYER_GELU, NULL, NULL, false},
    {NULL, "gelu_tanh", LAYER_GELU_TANH, NULL, NULL, false},
    {"Tanh", "tanh", LAYER_TANH, NULL, NULL, false},
    {"Sigmoid", "sigmoid", LAYER_SIGMOID, NULL, NULL, false},
    {"SiLU", "silu", LAYER_SILU, NULL, NULL, false},
    {"Softmax", "softmax", LAYER_SOFTMAX, NULL, NULL, false},
    {"Dropout", "dropout", LAYER_RELU, NULL, NULL, true},
    {"Identity", "identity", LAYER_RELU, NULL, NULL, true},
};

enum { N_KINDS = sizeof kind_rows / sizeof kind_rows[0] };

void descriptions_finish(struct descriptions *descriptions) {
    free(descriptions->layers);
}

static struct layer_description *add(struct descriptions *descriptions) {
    size_t n = descriptions->n++;
    descriptions->layers =
        hc_realloc(descriptions->layers, descriptions->n * sizeof *descriptions->layers);
    descriptions->layers[n] = (struct layer_description){0};
    return &descriptions->layers[n];
}

static const struct hc_weights_tensor *find_tensor(const struct hc_weights *weights,
                                                   struct hc_text layer, const char *name) {
    hc_auto(text) joined =
        hc_format("%.*s%s%s", HC_TEXT_ARGS(layer), layer.size > 0 ? "." : "", name);
    return hc_weights_find(weights, hc_text_of(joined));
}

static void set_tensors(const struct hc_weights *weights, struct layer_description *layer) {
    layer->weight = find_tensor(weights, layer->name, "weight");
    layer->bias = find_tensor(weights, layer->name, "bias");
    layer->scale = find_tensor(weights, layer->name, "weight_scale");
}

/* ---- Modules ---- */

static double number_of(const struct hc_weights_module *module, const struct kind_row *row) {
    if (row->attribute == NULL) {
        return 0;
    }
    const struct hc_weights_attribute *attribute = hc_weights_attribute(module, row->attribute);
    return attribute != NULL && attribute->kind == HC_WEIGHTS_NUMBER ? attribute->number
                                                                     : *row->default_number;
}

static bool is_tanh_form(const struct hc_weights_module *module) {
    const struct hc_weights_attribute *form = hc_weights_attribute(module, "approximate");
    return form != NULL && form->kind == HC_WEIGHTS_TEXT && hc_text_is(form->text, "tanh");
}

/* Of a batch of rows, 1 and -1 are the last dimension; 0 would be the batch's. */
static bool is_over_rows(const struct hc_weights_module *module) {
    const struct hc_weights_attribute *dim = hc_weights_attribute(module, "dim");
    return dim == NULL || dim->kind != HC_WEIGHTS_NUMBER || dim->number == 1 || dim->number == -1;
}

static const struct kind_row *find_type(const char *type) {
    for (size_t i = 0; i < N_KINDS; i++) {
        if (kind_rows[i].type != NULL && strcmp(kind_rows[i].type, type) == 0) {
            return &kind_rows[i];
        }
    }
    return NULL;
}

static enum hc_code describe_module(const struct hc_weights *weights,
                                    const struct hc_weights_module *module,
                                    struct descriptions *descriptions, struct hc_error *error) {
    const struct kind_row *row = find_type(module->type);
    if (row == NULL || (row->kind == LAYER_SOFTMAX && !is_over_rows(module))) {
        return hc_error_set(error, HC_UNIMPLEMENTED,
                            "layer '%.*s' is a %s that the linear backend does not run",
                            HC_TEXT_ARGS(module->name), module->type);
    }
    if (row->nothing) {
        return HC_OK;
    }
    struct layer_description *layer = add(descriptions);
    layer->kind = row->kind == LAYER_GELU && is_tanh_form(module) ? LAYER_GELU_TANH : row->kind;
    layer->number = number_of(module, row);
    layer->name = module->name;
    set_tensors(weights, layer);
    return HC_OK;
}

/* ---- Tensors ---- */

/* The layers that tensors are of, by their names. */
struct owners {
    struct hc_text *names;
    size_t n;
};

static void finish_owners(struct owners *owners) {
    free(owners->names);
}

/* "fc.weight" and "weight" are weights, of the layers "fc" and "". */
static bool split_name(struct hc_text name, struct hc_text *owner, struct hc_text *part) {
    const char *dot = name.size > 0 ? memrchr(name.data, '.', name.size) : NULL;
    size_t owner_size = dot == NULL ? 0 : (size_t)(dot - name.data);
    size_t skipped = dot == NULL ? 0 : owner_size + 1;
    *owner = (struct hc_text){name.data, owner_size};
    *part = (struct hc_text){name.data + skipped, name.size - skipped};
    return hc_text_is(*part, "weight") || hc_text_is(*part, "bias") ||
           hc_text_is(*part, "weight_scale");
}

static enum hc_code list_owners(const struct hc_weights *weights, struct owners *owners,
                                struct hc_error *error) {
    owners->names = hc_alloc_array(weights->n_tensors, sizeof *owners->names);
    for (size_t i = 0; i < weights->n_tensors; i++) {
        struct hc_text owner;
        struct hc_text part;
        struct hc_text name = weights->tensors[i].name;
        if (!split_name(name, &owner, &part)) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "tensor '%.*s' is neither the weight, the bias nor the "
                                "weight_scale of a layer",
                                HC_TEXT_ARGS(name));
        }
        if (hc_text_is(part, "weight")) {
            owners->names[owners->n++] = owner;
        }
    }
    return HC_OK;
}

/* Numbers in names by value: "2" before "10". */
static int compare_owners(const void *a, const void *b) {
    const struct hc_text *first = a;
    const struct hc_text *second = b;
    hc_auto(text) first_name = hc_strndup(first->data, first->size);
    hc_auto(text) second_name = hc_strndup(second->data, second->size);
    return strverscmp(first_name, second_name);
}

/* Word by word through the parameter: "linear, leaky_relu:0.2, linear". */
static bool next_word(const char **rest, struct hc_text *word) {
    static const char between[] = " ,\t\n";
    *rest += strspn(*rest, between);
    *word = (struct hc_text){*rest, strcspn(*rest, between)};
    *rest += word->size;
    return word->size > 0;
}

static const struct kind_row *find_word(struct hc_text word) {
    const char *colon = memchr(word.data, ':', word.size);
    size_t size = colon == NULL ? word.size : (size_t)(colon - word.data);
    for (size_t i = 0; i < N_KINDS; i++) {
        if (kind_rows[i].word != NULL &&
            hc_text_is((struct hc_text){word.data, size}, kind_rows[i].word)) {
            return &kind_rows[i];
        }
    }
    return NULL;
}

/* What follows the colon in "leaky_relu:0.2"; false when there is something else. */
static bool read_word_number(struct hc_text word, const struct kind_row *row, double *number) {
    const char *colon = memchr(word.data, ':', word.size);
    *number = row->default_number == NULL ? 0 : *row->default_number;
    if (colon == NULL) {
        return true;
    }
    char *end;
    *number = strtod(colon + 1, &end);
    return row->default_number != NULL && end > colon + 1 && end == word.data + word.size;
}

static enum hc_code describe_word(struct hc_text word, const struct hc_weights *weights,
                                  struct owners *owners, size_t *next,
                                  struct descriptions *descriptions, struct hc_error *error) {
    double number;
    const struct kind_row *row = find_word(word);
    if (row == NULL || !read_word_number(word, row, &number)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "the parameter 'layers' has '%.*s', which is no layer",
                            HC_TEXT_ARGS(word));
    }
    if (row->nothing) {
        return HC_OK;
    }
    struct layer_description *layer = add(descriptions);
    layer->kind = row->kind;
    layer->number = number;
    if (row->kind == LAYER_LINEAR || row->kind == LAYER_NORM) {
        if (*next == owners->n) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "the parameter 'layers' names more layers with weights than the "
                                "%zu that the file has",
                                owners->n);
        }
        layer->name = owners->names[(*next)++];
        set_tensors(weights, layer);
    }
    return HC_OK;
}

static enum hc_code describe_words(const char *layers, const struct hc_weights *weights,
                                   struct owners *owners, struct descriptions *descriptions,
                                   struct hc_error *error) {
    struct hc_text word;
    size_t next = 0;
    while (next_word(&layers, &word)) {
        HC_TRY(describe_word(word, weights, owners, &next, descriptions, error));
    }
    if (next < owners->n) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "the parameter 'layers' names fewer layers with weights than the %zu "
                            "that the file has",
                            owners->n);
    }
    return HC_OK;
}

static enum hc_code describe_tensors(const struct hc_weights *weights, const char *layers,
                                     struct descriptions *descriptions, struct hc_error *error) {
    __attribute__((cleanup(finish_owners))) struct owners owners = {0};
    HC_TRY(list_owners(weights, &owners, error));
    if (!weights->ordered) {
        qsort(owners.names, owners.n, sizeof *owners.names, compare_owners);
    }
    if (layers == NULL && owners.n > 1) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "holds the tensors of %zu layers, but not what lies between them: the "
                            "parameter 'layers' of the model configuration has to say it, for "
                            "example \"linear relu linear\"",
                            owners.n);
    }
    return describe_words(layers == NULL ? "linear" : layers, weights, &owners, descriptions,
                          error);
}

/* An array alone is a weight. */
static bool is_nameless(const struct hc_weights *weights) {
    return weights->n_tensors == 1 && weights->tensors[0].name.size == 0;
}

enum hc_code describe_layers(const struct hc_weights *weights, const char *layers,
                             struct descriptions *descriptions, struct hc_error *error) {
    if (is_nameless(weights)) {
        *add(descriptions) = (struct layer_description){.weight = &weights->tensors[0]};
        return HC_OK;
    }
    if (weights->n_modules == 0) {
        return describe_tensors(weights, layers, descriptions, error);
    }
    for (size_t i = 0; i < weights->n_modules; i++) {
        HC_TRY(describe_module(weights, &weights->modules[i], descriptions, error));
    }
    return HC_OK;
}
