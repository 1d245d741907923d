/* pb_utils.Tensor. */
#include "tensor.h"

#include "byte_strings.h"
#include "dlpack.h"
#include "dtypes.h"

static void tensor_dealloc(PyObject *self) {
    struct hc_tensor_object *tensor = hc_tensor_of(self);
    Py_XDECREF(tensor->name);
    Py_XDECREF(tensor->array);
    Py_XDECREF(tensor->owner);
    hc_py_free_object(self);
}

static bool set_dims(struct hc_tensor_object *tensor, const int64_t *dims, size_t n_dims) {
    if (n_dims > HC_TENSOR_MAX_DIMS) {
        hc_py_raise("A tensor has %zu dimensions, at most %d are supported.", n_dims,
                    HC_TENSOR_MAX_DIMS);
        return false;
    }
    tensor->n_dims = (int)n_dims;
    for (size_t i = 0; i < n_dims; i++) {
        tensor->dims[i] = dims[i];
    }
    return true;
}

PyObject *hc_py_tensor_from_memory(const struct hc_py_tensor_source *source, PyObject *owner) {
    hc_auto(py) object = hc_py_new_object(hc_py.tensor_type);
    if (object == NULL) {
        return NULL;
    }
    struct hc_tensor_object *tensor = hc_tensor_of(object);
    tensor->name = hc_py_str(source->name);
    if (tensor->name == NULL || !set_dims(tensor, source->dims, source->n_dims)) {
        return NULL;
    }
    tensor->dtype = source->dtype;
    tensor->data = source->data;
    tensor->size = source->size;
    tensor->on_gpu = source->on_gpu;
    tensor->device = source->device;
    Py_XINCREF(owner);
    tensor->owner = owner;
    return hc_take(object);
}

/* Take the array's own bytes, made contiguous first if need be. */
static bool use_array(struct hc_tensor_object *tensor, PyObject *array) {
    PyObject *contiguous = (PyObject *)PyArray_GETCONTIGUOUS((PyArrayObject *)array);
    if (contiguous == NULL) {
        return false;
    }
    Py_INCREF(contiguous);
    tensor->array = contiguous;
    tensor->owner = contiguous;
    tensor->data = PyArray_DATA((PyArrayObject *)contiguous);
    tensor->size = (size_t)PyArray_NBYTES((PyArrayObject *)contiguous);
    return true;
}

/* Encode the strings now, as they are now; the array is kept for as_numpy(). */
static bool use_strings(struct hc_tensor_object *tensor, PyObject *array) {
    tensor->owner = hc_py_strings_encode((PyArrayObject *)array);
    if (tensor->owner == NULL) {
        return false;
    }
    Py_INCREF(array);
    tensor->array = array;
    tensor->data = PyBytes_AsString(tensor->owner);
    tensor->size = (size_t)PyBytes_Size(tensor->owner);
    return true;
}

static bool set_array(struct hc_tensor_object *tensor, PyObject *array) {
    PyArrayObject *source = (PyArrayObject *)array;
    tensor->dtype = hc_py_dtype_of(source);
    if (tensor->dtype == HC_DTYPE_INVALID) {
        hc_py_raise("NumPy dtype is not supported.");
        return false;
    }
    int64_t dims[HC_SHAPE_MAX_DIMS];
    for (int i = 0; i < PyArray_NDIM(source); i++) {
        dims[i] = PyArray_DIM(source, i);
    }
    return set_dims(tensor, dims, (size_t)PyArray_NDIM(source)) &&
           (tensor->dtype == HC_DTYPE_BYTES ? use_strings(tensor, array)
                                            : use_array(tensor, array));
}

static int tensor_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"name", "numpy_array", NULL};
    static const char signature[] = "Tensor(name: str, numpy_array: numpy.ndarray)";
    PyObject *name;
    PyObject *array;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO", names, &name, &array) ||
        !PyArray_Check(array)) {
        PyErr_Clear();
        hc_py_bad_arguments("__init__", signature);
        return -1;
    }
    hc_auto(py) bytes = hc_py_utf8(name, "__init__");
    if (bytes == NULL) {
        return -1;
    }
    if (PyBytes_Size(bytes) == 0) {
        hc_py_raise("Tensor name cannot be an empty string.");
        return -1;
    }
    struct hc_tensor_object *tensor = hc_tensor_of(self);
    Py_CLEAR(tensor->array);
    Py_CLEAR(tensor->owner);
    Py_XDECREF(hc_take(tensor->name));
    tensor->name = hc_py_str(hc_py_bytes_text(bytes));
    return tensor->name != NULL && set_array(tensor, array) ? 0 : -1;
}

static PyObject *tensor_name(PyObject *self, PyObject *ignored) {
    (void)ignored;
    return hc_py_member(hc_tensor_of(self)->name);
}

/* An array of a fixed-size datatype that looks at the tensor's memory. New reference. */
static PyObject *view_memory(struct hc_tensor_object *tensor, npy_intp *dims) {
    PyArray_Descr *descr = hc_py_descr(tensor->dtype); /* stolen by the next call */
    PyObject *array = PyArray_NewFromDescr(&PyArray_Type, descr, tensor->n_dims, dims, NULL,
                                           tensor->data, NPY_ARRAY_CARRAY, NULL);
    if (array != NULL && tensor->owner != NULL) {
        Py_INCREF(tensor->owner);
        if (PyArray_SetBaseObject((PyArrayObject *)array, tensor->owner) != 0) {
            Py_CLEAR(array);
        }
    }
    return array;
}

static PyObject *make_array(struct hc_tensor_object *tensor) {
    npy_intp dims[HC_TENSOR_MAX_DIMS];
    for (int i = 0; i < tensor->n_dims; i++) {
        dims[i] = (npy_intp)tensor->dims[i];
    }
    if (tensor->dtype == HC_DTYPE_BYTES) {
        return hc_py_strings_decode(tensor->data, tensor->size, tensor->n_dims, dims);
    }
    return view_memory(tensor, dims);
}

static PyObject *tensor_as_numpy(PyObject *self, PyObject *ignored) {
    (void)ignored;
    struct hc_tensor_object *tensor = hc_tensor_of(self);
    if (tensor->on_gpu) {
        return hc_py_raise("Tensor is stored in GPU and cannot be converted to NumPy.");
    }
    if (tensor->dtype == HC_DTYPE_BF16) {
        return hc_py_raise("Tensor dtype is BF16 and cannot be converted to NumPy. Use "
                           "to_dlpack() and from_dlpack() instead.");
    }
    if (tensor->array == NULL && tensor->name != NULL) {
        tensor->array = make_array(tensor);
        Py_XINCREF(tensor->array);
        return tensor->array;
    }
    return hc_py_member(tensor->array);
}

static PyObject *tensor_triton_dtype(PyObject *self, PyObject *ignored) {
    (void)ignored;
    return PyLong_FromLong((long)hc_tensor_of(self)->dtype);
}

static PyObject *tensor_shape(PyObject *self, PyObject *ignored) {
    (void)ignored;
    struct hc_tensor_object *tensor = hc_tensor_of(self);
    PyObject *shape = PyList_New(tensor->n_dims);
    for (int i = 0; shape != NULL && i < tensor->n_dims; i++) {
        PyObject *extent = PyLong_FromLongLong(tensor->dims[i]);
        if (extent == NULL || PyList_SetItem(shape, i, extent) != 0) {
            Py_CLEAR(shape);
        }
    }
    return shape;
}

static PyObject *tensor_is_cpu(PyObject *self, PyObject *ignored) {
    (void)ignored;
    return PyBool_FromLong(!hc_tensor_of(self)->on_gpu);
}

static PyObject *tensor_to_dlpack(PyObject *self, PyObject *ignored) {
    (void)ignored;
    return hc_py_dlpack_export(self, false);
}

/* stream, dl_device and copy have one possible value on the CPU; max_version (1, …) and above asks
 * for the versioned form. */
static PyObject *tensor_dlpack(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"stream", "max_version", "dl_device", "copy", NULL};
    PyObject *stream = Py_None;
    PyObject *max_version = Py_None;
    PyObject *device = Py_None;
    PyObject *copy = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|OOOO", names, &stream, &max_version, &device,
                                     &copy)) {
        return NULL;
    }
    int major = 0;
    int minor = 0;
    if (max_version != Py_None && !PyArg_ParseTuple(max_version, "ii", &major, &minor)) {
        return NULL;
    }
    if (copy == Py_True) {
        PyErr_SetString(PyExc_BufferError, "a tensor is handed over without a copy");
        return NULL;
    }
    return hc_py_dlpack_export(self, major >= 1);
}

static PyObject *tensor_dlpack_device(PyObject *self, PyObject *ignored) {
    (void)ignored;
    const struct hc_tensor_object *tensor = hc_tensor_of(self);
    return tensor->on_gpu ? Py_BuildValue("(ii)", HC_DL_CUDA, tensor->device)
                          : Py_BuildValue("(ii)", HC_DL_CPU, 0);
}

static PyObject *tensor_from_dlpack(PyObject *ignored, PyObject *args, PyObject *keywords) {
    (void)ignored;
    static char *names[] = {"name", "tensor", NULL};
    PyObject *name;
    PyObject *source;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO", names, &name, &source)) {
        return NULL;
    }
    hc_auto(py) bytes = hc_py_utf8(name, "from_dlpack");
    return bytes == NULL ? NULL : hc_py_dlpack_import(hc_py_bytes_text(bytes), source);
}

static PyMethodDef methods[] = {
    {"name", tensor_name, METH_NOARGS, "name($self)\n--\n\nThe tensor's name."},
    {"as_numpy", tensor_as_numpy, METH_NOARGS,
     "as_numpy($self)\n--\n\nThe tensor as an array, the same object at each call. An input's "
     "array is "
     "a "
     "view of the request's memory: it may be written to and kept."},
    {"triton_dtype", tensor_triton_dtype, METH_NOARGS,
     "triton_dtype($self)\n--\n\nThe number of the tensor's datatype, as numpy_to_triton_type() "
     "has "
     "it."},
    {"shape", tensor_shape, METH_NOARGS, "shape($self)\n--\n\nThe extents, as a list."},
    {"is_cpu", tensor_is_cpu, METH_NOARGS,
     "is_cpu($self)\n--\n\nWhether the tensor lies in memory that the CPU reads."},
    {"to_dlpack", tensor_to_dlpack, METH_NOARGS,
     "to_dlpack($self)\n--\n\nA DLPack capsule over the tensor's memory."},
    {"from_dlpack", (PyCFunction)(void (*)(void))tensor_from_dlpack,
     METH_VARARGS | METH_KEYWORDS | METH_STATIC,
     "from_dlpack(name, tensor)\n--\n\nA tensor over the memory of a DLPack capsule, or of an "
     "object with __dlpack__ and __dlpack_device__."},
    {"__dlpack__", (PyCFunction)(void (*)(void))tensor_dlpack, METH_VARARGS | METH_KEYWORDS,
     "__dlpack__($self, stream=None, max_version=None, dl_device=None, copy=None)\n--\n\nThe "
     "capsule that "
     "consumers of DLPack ask for."},
    {"__dlpack_device__", tensor_dlpack_device, METH_NOARGS,
     "__dlpack_device__($self)\n--\n\nThe DLPack device type and number: (1, 0) for the CPU."},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Tensor(name, numpy_array)\n--\n\nA named tensor made of an array, which is "
                "referenced, not copied, when it is contiguous; strings are encoded at once."},
    {Py_tp_init, tensor_init},
    {Py_tp_dealloc, tensor_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "c_python_backend_utils.Tensor",
    .basicsize = sizeof(struct hc_tensor_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};

bool hc_py_add_tensor(PyObject *module) {
    return hc_py_add_type(module, "Tensor", &spec, &hc_py.tensor_type);
}
