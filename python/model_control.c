/* pb_utils.load_model(), unload_model() and is_model_ready(). */
#include "channel/control.h"
#include "py.h"

/*
 * Ask the server. New reference to its answer; what goes wrong is raised with WHAT before it.
 */
static PyObject *ask(uint32_t kind, PyObject *question, const char *what) {
    hc_auto(py) answer = hc_py.services->ask(kind, question);
    PyObject *error = answer == NULL ? NULL : PyDict_GetItemString(answer, "error"); /* borrowed */
    if (answer == NULL || error == NULL || error == Py_None) {
        return hc_take(answer);
    }
    PyErr_Format(hc_py.model_exception, "%s%S", what, error);
    return NULL;
}

/* The same for those that have nothing to tell. */
static PyObject *tell(uint32_t kind, PyObject *question, const char *what) {
    hc_auto(py) answer = question == NULL ? NULL : ask(kind, question, what);
    if (answer == NULL) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* PARAMETERS[NAME] = CONTENT, in base64. */
static bool add_file(PyObject *parameters, PyObject *name, PyObject *content) {
    hc_auto(py) base64 = PyImport_ImportModule("base64");
    hc_auto(py) encoded =
        base64 == NULL ? NULL : PyObject_CallMethod(base64, "b64encode", "O", content);
    hc_auto(py) text =
        encoded == NULL ? NULL : PyUnicode_FromEncodedObject(encoded, "ascii", "strict");
    return text != NULL && PyDict_SetItem(parameters, name, text) == 0;
}

static bool add_files(PyObject *parameters, PyObject *files, const char *model) {
    if (files == Py_None) {
        return true;
    }
    if (!PyDict_Check(files)) {
        hc_py_raise("failed to load model '%s', files should be a dictionary of file paths and "
                    "file contents",
                    model);
        return false;
    }
    PyObject *name;
    PyObject *content;
    Py_ssize_t place = 0;
    while (PyDict_Next(files, &place, &name, &content)) {
        if (!add_file(parameters, name, content)) {
            return false;
        }
    }
    return true;
}

static PyObject *load_model(PyObject *module, PyObject *args, PyObject *keywords) {
    (void)module;
    static char *names[] = {"model_name", "config", "files", NULL};
    const char *model;
    const char *config = "";
    PyObject *files = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "s|sO", names, &model, &config, &files)) {
        return NULL;
    }
    hc_auto(py) parameters =
        config[0] == '\0' ? PyDict_New() : Py_BuildValue("{s:s}", "config", config);
    if (parameters == NULL || !add_files(parameters, files, model)) {
        return NULL;
    }
    hc_auto(py) question = Py_BuildValue("{s:s,s:O}", "model", model, "parameters", parameters);
    return tell(HC_CONTROL_LOAD, question, "Failed to load model: ");
}

static PyObject *unload_model(PyObject *module, PyObject *args, PyObject *keywords) {
    (void)module;
    static char *names[] = {"model_name", "unload_dependents", NULL};
    const char *model;
    int dependents = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "s|p", names, &model, &dependents)) {
        return NULL;
    }
    hc_auto(py) question = Py_BuildValue("{s:s,s:{s:O}}", "model", model, "parameters",
                                         "unload_dependents", dependents ? Py_True : Py_False);
    return tell(HC_CONTROL_UNLOAD, question, "Failed to unload model: ");
}

/* The version that TEXT names, -1 for none; false with an exception set. */
static bool parse_version(const char *text, int64_t *version) {
    uint64_t number;
    *version = -1;
    if (text[0] == '\0') {
        return true;
    }
    if (!hc_text_number(hc_text_of(text), INT64_MAX, &number)) {
        hc_py_raise("Failed to check model readiness: failed to get model version from specified "
                    "version string '%s' (details: not a number), version should be an integral "
                    "value > 0",
                    text);
        return false;
    }
    *version = (int64_t)number;
    return true;
}

static PyObject *is_model_ready(PyObject *module, PyObject *args, PyObject *keywords) {
    (void)module;
    static char *names[] = {"model_name", "model_version", NULL};
    const char *model;
    const char *version_text = "";
    int64_t version;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "s|s", names, &model, &version_text) ||
        !parse_version(version_text, &version)) {
        return NULL;
    }
    hc_auto(py) question =
        Py_BuildValue("{s:s,s:L}", "model", model, "version", (long long)version);
    hc_auto(py) answer =
        question == NULL ? NULL
                         : ask(HC_CONTROL_IS_READY, question, "Failed to check model readiness: ");
    PyObject *ready = answer == NULL ? NULL : PyDict_GetItemString(answer, "ready"); /* borrowed */
    return answer == NULL ? NULL : PyBool_FromLong(ready == Py_True);
}

#define FUNCTION(function) (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS

static PyMethodDef functions[] = {
    {"load_model", FUNCTION(load_model),
     "load_model(model_name, config='', files=None)\n--\n\nLoad a model, or load it again, and "
     "wait until it is ready. files: {'file:1/model.py': b'…'}, with a config."},
    {"unload_model", FUNCTION(unload_model),
     "unload_model(model_name, unload_dependents=False)\n--\n\nUnload a model."},
    {"is_model_ready", FUNCTION(is_model_ready),
     "is_model_ready(model_name, model_version='')\n--\n\nWhether a model, or a version of it, "
     "can be asked."},
    {0},
};

bool hc_py_add_model_control(PyObject *module) {
    return PyModule_AddFunctions(module, functions) == 0;
}
