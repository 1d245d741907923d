/*
 * pb_utils.Tensor: a name, a datatype, a shape and bytes in row-major order (strings in wire
 * encoding), either those of an input in memory that someone else provides, or of an array that the
 * model made.
 */
#ifndef HC_PYTHON_TENSOR_H
#define HC_PYTHON_TENSOR_H

#include "py.h"
#include "tensor/shape.h"

enum { HC_TENSOR_MAX_DIMS = 32 }; /* NumPy 1 has no more */

struct hc_tensor_object {
    PyObject_HEAD PyObject *name; /* str */
    PyObject *owner;              /* keeps data alive; NULL when there is nothing to keep */
    PyObject *array;              /* what as_numpy() returns; NULL until it is asked for */
    char *data;                   /* an address in a GPU's memory when on_gpu */
    size_t size;
    bool on_gpu;
    int device; /* the GPU */
    enum hc_dtype dtype;
    int n_dims;
    int64_t dims[HC_TENSOR_MAX_DIMS];
};

static inline struct hc_tensor_object *hc_tensor_of(PyObject *object) {
    return (struct hc_tensor_object *)object;
}

static inline bool hc_py_is_tensor(PyObject *object) {
    return PyObject_TypeCheck(object, (PyTypeObject *)hc_py.tensor_type);
}

struct hc_py_tensor_source {
    struct hc_text name;
    enum hc_dtype dtype;
    const int64_t *dims;
    size_t n_dims;
    char *data;
    size_t size;
    bool on_gpu;
    int device; /* the GPU */
};

/* A tensor over memory that OWNER keeps alive and that the model may write to. New reference. */
PyObject *hc_py_tensor_from_memory(const struct hc_py_tensor_source *source, PyObject *owner);

#endif
