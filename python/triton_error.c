/* pb_utils.TritonError and TritonModelException. */
#include "triton_error.h"

/* Triton's own codes, which TritonError shows, and what they are here. */
static const char *const code_names[] = {
    "UNKNOWN",     "INTERNAL",    "NOT_FOUND",      "INVALID_ARG",
    "UNAVAILABLE", "UNSUPPORTED", "ALREADY_EXISTS", "CANCELLED",
};
static const enum hc_code statuses[] = {
    HC_UNKNOWN,     HC_INTERNAL,      HC_NOT_FOUND,      HC_INVALID_ARGUMENT,
    HC_UNAVAILABLE, HC_UNIMPLEMENTED, HC_ALREADY_EXISTS, HC_CANCELLED,
};

enum { N_ERROR_CODES = sizeof statuses / sizeof statuses[0], DEFAULT_CODE = 1 };

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
    error->status = number >= 0 && number < N_ERROR_CODES ? statuses[number] : HC_UNKNOWN;
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
    while (number > 0 && statuses[number] != code) {
        number--;
    }
    if (statuses[number] != code) {
        number = DEFAULT_CODE;
    }
    hc_auto(py) text = hc_py_str(message);
    hc_auto(py) member = text == NULL ? NULL : code_member(number);
    return member == NULL ? NULL
                          : PyObject_CallFunctionObjArgs(hc_py.error_type, text, member, NULL);
}

bool hc_py_add_error(PyObject *module) {
    hc_py.model_exception = PyErr_NewExceptionWithDoc(
        "c_python_backend_utils.TritonModelException",
        "Raised by this module, and by models for errors of their own.", PyExc_Exception, NULL);
    hc_py.error_codes = hc_py_make_enum("__ErrorCode", code_names, N_ERROR_CODES);
    if (hc_py.model_exception == NULL || hc_py.error_codes == NULL) {
        return false;
    }
    return hc_py_add_object(module, "TritonModelException", hc_py.model_exception) &&
           hc_py_add_type(module, "TritonError", &spec, &hc_py.error_type) &&
           hc_py_copy_members(hc_py.error_codes, code_names, N_ERROR_CODES, hc_py.error_type);
}
