/* pb_utils.InferenceResponseSender. */
#include "sender.h"

#include "response.h"

static void sender_dealloc(PyObject *self) {
    struct hc_sender_object *sender = hc_sender_of(self);
    if (sender->message != NULL && !sender->closed) {
        hc_py.services->abandon(sender->message);
    }
    Py_XDECREF(sender->owner);
    hc_py_free_object(self);
}

PyObject *hc_py_sender_new(struct hc_message_request *message, PyObject *owner, bool decoupled) {
    PyObject *object = hc_py_new_object(hc_py.sender_type);
    if (object == NULL) {
        return NULL;
    }
    struct hc_sender_object *sender = hc_sender_of(object);
    sender->message = message;
    sender->decoupled = decoupled;
    Py_INCREF(owner);
    sender->owner = owner;
    return object;
}

/* Triton's rules for what may be sent when, in its words. */
static bool check(const struct hc_sender_object *sender, PyObject *response) {
    const char *problem = NULL;
    if (sender->closed) {
        problem = "Unable to send response. Response sender has been closed.";
    } else if (!sender->decoupled && response != NULL && sender->n_sent > 0) {
        problem = "Unable to send response. Non-decoupled model cannot send more than one "
                  "response.";
    } else if (!sender->decoupled && response == NULL && sender->n_sent == 0) {
        problem = "Unable to send response. Non-decoupled model cannot send complete final before "
                  "sending a response.";
    }
    if (problem != NULL) {
        hc_py_raise("%s", problem);
    }
    return problem == NULL;
}

bool hc_py_sender_send(struct hc_sender_object *sender, PyObject *response, bool final,
                       bool owned) {
    if (!check(sender, response) ||
        !hc_py.services->send(sender->message, response, final, owned)) {
        return false;
    }
    sender->n_sent++;
    sender->closed = final;
    return true;
}

static PyObject *sender_send(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"response", "flags", NULL};
    PyObject *response = Py_None;
    PyObject *flags_object = NULL;
    unsigned long long flags = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|OO", names, &response, &flags_object) ||
        (flags_object != NULL && !hc_py_unsigned(flags_object, UINT32_MAX, &flags)) ||
        (response != Py_None && !hc_py_is_response(response))) {
        PyErr_Clear();
        return hc_py_bad_arguments("send",
                                   "send(response: InferenceResponse = None, flags: int = 0)");
    }
    if (flags > 1) {
        return hc_py_raise("Unable to send response. Unsupported flag provided.");
    }
    if (flags == 0 && response == Py_None) {
        return hc_py_raise("Inference Response object must be provided when the response flags is "
                           "set to zero.");
    }
    struct hc_sender_object *sender = hc_sender_of(self);
    if (sender->message == NULL) {
        return hc_py_raise("Unable to send response. Response sender has no reference to the "
                           "decoupled state of the model.");
    }
    /* One reference: that of the arguments, so the caller has not kept the response. */
    bool owned = Py_REFCNT(response) == 1;
    if (!hc_py_sender_send(sender, response == Py_None ? NULL : response, flags == 1, owned)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *sender_is_cancelled(PyObject *self, PyObject *ignored) {
    (void)ignored;
    struct hc_message_request *message = hc_sender_of(self)->message;
    return PyBool_FromLong(message != NULL &&
                           atomic_load_explicit(&message->cancelled, memory_order_relaxed) != 0);
}

static PyMethodDef methods[] = {
    {"send", (PyCFunction)(void (*)(void))sender_send, METH_VARARGS | METH_KEYWORDS,
     "send($self, response=None, flags=0)\n--\n\nSend a response, the last one when flags is "
     "TRITONSERVER_RESPONSE_COMPLETE_FINAL, which may also be sent alone. From any thread."},
    {"is_cancelled", sender_is_cancelled, METH_NOARGS,
     "is_cancelled($self)\n--\n\nWhether nobody waits for the answer any more."},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Answers a request; from InferenceRequest.get_response_sender()."},
    {Py_tp_dealloc, sender_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "c_python_backend_utils.InferenceResponseSender",
    .basicsize = sizeof(struct hc_sender_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

bool hc_py_add_sender(PyObject *module) {
    return hc_py_add_type(module, "InferenceResponseSender", &spec, &hc_py.sender_type);
}
