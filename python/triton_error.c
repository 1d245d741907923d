/* pb_utils.TritonError and TritonModelException. */
#include "triton_error.h"

/* Triton's own numbers, which TritonError shows, and what they are here. */
static const struct {
    const char *name;
    enum hc_code status;
} codes[] = {
    {"UNKNOWN", HC_UNKNOWN},
    {"INTERNAL", HC_INTERNAL},
    {"NOT_FOUND", HC_NOT_FOUND},
    {"INVALID_ARG", HC_INVALID_ARGUMENT},
    {"UNAVAILABLE", HC_UNAVAILABLE},
    {"UNSUPPORTED", HC_UNIMPLEMENTED},
    {"ALREADY_EXISTS", HC_ALREADY_EXISTS},
    {"CANCELLED", HC_CANCELLED},
};

enum { N_ERROR_CODES = sizeof codes / sizeof codes[0], DEFAULT_CODE = 1 };

static void error_dealloc(PyObject *self) {
    Py_XDECREF(hc_error_of(self)->message);
    Py_XDECREF(hc_error_of(self)->code);
    hc_py_free_object(self);
}

/* The member of the enum for Triton's NUMBER. New reference. */
static PyObject *code_member(long number) {
    return PyObject_CallFunction(hc_py.error_codes, "l", number);
}

static int error_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"message", "code", NULL};
    static const char signature[] = "TritonError(message: str, code: TritonError = INTERNAL)";
    PyObject *message;
    PyObject *code = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|O", names, &message, &code) ||
        (code != NULL && PyObject_IsInstance(code, hc_py.error_codes) != 1)) {
        PyErr_Clear();
        hc_py_bad_arguments("__init__", signature);
        return -1;
    }
    hc_auto(py) bytes = hc_py_utf8(message, "__init__");
    if (bytes == NULL) {
        return -1;
    }
    struct hc_error_object *error = hc_error_of(self);
    Py_XDECREF(hc_take(error->message));
    Py_XDECREF(hc_take(error->code));
    error->message = hc_py_str(hc_py_bytes_text(bytes));
    Py_XINCREF(code);
    error->code = code != NULL ? code : code_member(DEFAULT_CODE);
    if (error->message == NULL || error->code == NULL) {
        return -1;
    }
    long number = PyLong_AsLong(error->code);
    error->status = number >= 0 && number < N_ERROR_CODES ? codes[number].status : HC_UNKNOWN;
    return 0;
}

static PyObject *error_message(PyObject *self, PyObject *ignored) {
    (void)ignored;
    return hc_py_member(hc_error_of(self)->message);
}

static PyObject *error_code(PyObject *self, PyObject *ignored) {
    (void)ignored;
    return hc_py_member(hc_error_of(self)->code);
}

static PyMethodDef methods[] = {
    {"message", error_message, METH_NOARGS, "message($self)\n--\n\nThe text that the client gets."},
    {"code", error_code, METH_NOARGS, "code($self)\n--\n\nOne of TritonError.UNKNOWN, INTERNAL, …"},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "TritonError(message, code=TritonError.INTERNAL)\n--\n\nThe reason why a request "
                "is answered without outputs."},
    {Py_tp_init, error_init},
    {Py_tp_dealloc, error_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "c_python_backend_utils.TritonError",
    .basicsize = sizeof(struct hc_error_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};

PyObject *hc_py_error_new(enum hc_code code, struct hc_text message) {
    long number = N_ERROR_CODES - 1;
    while (number > 0 && codes[number].status != code) {
        number--;
    }
    if (codes[number].status != code) {
        number = DEFAULT_CODE;
    }
    hc_auto(py) text = hc_py_str(message);
    hc_auto(py) member = text == NULL ? NULL : code_member(number);
    return member == NULL ? NULL
                          : PyObject_CallFunctionObjArgs(hc_py.error_type, text, member, NULL);
}

/* The enum of codes: IntEnum("__TritonErrorCode", {"UNKNOWN": 0, …}). New reference. */
static PyObject *make_codes(void) {
    hc_auto(py) members = PyDict_New();
    for (long i = 0; members != NULL && i < N_ERROR_CODES; i++) {
        hc_auto(py) number = PyLong_FromLong(i);
        if (number == NULL || PyDict_SetItemString(members, codes[i].name, number) != 0) {
            return NULL;
        }
    }
    hc_auto(py) module = PyImport_ImportModule("enum");
    hc_auto(py) type = module == NULL ? NULL : PyObject_GetAttrString(module, "IntEnum");
    return type == NULL || members == NULL
               ? NULL
               : PyObject_CallFunction(type, "sO", "__TritonErrorCode", members);
}

static bool add_codes_to_type(void) {
    for (long i = 0; i < N_ERROR_CODES; i++) {
        hc_auto(py) member = code_member(i);
        if (member == NULL ||
            PyObject_SetAttrString(hc_py.error_type, codes[i].name, member) != 0) {
            return false;
        }
    }
    return true;
}

bool hc_py_add_error(PyObject *module) {
    hc_py.model_exception = PyErr_NewExceptionWithDoc(
        "c_python_backend_utils.TritonModelException",
        "Raised by this module, and by models for errors of their own.", PyExc_Exception, NULL);
    hc_py.error_codes = make_codes();
    if (hc_py.model_exception == NULL || hc_py.error_codes == NULL) {
        return false;
    }
    Py_INCREF(hc_py.model_exception);
    return PyModule_AddObject(module, "TritonModelException", hc_py.model_exception) == 0 &&
           hc_py_add_type(module, "TritonError", &spec, &hc_py.error_type) && add_codes_to_type();
}
