/* pb_utils.InferenceResponse. */
#include "response.h"

#include "parameters.h"
#include "tensor.h"
#include "triton_error.h"

static const char signature[] = "InferenceResponse(output_tensors: list[Tensor] = [], error: "
                                "TritonError = None, parameters: dict = None)";

static void response_dealloc(PyObject *self) {
    Py_XDECREF(hc_response_of(self)->outputs);
    Py_XDECREF(hc_response_of(self)->error);
    Py_XDECREF(hc_response_of(self)->parameters);
    hc_py_free_object(self);
}

/* A list of our own with the tensors of TENSORS, any sequence. New reference. */
static PyObject *own_list(PyObject *tensors) {
    if (tensors == NULL) {
        return PyList_New(0);
    }
    if (!PySequence_Check(tensors) || PyUnicode_Check(tensors) || PyBytes_Check(tensors)) {
        return hc_py_bad_arguments("__init__", signature);
    }
    hc_auto(py) list = PySequence_List(tensors);
    Py_ssize_t n = list == NULL ? 0 : PyList_Size(list);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *tensor = PyList_GetItem(list, i);
        if (tensor == Py_None) {
            return hc_py_raise("Output tensor for inference response should not be empty.");
        }
        if (!hc_py_is_tensor(tensor)) {
            return hc_py_bad_arguments("__init__", signature);
        }
    }
    return hc_take(list);
}

static int response_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"output_tensors", "error", "parameters", NULL};
    PyObject *outputs = NULL;
    PyObject *error = Py_None;
    PyObject *parameters = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|OOO", names, &outputs, &error,
                                     &parameters) ||
        (error != Py_None && !hc_py_is_error(error))) {
        PyErr_Clear();
        hc_py_bad_arguments("__init__", signature);
        return -1;
    }
    hc_auto(py) list = own_list(outputs);
    hc_auto(py) text = list == NULL ? NULL : hc_py_parameters(parameters);
    if (text == NULL) {
        return -1;
    }
    struct hc_response_object *response = hc_response_of(self);
    Py_XDECREF(hc_take(response->outputs));
    Py_XDECREF(hc_take(response->error));
    Py_XDECREF(hc_take(response->parameters));
    response->outputs = hc_take(list);
    response->parameters = hc_take(text);
    Py_INCREF(error);
    response->error = error;
    return 0;
}

static PyObject *response_output_tensors(PyObject *self, PyObject *ignored) {
    (void)ignored;
    hc_auto(py) outputs = hc_py_member(hc_response_of(self)->outputs);
    return outputs == NULL ? NULL : PySequence_List(outputs);
}

static PyObject *response_has_error(PyObject *self, PyObject *ignored) {
    (void)ignored;
    hc_auto(py) error = hc_py_member(hc_response_of(self)->error);
    return error == NULL ? NULL : PyBool_FromLong(error != Py_None);
}

static PyObject *response_error(PyObject *self, PyObject *ignored) {
    (void)ignored;
    return hc_py_member(hc_response_of(self)->error);
}

static PyObject *response_parameters(PyObject *self, PyObject *ignored) {
    (void)ignored;
    return hc_py_member(hc_response_of(self)->parameters);
}

static PyMethodDef methods[] = {
    {"output_tensors", response_output_tensors, METH_NOARGS,
     "output_tensors($self)\n--\n\nThe outputs, as a list."},
    {"has_error", response_has_error, METH_NOARGS,
     "has_error($self)\n--\n\nWhether there is an error instead of outputs."},
    {"error", response_error, METH_NOARGS, "error($self)\n--\n\nThe TritonError, or None."},
    {"parameters", response_parameters, METH_NOARGS,
     "parameters($self)\n--\n\nThe response's parameters, as the text of a JSON object."},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "InferenceResponse(output_tensors=[], error=None, parameters=None)\n--\n\nThe "
                "answer to a request."},
    {Py_tp_init, response_init},
    {Py_tp_dealloc, response_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "c_python_backend_utils.InferenceResponse",
    .basicsize = sizeof(struct hc_response_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};

/* New reference. */
static PyObject *make_response(PyObject *outputs, PyObject *error, struct hc_text parameters) {
    hc_auto(py) object = hc_py_new_object(hc_py.response_type);
    if (object == NULL) {
        return NULL;
    }
    struct hc_response_object *response = hc_response_of(object);
    Py_INCREF(outputs);
    response->outputs = outputs;
    Py_INCREF(error);
    response->error = error;
    response->parameters = hc_py_str(parameters);
    return response->parameters == NULL ? NULL : hc_take(object);
}

PyObject *hc_py_response_new(PyObject *outputs, struct hc_text parameters) {
    return make_response(outputs, Py_None, parameters);
}

PyObject *hc_py_response_of_error(enum hc_code code, struct hc_text message) {
    hc_auto(py) outputs = PyList_New(0);
    hc_auto(py) error = outputs == NULL ? NULL : hc_py_error_new(code, message);
    return error == NULL ? NULL : make_response(outputs, error, HC_TEXT(""));
}

bool hc_py_add_response(PyObject *module) {
    return hc_py_add_type(module, "InferenceResponse", &spec, &hc_py.response_type);
}
