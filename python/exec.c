/* pb_utils.InferenceRequest.exec() and async_exec(). */
#include "exec.h"

#include "response_iterator.h"

static bool parse_decoupled(PyObject *args, PyObject *keywords, const char *function,
                            bool *decoupled) {
    static char *names[] = {"decoupled", NULL};
    PyObject *object = Py_False;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O", names, &object) ||
        !PyBool_Check(object)) {
        PyErr_Clear();
        hc_py_bad_arguments(function, "(self: c_python_backend_utils.InferenceRequest, decoupled: "
                                      "bool = False)");
        return false;
    }
    *decoupled = object == Py_True;
    return true;
}

/* The one response: new reference. */
static PyObject *only_response(PyObject *iterator) {
    PyObject *response = hc_py_response_iterator_next(iterator);
    if (response == NULL && PyErr_Occurred() == NULL) {
        return hc_py_raise("Unexpected empty response.");
    }
    return response;
}

/* What the caller gets when the first response is there: new reference. */
static PyObject *take_result(PyObject *iterator, bool decoupled) {
    if (!decoupled) {
        return only_response(iterator);
    }
    if (!hc_py_response_iterator_fetch(iterator)) {
        return NULL;
    }
    Py_INCREF(iterator);
    return iterator;
}

PyObject *hc_py_exec(PyObject *request, PyObject *args, PyObject *keywords) {
    bool decoupled;
    if (!parse_decoupled(args, keywords, "exec", &decoupled)) {
        return NULL;
    }
    struct hc_call *call = hc_py.services->call_begin(request, decoupled, true);
    hc_auto(py) iterator = call == NULL ? NULL : hc_py_response_iterator_new(call);
    return iterator == NULL ? NULL : take_result(iterator, decoupled);
}

/* End FUTURE with the pending exception. New reference to what that returns. */
static PyObject *fail_future(PyObject *future) {
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *result = PyObject_CallMethod(future, "set_exception", "O", value);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return result;
}

/* SELF is (future, iterator, decoupled). */
static PyObject *complete_future(PyObject *self, PyObject *ignored) {
    (void)ignored;
    PyObject *future = PyTuple_GetItem(self, 0);
    hc_auto(py) done = PyObject_CallMethod(future, "done", NULL);
    if (done == NULL || done == Py_True) { /* cancelled: nobody waits any more */
        return hc_take(done);
    }
    hc_auto(py) result = take_result(PyTuple_GetItem(self, 1), PyTuple_GetItem(self, 2) == Py_True);
    return result == NULL ? fail_future(future)
                          : PyObject_CallMethod(future, "set_result", "O", result);
}

/* Have LOOP complete FUTURE when the first response is there. */
static bool await_call(struct hc_call *call, bool decoupled, PyObject *loop, PyObject *future) {
    static PyMethodDef definition = {"complete", complete_future, METH_NOARGS, NULL};
    hc_auto(py) iterator = hc_py_response_iterator_new(call);
    hc_auto(py) context =
        iterator == NULL ? NULL : PyTuple_Pack(3, future, iterator, decoupled ? Py_True : Py_False);
    hc_auto(py) callback = context == NULL ? NULL : PyCFunction_New(&definition, context);
    return callback != NULL && hc_py.services->call_watch(call, loop, callback);
}

PyObject *hc_py_async_exec(PyObject *request, PyObject *args, PyObject *keywords) {
    bool decoupled;
    if (!parse_decoupled(args, keywords, "async_exec", &decoupled)) {
        return NULL;
    }
    hc_auto(py) asyncio = PyImport_ImportModule("asyncio");
    hc_auto(py) loop =
        asyncio == NULL ? NULL : PyObject_CallMethod(asyncio, "get_running_loop", NULL);
    hc_auto(py) future = loop == NULL ? NULL : PyObject_CallMethod(loop, "create_future", NULL);
    struct hc_call *call =
        future == NULL ? NULL : hc_py.services->call_begin(request, decoupled, false);
    if (call == NULL || !await_call(call, decoupled, loop, future)) {
        return NULL;
    }
    return hc_take(future);
}
