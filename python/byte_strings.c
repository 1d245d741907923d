/* BYTES tensors between the wire and NumPy. */
#include "byte_strings.h"

#include "base/buf.h"
#include "tensor/bytes.h"

static bool decode_into(struct hc_bytes_reader *reader, PyObject **items, npy_intp n) {
    struct hc_text element;
    enum hc_bytes_step step;
    npy_intp i = 0;
    while ((step = hc_bytes_next(reader, &element)) == HC_BYTES_ELEMENT && i < n) {
        PyObject *item = PyBytes_FromStringAndSize(element.data, (Py_ssize_t)element.size);
        if (item == NULL) {
            return false;
        }
        Py_XDECREF(items[i]);
        items[i++] = item;
    }
    if (step == HC_BYTES_INCOMPLETE_PREFIX) {
        hc_py_raise("Invalid bytes tensor data: incomplete length field");
    } else if (step == HC_BYTES_INCOMPLETE_DATA) {
        hc_py_raise("Invalid bytes tensor data: string extends beyond buffer");
    } else if (step == HC_BYTES_ELEMENT || i < n) {
        hc_py_raise("Invalid bytes tensor data: the number of strings differs from the shape");
    } else {
        return true;
    }
    return false;
}

PyObject *hc_py_strings_decode(const char *data, size_t size, int n_dims, const npy_intp *dims) {
    PyObject *array = PyArray_SimpleNew(n_dims, dims, NPY_OBJECT);
    if (array == NULL) {
        return NULL;
    }
    struct hc_bytes_reader reader = {data, size, 0};
    PyObject **items = PyArray_DATA((PyArrayObject *)array);
    if (!decode_into(&reader, items, PyArray_SIZE((PyArrayObject *)array))) {
        Py_CLEAR(array);
    }
    return array;
}

static bool append(struct hc_buf *buf, struct hc_text text) {
    if (text.size > UINT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "a string of a tensor is longer than 4 GiB");
        return false;
    }
    char *place = hc_buf_reserve_try(buf, HC_BYTES_PREFIX_SIZE + text.size);
    if (place == NULL) {
        PyErr_NoMemory();
        return false;
    }
    hc_bytes_put_prefix(place, (uint32_t)text.size);
    if (text.size > 0) {
        memcpy(place + HC_BYTES_PREFIX_SIZE, text.data, text.size);
    }
    hc_buf_commit(buf, HC_BYTES_PREFIX_SIZE + text.size);
    return true;
}

/* One element of an object array; bytes by exact type, all else by its str(). */
static bool append_object(struct hc_buf *buf, PyObject *item) {
    if (item == NULL) {
        item = Py_None;
    }
    if (Py_IS_TYPE(item, &PyBytes_Type)) {
        return append(buf, hc_py_bytes_text(item));
    }
    hc_auto(py) text = PyObject_Str(item);
    hc_auto(py) bytes = text == NULL ? NULL : PyUnicode_AsUTF8String(text);
    return bytes != NULL && append(buf, hc_py_bytes_text(bytes));
}

static bool append_objects(struct hc_buf *buf, PyArrayObject *array) {
    PyObject **items = PyArray_DATA(array);
    npy_intp n = PyArray_SIZE(array);
    for (npy_intp i = 0; i < n; i++) {
        if (!append_object(buf, items[i])) {
            return false;
        }
    }
    return true;
}

static bool append_byte_strings(struct hc_buf *buf, PyArrayObject *array) {
    const char *items = PyArray_DATA(array);
    size_t width = (size_t)PyArray_ITEMSIZE(array);
    npy_intp n = PyArray_SIZE(array);
    for (npy_intp i = 0; i < n; i++) {
        const char *item = items + (size_t)i * width;
        size_t size = width;
        while (size > 0 && item[size - 1] == '\0') {
            size--;
        }
        if (!append(buf, (struct hc_text){item, size})) {
            return false;
        }
    }
    return true;
}

PyObject *hc_py_strings_encode(PyArrayObject *array) {
    char kind = PyArray_DESCR(array)->kind;
    hc_auto(py) contiguous = kind == 'U'
                                 ? PyArray_FROM_OTF((PyObject *)array, NPY_OBJECT, NPY_ARRAY_CARRAY)
                                 : (PyObject *)PyArray_GETCONTIGUOUS(array);
    if (contiguous == NULL) {
        return NULL;
    }
    hc_auto_buf buf = {0};
    bool encoded = kind == 'S' ? append_byte_strings(&buf, (PyArrayObject *)contiguous)
                               : append_objects(&buf, (PyArrayObject *)contiguous);
    return encoded ? PyBytes_FromStringAndSize(buf.data, (Py_ssize_t)buf.size) : NULL;
}

static PyObject *serialize_byte_tensor(PyObject *module, PyObject *args, PyObject *keywords) {
    (void)module;
    static char *names[] = {"input_tensor", NULL};
    PyObject *array;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!", names, &PyArray_Type, &array)) {
        return NULL;
    }
    if (PyArray_SIZE((PyArrayObject *)array) == 0) {
        return PyTuple_New(0);
    }
    char kind = PyArray_DESCR((PyArrayObject *)array)->kind;
    if (kind != 'O' && kind != 'S') {
        Py_RETURN_NONE;
    }
    return hc_py_strings_encode((PyArrayObject *)array);
}

/* As upstream's loop over struct.unpack_from raises for a tensor that is cut short. */
static PyObject *truncated(void) {
    hc_auto(py) module = PyImport_ImportModule("struct");
    hc_auto(py) type = module == NULL ? NULL : PyObject_GetAttrString(module, "error");
    if (type != NULL) {
        PyErr_SetString(type, "the encoded tensor ends within a string");
    }
    return NULL;
}

static PyObject *deserialize_bytes_tensor(PyObject *module, PyObject *args, PyObject *keywords) {
    (void)module;
    static char *names[] = {"encoded_tensor", NULL};
    PyObject *encoded;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O", names, &encoded)) {
        return NULL;
    }
    hc_auto(py) bytes = PyBytes_FromObject(encoded);
    if (bytes == NULL) {
        return NULL;
    }
    struct hc_text data = hc_py_bytes_text(bytes);
    uint64_t count;
    if (!hc_bytes_count(data.data, data.size, &count)) {
        return truncated();
    }
    npy_intp n = (npy_intp)count;
    return hc_py_strings_decode(data.data, data.size, 1, &n);
}

static PyMethodDef functions[] = {
    {"serialize_byte_tensor", (PyCFunction)(void (*)(void))serialize_byte_tensor,
     METH_VARARGS | METH_KEYWORDS,
     "serialize_byte_tensor(input_tensor)\n--\n\nThe wire encoding of an array of strings as "
     "bytes; "
     "() for an empty array, None for other types."},
    {"deserialize_bytes_tensor", (PyCFunction)(void (*)(void))deserialize_bytes_tensor,
     METH_VARARGS | METH_KEYWORDS,
     "deserialize_bytes_tensor(encoded_tensor)\n--\n\nThe strings of a wire encoding as a flat "
     "array of bytes objects."},
    {0},
};

bool hc_py_add_strings(PyObject *module) {
    return PyModule_AddFunctions(module, functions) == 0;
}
