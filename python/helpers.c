/* The module's plain functions: finding tensors and configurations by name. */
#include "py.h"
#include "request.h"
#include "tensor.h"

/* Whether TENSOR, of any type with a name() method, has that name: 1, 0, or -1 with an exception.
 */
static int has_name(PyObject *tensor, PyObject *name) {
    if (hc_py_is_tensor(tensor) && hc_tensor_of(tensor)->name != NULL) {
        return PyObject_RichCompareBool(hc_tensor_of(tensor)->name, name, Py_EQ);
    }
    hc_auto(py) own = PyObject_CallMethod(tensor, "name", NULL);
    return own == NULL ? -1 : PyObject_RichCompareBool(own, name, Py_EQ);
}

/* The first tensor of a list with that name, or None. New reference. */
static PyObject *find_tensor(PyObject *tensors, PyObject *name) {
    Py_ssize_t n = PySequence_Size(tensors);
    for (Py_ssize_t i = 0; i < n; i++) {
        hc_auto(py) tensor = PySequence_GetItem(tensors, i);
        int found = tensor == NULL ? -1 : has_name(tensor, name);
        if (found != 0) {
            return found < 0 ? NULL : hc_take(tensor);
        }
    }
    if (n < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *get_input_tensor_by_name(PyObject *module, PyObject *args, PyObject *keywords) {
    (void)module;
    static char *names[] = {"inference_request", "name", NULL};
    PyObject *request;
    PyObject *name;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO", names, &request, &name)) {
        return NULL;
    }
    if (hc_py_is_request(request)) {
        hc_auto(py) inputs = hc_py_member(hc_py_request_inputs(hc_request_of(request)));
        return inputs == NULL ? NULL : find_tensor(inputs, name);
    }
    hc_auto(py) inputs = PyObject_CallMethod(request, "inputs", NULL);
    return inputs == NULL ? NULL : find_tensor(inputs, name);
}

static PyObject *get_output_tensor_by_name(PyObject *module, PyObject *args, PyObject *keywords) {
    (void)module;
    static char *names[] = {"inference_response", "name", NULL};
    PyObject *response;
    PyObject *name;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO", names, &response, &name)) {
        return NULL;
    }
    hc_auto(py) outputs = PyObject_CallMethod(response, "output_tensors", NULL);
    return outputs == NULL ? NULL : find_tensor(outputs, name);
}

/* The entry of CONFIG[SECTION], a list of dicts, whose "name" is NAME; or None. New reference. */
static PyObject *find_section(PyObject *config, const char *section, PyObject *name) {
    hc_auto(py) key = PyUnicode_FromString(section);
    int present = key == NULL ? -1 : PySequence_Contains(config, key);
    if (present < 0) {
        return NULL;
    }
    if (present == 0) {
        Py_RETURN_NONE;
    }
    hc_auto(py) entries = PyObject_GetItem(config, key);
    Py_ssize_t n = entries == NULL ? -1 : PySequence_Size(entries);
    for (Py_ssize_t i = 0; i < n; i++) {
        hc_auto(py) entry = PySequence_GetItem(entries, i);
        hc_auto(py) own = entry == NULL ? NULL : PyMapping_GetItemString(entry, "name");
        int found = own == NULL ? -1 : PyObject_RichCompareBool(own, name, Py_EQ);
        if (found != 0) {
            return found < 0 ? NULL : hc_take(entry);
        }
    }
    if (n < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *section_by_name(const char *section, PyObject *args, PyObject *keywords) {
    static char *names[] = {"model_config", "name", NULL};
    PyObject *config;
    PyObject *name;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO", names, &config, &name)) {
        return NULL;
    }
    return find_section(config, section, name);
}

static PyObject *get_input_config_by_name(PyObject *module, PyObject *args, PyObject *keywords) {
    (void)module;
    return section_by_name("input", args, keywords);
}

static PyObject *get_output_config_by_name(PyObject *module, PyObject *args, PyObject *keywords) {
    (void)module;
    return section_by_name("output", args, keywords);
}

static PyObject *using_decoupled(PyObject *module, PyObject *args, PyObject *keywords) {
    (void)module;
    static char *names[] = {"model_config", NULL};
    PyObject *config;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O", names, &config)) {
        return NULL;
    }
    hc_auto(py) key = PyUnicode_FromString("model_transaction_policy");
    int present = key == NULL ? -1 : PySequence_Contains(config, key);
    if (present <= 0) {
        return present < 0 ? NULL : PyBool_FromLong(0);
    }
    hc_auto(py) policy = PyObject_GetItem(config, key);
    return policy == NULL ? NULL : PyMapping_GetItemString(policy, "decoupled");
}

static PyObject *get_model_dir(PyObject *module, PyObject *ignored) {
    (void)module;
    (void)ignored;
    if (hc_py.model_dir == NULL) {
        return hc_py_raise("No model is being served here.");
    }
    Py_INCREF(hc_py.model_dir);
    return hc_py.model_dir;
}

#define FUNCTION(function) (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS

static PyMethodDef functions[] = {
    {"get_input_tensor_by_name", FUNCTION(get_input_tensor_by_name),
     "get_input_tensor_by_name(inference_request, name)\n--\n\nThe request's first input of that "
     "name, or None."},
    {"get_output_tensor_by_name", FUNCTION(get_output_tensor_by_name),
     "get_output_tensor_by_name(inference_response, name)\n--\n\nThe response's first output of "
     "that name, or None."},
    {"get_input_config_by_name", FUNCTION(get_input_config_by_name),
     "get_input_config_by_name(model_config, name)\n--\n\nThe dict that configures the input of "
     "that name in a model configuration (a dict), or None."},
    {"get_output_config_by_name", FUNCTION(get_output_config_by_name),
     "get_output_config_by_name(model_config, name)\n--\n\nThe dict that configures the output of "
     "that name in a model configuration (a dict), or None."},
    {"using_decoupled_model_transaction_policy", FUNCTION(using_decoupled),
     "using_decoupled_model_transaction_policy(model_config)\n--\n\nWhether a model configuration "
     "(a dict) declares the model decoupled."},
    {"get_model_dir", get_model_dir, METH_NOARGS,
     "get_model_dir()\n--\n\nThe folder of the model's version, in which its file is."},
    {0},
};

bool hc_py_add_helpers(PyObject *module) {
    return PyModule_AddFunctions(module, functions) == 0;
}
