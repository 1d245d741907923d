/* Importing a model's Python file. */
#include "import_model.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

/* importlib.machinery.NAME, new reference. */
static PyObject *machinery(const char *name) {
    hc_auto(py) module = PyImport_ImportModule("importlib.machinery");
    return module == NULL ? NULL : PyObject_GetAttrString(module, name);
}

static PyObject *ignore_bytecode(PyObject *self, PyObject *args) {
    (void)self;
    (void)args;
    Py_RETURN_NONE;
}

/* Replaces SourceFileLoader.set_data(path, data), which writes __pycache__. */
static PyMethodDef ignore_bytecode_definition = {"set_data", ignore_bytecode, METH_VARARGS,
                                                 "Does not write compiled code."};

/* A SourceFileLoader that writes nothing. New reference. */
static PyObject *make_loader_type(void) {
    hc_auto(py) base = machinery("SourceFileLoader");
    hc_auto(py) set_data = PyCFunction_New(&ignore_bytecode_definition, NULL);
    if (base == NULL || set_data == NULL) {
        return NULL;
    }
    return PyObject_CallFunction((PyObject *)&PyType_Type, "s(O){s:O}", "ModelLoader", base,
                                 "_cache_bytecode", set_data);
}

/*
 * A path hook for FOLDER and those below it alone: FileFinder.path_hook((loader, [".py"]), …) for
 * those, ImportError for the rest, so that they go on to the usual hooks.
 */
struct hook {
    PyObject *folder; /* str, ends in a slash */
    PyObject *path_hook;
};

static struct hook hook;

static PyObject *find_below_folder(PyObject *self, PyObject *path) {
    (void)self;
    hc_auto(py) folder = PyUnicode_Check(path) ? PyUnicode_FromFormat("%U/", path) : NULL;
    int below =
        folder != NULL ? (int)PyUnicode_Tailmatch(folder, hook.folder, 0, PY_SSIZE_T_MAX, -1) : 0;
    if (below < 0) {
        return NULL;
    }
    if (below == 0) {
        PyErr_SetString(PyExc_ImportError, "not in the model's folder");
        return NULL;
    }
    return PyObject_CallFunctionObjArgs(hook.path_hook, path, NULL);
}

static PyMethodDef find_below_folder_definition = {"model_path_hook", find_below_folder, METH_O,
                                                   "Finds modules in the model's folder."};

/* FileFinder.path_hook for source files by our loader, and for extension modules. New reference. */
static PyObject *make_path_hook(void) {
    hc_auto(py) loader = make_loader_type();
    hc_auto(py) extension_loader = machinery("ExtensionFileLoader");
    hc_auto(py) suffixes = machinery("EXTENSION_SUFFIXES");
    hc_auto(py) finder = machinery("FileFinder");
    if (loader == NULL || extension_loader == NULL || suffixes == NULL || finder == NULL) {
        return NULL;
    }
    return PyObject_CallMethod(finder, "path_hook", "(OO)(O[s])", extension_loader, suffixes,
                               loader, ".py");
}

static bool install_hook(const char *folder) {
    hook.folder = PyUnicode_FromFormat("%s/", folder);
    hook.path_hook = make_path_hook();
    hc_auto(py) function = PyCFunction_New(&find_below_folder_definition, NULL);
    PyObject *hooks = PySys_GetObject("path_hooks"); /* borrowed */
    return hook.folder != NULL && hook.path_hook != NULL && function != NULL && hooks != NULL &&
           PyList_Insert(hooks, 0, function) == 0;
}

static bool append_path(const char *path) {
    PyObject *list = PySys_GetObject("path"); /* borrowed */
    hc_auto(py) text = PyUnicode_DecodeFSDefault(path);
    return list != NULL && text != NULL && PyList_Append(list, text) == 0;
}

/* "model" of "…/model.py", to be freed; NULL with an exception when it does not end so. */
static char *stem_of(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *file = slash != NULL ? slash + 1 : path;
    size_t size = strlen(file);
    if (size < 4 || strcmp(file + size - 3, ".py") != 0) {
        hc_py_raise("The model's file '%s' must end in .py", file);
        return NULL;
    }
    if (access(path, R_OK) != 0) {
        hc_py_raise("Python model file not found in '%s'", path);
        return NULL;
    }
    return hc_strndup(file, size - 3);
}

PyObject *hc_import_model(const char *folder, const char *version, const char *path) {
    hc_auto(text) version_folder = hc_format("%s/%s", folder, version);
    hc_auto(text) stem = stem_of(path);
    if (stem == NULL || !install_hook(folder) || !append_path(version_folder) ||
        !append_path(folder)) {
        return NULL;
    }
    hc_auto(text) name = hc_format("%s.%s", version, stem);
    return PyImport_ImportModule(name);
}

PyObject *hc_import_backend(const char *path) {
    hc_auto(text) stem = stem_of(path);
    hc_auto(text) folder = hc_strndup(path, (size_t)(strrchr(path, '/') - path));
    if (stem == NULL || !install_hook(folder) || !append_path(folder)) {
        return NULL;
    }
    return PyImport_ImportModule(stem);
}
