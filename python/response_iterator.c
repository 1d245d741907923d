/* pb_utils.ResponseIterator. */
#include "response_iterator.h"

struct iterator {
    PyObject_HEAD struct hc_call *call;
    PyObject *received; /* list of all responses so far */
    Py_ssize_t next;    /* index of the one to hand out next */
    bool complete;      /* no more will come */
    bool over;          /* the end was reached: the next iteration is a new one */
};

static struct iterator *iterator_of(PyObject *object) {
    return (struct iterator *)object;
}

PyObject *hc_py_response_iterator_new(struct hc_call *call) {
    PyObject *object = hc_py_new_object(hc_py.response_iterator_type);
    if (object == NULL) {
        hc_py.services->call_drop(call);
        return NULL;
    }
    iterator_of(object)->call = call;
    iterator_of(object)->received = PyList_New(0);
    if (iterator_of(object)->received == NULL) {
        Py_DECREF(object);
        return NULL;
    }
    return object;
}

static void iterator_dealloc(PyObject *self) {
    struct iterator *iterator = iterator_of(self);
    if (iterator->call != NULL) {
        hc_py.services->call_drop(iterator->call);
    }
    Py_XDECREF(iterator->received);
    hc_py_free_object(self);
}

bool hc_py_response_iterator_fetch(PyObject *self) {
    struct iterator *iterator = iterator_of(self);
    if (iterator->next < PyList_Size(iterator->received) || iterator->complete) {
        return true;
    }
    hc_auto(py) response = hc_py.services->call_next(iterator->call);
    if (response == NULL) {
        iterator->complete = PyErr_Occurred() == NULL;
        return iterator->complete;
    }
    return PyList_Append(iterator->received, response) == 0;
}

PyObject *hc_py_response_iterator_next(PyObject *self) {
    struct iterator *iterator = iterator_of(self);
    if (!hc_py_response_iterator_fetch(self)) {
        return NULL;
    }
    if (iterator->next >= PyList_Size(iterator->received)) {
        iterator->over = true;
        return NULL;
    }
    PyObject *response = PyList_GetItem(iterator->received, iterator->next++); /* borrowed */
    Py_INCREF(response);
    return response;
}

/* The same, in Triton's words at the end. */
static PyObject *iterator_next(PyObject *self) {
    PyObject *response = hc_py_response_iterator_next(self);
    if (response == NULL && PyErr_Occurred() == NULL) {
        PyErr_SetString(PyExc_StopIteration, "Iteration is done for the responses.");
    }
    return response;
}

static PyObject *iterator_iter(PyObject *self) {
    struct iterator *iterator = iterator_of(self);
    if (iterator->over) {
        iterator->over = false;
        iterator->next = 0;
    }
    Py_INCREF(self);
    return self;
}

static PyObject *iterator_cancel(PyObject *self, PyObject *ignored) {
    (void)ignored;
    hc_py.services->call_cancel(iterator_of(self)->call);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"cancel", iterator_cancel, METH_NOARGS,
     "cancel($self)\n--\n\nTell the model that answers that nobody waits for more responses."},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The responses to a request that was executed with decoupled=True."},
    {Py_tp_new, hc_py_refuse_to_make},
    {Py_tp_dealloc, iterator_dealloc},
    {Py_tp_iter, iterator_iter},
    {Py_tp_iternext, iterator_next},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "c_python_backend_utils.ResponseIterator",
    .basicsize = sizeof(struct iterator),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

bool hc_py_add_response_iterator(PyObject *module) {
    return hc_py_add_type(module, "ResponseIterator", &spec, &hc_py.response_iterator_type);
}
