/* Datatypes between Triton, its configurations and NumPy, and the functions that show them. */
#include "dtypes.h"

static const int type_numbers[HC_N_DTYPES] = {
    [HC_DTYPE_INVALID] = NPY_NOTYPE, [HC_DTYPE_BOOL] = NPY_BOOL,     [HC_DTYPE_UINT8] = NPY_UINT8,
    [HC_DTYPE_UINT16] = NPY_UINT16,  [HC_DTYPE_UINT32] = NPY_UINT32, [HC_DTYPE_UINT64] = NPY_UINT64,
    [HC_DTYPE_INT8] = NPY_INT8,      [HC_DTYPE_INT16] = NPY_INT16,   [HC_DTYPE_INT32] = NPY_INT32,
    [HC_DTYPE_INT64] = NPY_INT64,    [HC_DTYPE_FP16] = NPY_HALF,     [HC_DTYPE_FP32] = NPY_FLOAT,
    [HC_DTYPE_FP64] = NPY_DOUBLE,    [HC_DTYPE_BYTES] = NPY_OBJECT,  [HC_DTYPE_BF16] = NPY_NOTYPE,
};

PyArray_Descr *hc_py_descr(enum hc_dtype dtype) {
    int number = (unsigned)dtype < HC_N_DTYPES ? type_numbers[dtype] : NPY_NOTYPE;
    return number == NPY_NOTYPE ? NULL : PyArray_DescrFromType(number);
}

/* By kind and size, since C has several integer types of one size. */
static enum hc_dtype dtype_of_kind(char kind, npy_intp size) {
    static const struct {
        char kind;
        npy_intp size;
        enum hc_dtype dtype;
    } rows[] = {
        {'f', 4, HC_DTYPE_FP32},  {'i', 8, HC_DTYPE_INT64},  {'i', 4, HC_DTYPE_INT32},
        {'f', 8, HC_DTYPE_FP64},  {'f', 2, HC_DTYPE_FP16},   {'b', 1, HC_DTYPE_BOOL},
        {'u', 1, HC_DTYPE_UINT8}, {'i', 1, HC_DTYPE_INT8},   {'u', 2, HC_DTYPE_UINT16},
        {'i', 2, HC_DTYPE_INT16}, {'u', 4, HC_DTYPE_UINT32}, {'u', 8, HC_DTYPE_UINT64},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].kind == kind && rows[i].size == size) {
            return rows[i].dtype;
        }
    }
    return HC_DTYPE_INVALID;
}

enum hc_dtype hc_py_dtype_of(PyArrayObject *array) {
    PyArray_Descr *descr = PyArray_DESCR(array);
    if (descr->kind == 'O' || descr->kind == 'S' || descr->kind == 'U') {
        return HC_DTYPE_BYTES;
    }
    if (!PyArray_ISNBO(descr->byteorder)) {
        return HC_DTYPE_INVALID;
    }
    return dtype_of_kind(descr->kind, PyArray_ITEMSIZE(array));
}

/* The NumPy type, as `np.float32`. New reference; NULL without an exception when there is none. */
static PyObject *scalar_type(enum hc_dtype dtype) {
    PyArray_Descr *descr = hc_py_descr(dtype);
    if (descr == NULL) {
        return NULL;
    }
    PyObject *type = (PyObject *)descr->typeobj;
    Py_INCREF(type);
    Py_DECREF(descr);
    return type;
}

static PyObject *triton_to_numpy_type(PyObject *module, PyObject *args, PyObject *keywords) {
    (void)module;
    static char *names[] = {"data_type", NULL};
    long number;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "l", names, &number)) {
        return NULL;
    }
    PyObject *type = number > 0 && number < HC_N_DTYPES ? scalar_type((enum hc_dtype)number) : NULL;
    if (type == NULL) {
        Py_RETURN_NONE;
    }
    return type;
}

static PyObject *numpy_to_triton_type(PyObject *module, PyObject *args, PyObject *keywords) {
    (void)module;
    static char *names[] = {"data_type", NULL};
    PyObject *wanted;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O", names, &wanted)) {
        return NULL;
    }
    for (enum hc_dtype dtype = HC_DTYPE_BOOL; dtype <= HC_DTYPE_BYTES; dtype++) {
        hc_auto(py) type = scalar_type(dtype);
        int equal = PyObject_RichCompareBool(wanted, type, Py_EQ);
        if (equal != 0) {
            return equal < 0 ? NULL : PyLong_FromLong((long)dtype);
        }
    }
    PyArray_Descr *bytes = PyArray_DescrFromType(NPY_STRING);
    int equal = PyObject_RichCompareBool(wanted, (PyObject *)bytes->typeobj, Py_EQ);
    Py_DECREF(bytes);
    if (equal < 0) {
        return NULL;
    }
    if (equal == 0) {
        Py_RETURN_NONE;
    }
    return PyLong_FromLong(HC_DTYPE_BYTES);
}

static PyObject *triton_string_to_numpy(PyObject *module, PyObject *args, PyObject *keywords) {
    static char *names[] = {"triton_type_string", NULL};
    PyObject *name;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O", names, &name)) {
        return NULL;
    }
    hc_auto(py) table = PyObject_GetAttrString(module, "TRITON_STRING_TO_NUMPY");
    return table == NULL ? NULL : PyObject_GetItem(table, name);
}

/* TRITON_STRING_TO_NUMPY: "TYPE_FP32" -> np.float32 and so on; bool is Python's own. New reference.
 */
static PyObject *string_table(void) {
    PyObject *table = PyDict_New();
    for (enum hc_dtype dtype = HC_DTYPE_BOOL; table != NULL && dtype <= HC_DTYPE_BYTES; dtype++) {
        hc_auto(py) type = scalar_type(dtype);
        PyObject *value = dtype == HC_DTYPE_BOOL ? (PyObject *)&PyBool_Type : type;
        if (PyDict_SetItemString(table, hc_dtype_config_name(dtype), value) != 0) {
            Py_CLEAR(table);
        }
    }
    return table;
}

static PyMethodDef functions[] = {
    {"triton_to_numpy_type", (PyCFunction)(void (*)(void))triton_to_numpy_type,
     METH_VARARGS | METH_KEYWORDS,
     "triton_to_numpy_type(data_type)\n--\n\nThe NumPy type of a Triton datatype number (1 to 13), "
     "None for others."},
    {"numpy_to_triton_type", (PyCFunction)(void (*)(void))numpy_to_triton_type,
     METH_VARARGS | METH_KEYWORDS,
     "numpy_to_triton_type(data_type)\n--\n\nThe Triton datatype number of a NumPy type, None when "
     "there is none."},
    {"triton_string_to_numpy", (PyCFunction)(void (*)(void))triton_string_to_numpy,
     METH_VARARGS | METH_KEYWORDS,
     "triton_string_to_numpy(triton_type_string)\n--\n\nThe NumPy type of a configuration's "
     "datatype such as 'TYPE_FP32'; KeyError when there is none."},
    {0},
};

bool hc_py_add_dtypes(PyObject *module) {
    PyObject *table = string_table();
    if (table == NULL || PyModule_AddObject(module, "TRITON_STRING_TO_NUMPY", table) != 0) {
        Py_XDECREF(table);
        return false;
    }
    return PyModule_AddFunctions(module, functions) == 0;
}
