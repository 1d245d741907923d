/* Parameters of requests and responses. */
#include "parameters.h"

static bool check_item(PyObject *key, PyObject *value) {
    if (!PyUnicode_Check(key)) {
        hc_py_raise("Expect parameters keys to have type str, found type %R", Py_TYPE(key));
        return false;
    }
    if (!PyBool_Check(value) && !PyLong_Check(value) && !PyUnicode_Check(value)) {
        hc_py_raise("Expect parameters values to have type bool/int/str, found type %R",
                    Py_TYPE(value));
        return false;
    }
    return true;
}

PyObject *hc_py_parameters(PyObject *parameters) {
    if (parameters == NULL || parameters == Py_None) {
        return PyUnicode_FromString("{}");
    }
    if (!PyDict_Check(parameters)) {
        return hc_py_raise("Expect <class 'dict'>, got %R", Py_TYPE(parameters));
    }
    Py_ssize_t place = 0;
    PyObject *key;
    PyObject *value;
    while (PyDict_Next(parameters, &place, &key, &value)) {
        if (!check_item(key, value)) {
            return NULL;
        }
    }
    return PyObject_CallFunctionObjArgs(hc_py.json_dumps, parameters, NULL);
}
