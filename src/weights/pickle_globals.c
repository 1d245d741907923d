/* The names that pickles of weights may mention. */
#include "pickle_globals.h"

#define TORCH_STORAGE(name, dtype) {"torch", name "Storage", PICKLE_STORAGE, dtype}
#define TORCH_CLASS(module, name) {"torch.nn.modules." module, name, PICKLE_CLASS, HC_DTYPE_INVALID}

static const struct pickle_global globals[] = {
    TORCH_CLASS("container", "Sequential"),
    TORCH_CLASS("linear", "Linear"),
    TORCH_CLASS("linear", "NonDynamicallyQuantizableLinear"),
    TORCH_CLASS("linear", "Identity"),
    TORCH_CLASS("activation", "ReLU"),
    TORCH_CLASS("activation", "GELU"),
    TORCH_CLASS("activation", "Tanh"),
    TORCH_CLASS("activation", "Sigmoid"),
    TORCH_CLASS("activation", "SiLU"),
    TORCH_CLASS("activation", "LeakyReLU"),
    TORCH_CLASS("activation", "Softmax"),
    TORCH_CLASS("normalization", "LayerNorm"),
    TORCH_CLASS("dropout", "Dropout"),
    TORCH_STORAGE("Double", HC_DTYPE_FP64),
    TORCH_STORAGE("Float", HC_DTYPE_FP32),
    TORCH_STORAGE("Half", HC_DTYPE_FP16),
    TORCH_STORAGE("BFloat16", HC_DTYPE_BF16),
    TORCH_STORAGE("Char", HC_DTYPE_INT8),
    TORCH_STORAGE("Byte", HC_DTYPE_UINT8),
    TORCH_STORAGE("Short", HC_DTYPE_INT16),
    TORCH_STORAGE("Int", HC_DTYPE_INT32),
    TORCH_STORAGE("Long", HC_DTYPE_INT64),
    TORCH_STORAGE("Bool", HC_DTYPE_BOOL),
    {"torch._utils", "_rebuild_tensor", PICKLE_TENSOR, HC_DTYPE_INVALID},
    {"torch._utils", "_rebuild_tensor_v2", PICKLE_TENSOR, HC_DTYPE_INVALID},
    {"torch._utils", "_rebuild_parameter", PICKLE_PARAMETER, HC_DTYPE_INVALID},
    {"collections", "OrderedDict", PICKLE_DICTIONARY, HC_DTYPE_INVALID},
    {"builtins", "set", PICKLE_IGNORED, HC_DTYPE_INVALID},
    {"__builtin__", "set", PICKLE_IGNORED, HC_DTYPE_INVALID},
};

const struct pickle_global *pickle_find_global(struct hc_text module, struct hc_text name) {
    for (size_t i = 0; i < sizeof globals / sizeof globals[0]; i++) {
        if (hc_text_is(module, globals[i].module) && hc_text_is(name, globals[i].name)) {
            return &globals[i];
        }
    }
    return NULL;
}
