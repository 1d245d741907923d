/* The tensors of an ensemble, as its models' inputs and outputs tell them. */
#include "ensemble_tensors.h"

#include "tensor/shape.h"

struct hc_ensemble_tensor *hc_ensemble_tensor_find(const struct hc_ensemble_tensors *tensors,
                                                   const char *name) {
    for (size_t i = 0; i < tensors->n; i++) {
        if (strcmp(tensors->items[i].name, name) == 0) {
            return &tensors->items[i];
        }
    }
    return NULL;
}

static bool same_dims(const int64_t *a, size_t n_a, const int64_t *b, size_t n_b) {
    for (size_t i = 0; i < n_a && n_a == n_b; i++) {
        if (a[i] != b[i] && a[i] != -1 && b[i] != -1) {
            return false;
        }
    }
    return n_a == n_b;
}

/* Also where the one counts the batch dimension among its own: [-1, 3] and a batch of [3]. */
static bool same_shape(const struct hc_ensemble_tensor *a, const struct hc_ensemble_tensor *b) {
    if (same_dims(a->dims, a->n_dims, b->dims, b->n_dims)) {
        return true;
    }
    if (a->batching == b->batching) {
        return false;
    }
    const struct hc_ensemble_tensor *batch = a->batching ? a : b;
    const struct hc_ensemble_tensor *plain = a->batching ? b : a;
    return plain->n_dims > 0 &&
           same_dims(batch->dims, batch->n_dims, plain->dims + 1, plain->n_dims - 1);
}

static void print_shape(const struct hc_ensemble_tensor *tensor, struct hc_buf *text) {
    hc_auto_buf dims = {0};
    hc_shape_append(&dims, tensor->dims, tensor->n_dims);
    const char *inner = hc_buf_string(&dims) + 1;
    hc_buf_appendf(text, tensor->batching ? "[-1%s%s" : "[%s%s",
                   tensor->batching && tensor->n_dims > 0 ? "," : "", inner);
}

static enum hc_code check_same(const struct hc_ensemble_tensors *tensors,
                               const struct hc_ensemble_tensor *known,
                               const struct hc_ensemble_tensor *other, struct hc_error *error) {
    if (known->data_type != other->data_type) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "in ensemble %s, ensemble tensor %s: inconsistent data type: %s is "
                            "inferred from model %s while %s is inferred from model %s",
                            tensors->ensemble, known->name,
                            hc_dtype_config_name((enum hc_dtype)known->data_type), known->model,
                            hc_dtype_config_name((enum hc_dtype)other->data_type), other->model);
    }
    if (!same_shape(known, other)) {
        hc_auto_buf known_shape = {0};
        hc_auto_buf other_shape = {0};
        print_shape(known, &known_shape);
        print_shape(other, &other_shape);
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "in ensemble %s, ensemble tensor %s: inconsistent shape: %s is "
                            "inferred from model %s while %s is inferred from model %s",
                            tensors->ensemble, known->name, hc_buf_string(&known_shape),
                            known->model, hc_buf_string(&other_shape), other->model);
    }
    return HC_OK;
}

void hc_ensemble_tensor_add(struct hc_ensemble_tensors *tensors, struct hc_ensemble_tensor tensor) {
    if (hc_ensemble_tensor_find(tensors, tensor.name) == NULL) {
        tensors->items[tensors->n++] = tensor;
    }
}

enum hc_code hc_ensemble_tensor_mention(struct hc_ensemble_tensors *tensors,
                                        struct hc_ensemble_tensor tensor, struct hc_error *error) {
    struct hc_ensemble_tensor *known = hc_ensemble_tensor_find(tensors, tensor.name);
    if (known != NULL) {
        return check_same(tensors, known, &tensor, error);
    }
    hc_ensemble_tensor_add(tensors, tensor);
    return HC_OK;
}
