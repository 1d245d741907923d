/* The trace of a request: what a model passes on with the requests that it makes. */
#include "trace.h"

static PyObject *trace_type;

bool hc_py_is_trace(PyObject *object) {
    return PyObject_TypeCheck(object, (PyTypeObject *)trace_type);
}

PyObject *hc_py_trace_new(void) {
    return hc_py_new_object(trace_type);
}

/* None, for a request that is not traced. */
static PyObject *trace_get_context(PyObject *self, PyObject *ignored) {
    (void)self;
    (void)ignored;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"get_context", trace_get_context, METH_NOARGS,
     "get_context($self)\n--\n\nThe headers of OpenTelemetry as the text of a JSON object, None "
     "when the request is not traced."},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The trace of a request; from InferenceRequest.trace()."},
    {Py_tp_new, hc_py_refuse_to_make},
    {Py_tp_dealloc, hc_py_free_object},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "c_python_backend_utils.InferenceTrace",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

bool hc_py_add_trace(PyObject *module) {
    return hc_py_add_type(module, "InferenceTrace", &spec, &trace_type);
}
