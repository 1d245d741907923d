/* Making the modules that models import. */
#define HC_PYTHON_IMPORTS_NUMPY
#include "module.h"

static const struct {
    const char *name;
    long value;
} constants[] = {
    {"TRITONSERVER_REQUEST_FLAG_SEQUENCE_START", 1}, {"TRITONSERVER_REQUEST_FLAG_SEQUENCE_END", 2},
    {"TRITONSERVER_RESPONSE_COMPLETE_FINAL", 1},     {"TRITONSERVER_REQUEST_RELEASE_ALL", 1},
    {"TRITONSERVER_REQUEST_RELEASE_RESCHEDULE", 2},
};

bool hc_py_add_constants(PyObject *module) {
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) != 0) {
            return false;
        }
    }
    return true;
}

/* MODULE.NAME, new reference. */
static PyObject *import_member(const char *module_name, const char *name) {
    hc_auto(py) module = PyImport_ImportModule(module_name);
    return module == NULL ? NULL : PyObject_GetAttrString(module, name);
}

static bool import_tools(void) {
    hc_py.json_loads = import_member("json", "loads");
    hc_py.json_dumps = import_member("json", "dumps");
    hc_py.getframe = import_member("sys", "_getframe");
    return hc_py.json_loads != NULL && hc_py.json_dumps != NULL && hc_py.getframe != NULL;
}

static bool import_numpy(void) {
    import_array1(false);
    return true;
}

static struct PyModuleDef utils_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "triton_python_backend_utils",
    .m_doc = "What a model.py calls: tensors, requests, responses and the server around it.",
    .m_size = -1,
};

/* Modules that Triton's module happens to show, and that models have come to use. */
static bool add_leaks(PyObject *module) {
    static const char *const names[][2] = {{"np", "numpy"}, {"json", "json"}, {"struct", "struct"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        hc_auto(py) leaked = PyImport_ImportModule(names[i][1]);
        if (leaked == NULL || !hc_py_add_object(module, names[i][0], leaked)) {
            return false;
        }
    }
    return true;
}

static bool add_everything(PyObject *module) {
    static bool (*const steps[])(PyObject *) = {
        hc_py_add_constants,
        hc_py_add_dtypes,
        hc_py_add_strings,
        hc_py_add_error,
        hc_py_add_tensor,
        hc_py_add_request,
        hc_py_add_response,
        hc_py_add_sender,
        hc_py_add_helpers,
        hc_py_add_logger,
        hc_py_add_model_config,
        hc_py_add_response_iterator,
        hc_py_add_model_control,
        hc_py_add_metric,
        hc_py_add_memory,
        hc_py_add_trace,
        add_leaks,
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (!steps[i](module)) {
            return false;
        }
    }
    return true;
}

/* sys.modules[NAME] = MODULE */
static bool register_module(const char *name, PyObject *module) {
    PyObject *modules = PyImport_GetModuleDict(); /* borrowed */
    return PyDict_SetItemString(modules, name, module) == 0;
}

bool hc_py_make_modules(const struct hc_py_services *services) {
    hc_py.services = services;
    if (!import_numpy() || !import_tools()) {
        return false;
    }
    hc_py.module = PyModule_Create(&utils_definition);
    return hc_py.module != NULL && add_everything(hc_py.module) &&
           register_module("triton_python_backend_utils", hc_py.module) &&
           register_module("c_python_backend_utils", hc_py.module);
}
