/* pb_utils.InferenceRequest. */
#include "request.h"

#include "client_memory.h"
#include "exec.h"
#include "gpu_region.h"
#include "memory.h"
#include "parameters.h"
#include "sender.h"
#include "tensor.h"
#include "trace.h"

static const char signature[] =
    "InferenceRequest(request_id: str = '', correlation_id: int | str = 0, inputs: list[Tensor], "
    "requested_output_names: list[str], model_name: str, model_version: int = -1, flags: int = 0, "
    "timeout: int = 0, preferred_memory: PreferredMemory, trace: InferenceTrace, parameters: dict "
    "= None)";

static void request_dealloc(PyObject *self) {
    struct hc_request_object *request = hc_request_of(self);
    Py_XDECREF(request->inputs);
    Py_XDECREF(request->id);
    Py_XDECREF(request->correlation_id);
    Py_XDECREF(request->parameters);
    Py_XDECREF(request->requested);
    Py_XDECREF(request->model_name);
    Py_XDECREF(request->sender);
    hc_py_free_object(self);
}

static struct hc_text span_text(const struct hc_message_request *message, struct hc_span span) {
    return (struct hc_text){(const char *)message + span.offset, span.size};
}

/* Have SOURCE lie on the heap. What keeps it there: new reference. */
static PyObject *move_to_heap(struct hc_py_tensor_source *source) {
    PyObject *owner = PyByteArray_FromStringAndSize(source->data, (Py_ssize_t)source->size);
    if (owner != NULL) {
        source->data = PyByteArray_AsString(owner);
    }
    return owner;
}

/* Whether it is where the client has left it. */
static bool is_clients(const struct hc_message_tensor *input) {
    return input->data.arena == HC_ARENA_CLIENT || input->data.arena == HC_ARENA_GPU;
}

/* Have SOURCE lie in the client's memory. What keeps it there: new reference. */
static PyObject *find_clients_memory(const struct hc_request_object *request,
                                     const struct hc_place *place,
                                     struct hc_py_tensor_source *source) {
    return place->arena == HC_ARENA_GPU
               ? hc_py_gpu_region_input(request->message, place, source)
               : hc_py_client_memory(request->message, place, &source->data);
}

/* New reference. */
static PyObject *decode_input(const struct hc_request_object *request,
                              const struct hc_message_tensor *input) {
    struct hc_py_tensor_source source = {
        .name = span_text(request->message, input->name),
        .dtype = (enum hc_dtype)input->dtype,
        .dims =
            (const int64_t *)(const void *)((const char *)request->message + input->dims_offset),
        .n_dims = input->n_dims,
        .data = request->memory + input->data.offset,
        .size = input->data.size,
    };
    const struct hc_sender_object *sender = hc_sender_of(request->sender);
    if (!is_clients(input) && !sender->copies_inputs) {
        return hc_py_tensor_from_memory(&source, sender->owner);
    }
    hc_auto(py) owner = is_clients(input) ? find_clients_memory(request, &input->data, &source)
                                          : move_to_heap(&source);
    return owner == NULL ? NULL : hc_py_tensor_from_memory(&source, owner);
}

static const struct hc_message_tensor *inputs_of(const struct hc_message_request *message) {
    return (const void *)((const char *)message + message->inputs_offset);
}

/* New reference. */
static PyObject *decode_inputs(const struct hc_request_object *request) {
    const struct hc_message_request *message = request->message;
    const struct hc_message_tensor *inputs = inputs_of(message);
    hc_auto(py) list = PyList_New((Py_ssize_t)message->n_inputs);
    for (uint32_t i = 0; list != NULL && i < message->n_inputs; i++) {
        PyObject *tensor = decode_input(request, &inputs[i]);
        if (tensor == NULL || PyList_SetItem(list, (Py_ssize_t)i, tensor) != 0) {
            return NULL;
        }
    }
    return hc_take(list);
}

PyObject *hc_py_request_inputs(struct hc_request_object *request) {
    if (request->inputs == NULL && request->message != NULL) {
        request->inputs = decode_inputs(request);
    }
    return request->inputs;
}

static bool views_client(const struct hc_message_request *message) {
    for (uint32_t i = 0; i < message->n_inputs; i++) {
        if (is_clients(&inputs_of(message)[i])) {
            return true;
        }
    }
    return false;
}

PyObject *hc_py_request_from_message(PyObject *sender, char *memory) {
    hc_auto(py) object = hc_py_new_object(hc_py.request_type);
    if (object == NULL) {
        return NULL;
    }
    struct hc_request_object *request = hc_request_of(object);
    struct hc_message_request *message = hc_sender_of(sender)->message;
    request->message = message;
    request->memory = memory;
    Py_INCREF(sender);
    request->sender = sender;
    request->model_version = -1;
    request->timeout_us = message->timeout_us;
    request->flags = message->flags;
    /* A client's memory is there to be mapped or opened until the request is answered. */
    if (views_client(message) && hc_py_request_inputs(request) == NULL) {
        return NULL;
    }
    return hc_take(object);
}

/* New reference. */
static PyObject *decode_correlation_id(const struct hc_message_request *message) {
    if (message->correlation_kind == HC_CORRELATION_STRING) {
        return hc_py_str(span_text(message, message->correlation_string));
    }
    return PyLong_FromUnsignedLongLong(message->correlation_number);
}

/* New reference. */
static PyObject *decode_requested(const struct hc_message_request *message) {
    const struct hc_span *names = (const void *)((const char *)message + message->outputs_offset);
    hc_auto(py) list = PyList_New((Py_ssize_t)message->n_outputs);
    for (uint32_t i = 0; list != NULL && i < message->n_outputs; i++) {
        PyObject *name = hc_py_str(span_text(message, names[i]));
        if (name == NULL || PyList_SetItem(list, (Py_ssize_t)i, name) != 0) {
            return NULL;
        }
    }
    return hc_take(list);
}

static PyObject *request_inputs(PyObject *self, PyObject *ignored) {
    (void)ignored;
    hc_auto(py) inputs = hc_py_member(hc_py_request_inputs(hc_request_of(self)));
    return inputs == NULL ? NULL : PySequence_List(inputs);
}

static PyObject *request_request_id(PyObject *self, PyObject *ignored) {
    (void)ignored;
    struct hc_request_object *request = hc_request_of(self);
    if (request->id == NULL && request->message != NULL) {
        request->id = hc_py_str(span_text(request->message, request->message->id));
    }
    return hc_py_member(request->id);
}

static PyObject *request_correlation_id(PyObject *self, PyObject *ignored) {
    (void)ignored;
    struct hc_request_object *request = hc_request_of(self);
    if (request->correlation_id == NULL && request->message != NULL) {
        request->correlation_id = decode_correlation_id(request->message);
    }
    return hc_py_member(request->correlation_id);
}

static PyObject *request_parameters(PyObject *self, PyObject *ignored) {
    (void)ignored;
    struct hc_request_object *request = hc_request_of(self);
    if (request->parameters == NULL && request->message != NULL) {
        struct hc_text text = span_text(request->message, request->message->parameters);
        request->parameters = hc_py_str(text.size > 0 ? text : HC_TEXT("{}"));
    }
    return hc_py_member(request->parameters);
}

static PyObject *request_requested_output_names(PyObject *self, PyObject *ignored) {
    (void)ignored;
    struct hc_request_object *request = hc_request_of(self);
    if (request->requested == NULL && request->message != NULL) {
        request->requested = decode_requested(request->message);
    }
    hc_auto(py) names = hc_py_member(request->requested);
    return names == NULL ? NULL : PySet_New(names);
}

static PyObject *request_flags(PyObject *self, PyObject *ignored) {
    (void)ignored;
    return PyLong_FromUnsignedLong(hc_request_of(self)->flags);
}

static PyObject *request_set_flags(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"flags", NULL};
    PyObject *object;
    unsigned long long flags;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O", names, &object) ||
        !hc_py_unsigned(object, UINT32_MAX, &flags)) {
        PyErr_Clear();
        return hc_py_bad_arguments("set_flags", "set_flags(flags: int)");
    }
    hc_request_of(self)->flags = (uint32_t)flags;
    Py_RETURN_NONE;
}

static PyObject *request_timeout(PyObject *self, PyObject *ignored) {
    (void)ignored;
    return PyLong_FromUnsignedLongLong(hc_request_of(self)->timeout_us);
}

static PyObject *request_trace(PyObject *self, PyObject *ignored) {
    (void)self;
    (void)ignored;
    return hc_py_trace_new();
}

static PyObject *request_is_cancelled(PyObject *self, PyObject *ignored) {
    (void)ignored;
    struct hc_message_request *message = hc_request_of(self)->message;
    return PyBool_FromLong(message != NULL &&
                           atomic_load_explicit(&message->cancelled, memory_order_relaxed) != 0);
}

/* Made in Python, a request has a sender that can only say so. */
static PyObject *request_get_response_sender(PyObject *self, PyObject *ignored) {
    (void)ignored;
    struct hc_request_object *request = hc_request_of(self);
    if (request->sender == NULL) {
        request->sender = hc_py_sender_new(NULL, Py_None, false);
    }
    return hc_py_member(request->sender);
}

enum { RELEASE_ALL = 1, RELEASE_RESCHEDULE = 2 };

static PyObject *request_set_release_flags(PyObject *self, PyObject *args) {
    PyObject *object;
    unsigned long long flags;
    if (!PyArg_ParseTuple(args, "O", &object) || !hc_py_unsigned(object, UINT32_MAX, &flags)) {
        PyErr_Clear();
        return hc_py_bad_arguments("set_release_flags", "set_release_flags(flags: int)");
    }
    struct hc_request_object *request = hc_request_of(self);
    if (request->message == NULL) {
        return hc_py_raise("Unable to set release flags. The request was not received by this "
                           "model.");
    }
    if (flags != RELEASE_ALL && flags != RELEASE_RESCHEDULE) {
        return hc_py_raise("Unable to set release flags. Unsupported flag provided.");
    }
    hc_sender_of(request->sender)->rescheduled = flags == RELEASE_RESCHEDULE;
    Py_RETURN_NONE;
}

/* A list of our own of the tensors in SEQUENCE. New reference. */
static PyObject *own_inputs(PyObject *sequence, const char *id, const char *model) {
    if (!PySequence_Check(sequence) || PyUnicode_Check(sequence) || PyBytes_Check(sequence)) {
        return hc_py_bad_arguments("__init__", signature);
    }
    hc_auto(py) list = PySequence_List(sequence);
    Py_ssize_t n = list == NULL ? 0 : PyList_Size(list);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *tensor = PyList_GetItem(list, i);
        if (tensor == Py_None) {
            return hc_py_raise("Input tensor for request with id '%s' and model name '%s' should "
                               "not be empty.",
                               id, model);
        }
        if (!hc_py_is_tensor(tensor)) {
            return hc_py_bad_arguments("__init__", signature);
        }
    }
    return hc_take(list);
}

/* A list of str of the names in SEQUENCE. New reference. */
static PyObject *own_names(PyObject *sequence, const char *id, const char *model) {
    if (!PySequence_Check(sequence) || PyUnicode_Check(sequence) || PyBytes_Check(sequence)) {
        return hc_py_bad_arguments("__init__", signature);
    }
    hc_auto(py) list = PySequence_List(sequence);
    Py_ssize_t n = list == NULL ? 0 : PyList_Size(list);
    for (Py_ssize_t i = 0; i < n; i++) {
        hc_auto(py) bytes = hc_py_utf8(PyList_GetItem(list, i), "__init__");
        if (bytes == NULL) {
            return NULL;
        }
        if (PyBytes_Size(bytes) == 0) {
            return hc_py_raise("Requested output name for request with id '%s' and model name "
                               "'%s' should not be empty.",
                               id, model);
        }
        PyObject *name = hc_py_str(hc_py_bytes_text(bytes));
        if (name == NULL || PyList_SetItem(list, i, name) != 0) {
            return NULL;
        }
    }
    return hc_take(list);
}

/* New reference to the int or str. */
static PyObject *own_correlation_id(PyObject *value) {
    if (value == NULL) {
        return PyLong_FromLong(0);
    }
    if (PyUnicode_Check(value)) {
        Py_INCREF(value);
        return value;
    }
    if (!PyLong_Check(value)) {
        return hc_py_raise("Correlation ID must be integer or string");
    }
    unsigned long long number = PyLong_AsUnsignedLongLong(value);
    if (PyErr_Occurred()) {
        PyErr_SetString(PyExc_RuntimeError, "Correlation ID must be between 0 and 2^64 - 1");
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(number);
}

struct request_args {
    PyObject *id;
    PyObject *correlation_id;
    PyObject *inputs;
    PyObject *requested;
    PyObject *model_name;
    long long model_version;
    unsigned long long flags;
    unsigned long long timeout_us;
    PyObject *preferred_memory;
    PyObject *trace;
    PyObject *parameters;
};

/* What is not given stays as it is. */
static bool parse_numbers(PyObject *flags, PyObject *timeout_us, struct request_args *parsed) {
    return (flags == NULL || hc_py_unsigned(flags, UINT32_MAX, &parsed->flags)) &&
           (timeout_us == NULL || hc_py_unsigned(timeout_us, UINT64_MAX, &parsed->timeout_us));
}

static bool check_types(const struct request_args *parsed) {
    return parsed->inputs != NULL && parsed->requested != NULL && parsed->model_name != NULL &&
           parsed->correlation_id != Py_None &&
           (parsed->preferred_memory == NULL ||
            hc_py_is_preferred_memory(parsed->preferred_memory)) &&
           (parsed->trace == NULL || hc_py_is_trace(parsed->trace));
}

static bool parse_args(PyObject *args, PyObject *keywords, struct request_args *parsed) {
    static char *names[] = {
        "request_id",       "correlation_id", "inputs",     "requested_output_names",
        "model_name",       "model_version",  "flags",      "timeout",
        "preferred_memory", "trace",          "parameters", NULL};
    PyObject *flags = NULL;
    PyObject *timeout_us = NULL;
    *parsed = (struct request_args){.model_version = -1, .parameters = Py_None};
    if (PyArg_ParseTupleAndKeywords(
            args, keywords, "|OOOOOLOOOOO", names, &parsed->id, &parsed->correlation_id,
            &parsed->inputs, &parsed->requested, &parsed->model_name, &parsed->model_version,
            &flags, &timeout_us, &parsed->preferred_memory, &parsed->trace, &parsed->parameters) &&
        parse_numbers(flags, timeout_us, parsed) && check_types(parsed)) {
        return true;
    }
    PyErr_Clear();
    hc_py_bad_arguments("__init__", signature);
    return false;
}

static int request_init(PyObject *self, PyObject *args, PyObject *keywords) {
    struct request_args parsed;
    if (!parse_args(args, keywords, &parsed)) {
        return -1;
    }
    hc_auto(py) id = parsed.id == NULL ? PyBytes_FromString("") : hc_py_utf8(parsed.id, "__init__");
    hc_auto(py) model = id == NULL ? NULL : hc_py_utf8(parsed.model_name, "__init__");
    if (model == NULL) {
        return -1;
    }
    const char *id_text = PyBytes_AsString(id);
    const char *model_text = PyBytes_AsString(model);
    struct hc_request_object *request = hc_request_of(self);
    request->inputs = own_inputs(parsed.inputs, id_text, model_text);
    request->requested =
        request->inputs == NULL ? NULL : own_names(parsed.requested, id_text, model_text);
    request->correlation_id =
        request->requested == NULL ? NULL : own_correlation_id(parsed.correlation_id);
    request->parameters =
        request->correlation_id == NULL ? NULL : hc_py_parameters(parsed.parameters);
    request->id = hc_py_str(hc_py_bytes_text(id));
    request->model_name = hc_py_str(hc_py_bytes_text(model));
    request->model_version = parsed.model_version;
    request->flags = (uint32_t)parsed.flags;
    request->timeout_us = parsed.timeout_us;
    request->preferred_gpu =
        parsed.preferred_memory == NULL ? -1 : hc_py_preferred_gpu(parsed.preferred_memory);
    return request->parameters != NULL && request->id != NULL && request->model_name != NULL ? 0
                                                                                             : -1;
}

static PyMethodDef methods[] = {
    {"inputs", request_inputs, METH_NOARGS, "inputs($self)\n--\n\nThe input tensors, as a list."},
    {"request_id", request_request_id, METH_NOARGS,
     "request_id($self)\n--\n\nThe id that the client gave, '' when none."},
    {"correlation_id", request_correlation_id, METH_NOARGS,
     "correlation_id($self)\n--\n\nThe sequence's id: an int, or a str when the client used one."},
    {"parameters", request_parameters, METH_NOARGS,
     "parameters($self)\n--\n\nThe request's parameters, as the text of a JSON object."},
    {"requested_output_names", request_requested_output_names, METH_NOARGS,
     "requested_output_names($self)\n--\n\nThe names of the outputs that are wanted, as a set."},
    {"flags", request_flags, METH_NOARGS, "flags($self)\n--\n\nSequence start (1) and end (2)."},
    {"set_flags", (PyCFunction)(void (*)(void))request_set_flags, METH_VARARGS | METH_KEYWORDS,
     "set_flags($self, flags)\n--\n\nSet the sequence flags."},
    {"timeout", request_timeout, METH_NOARGS, "timeout($self)\n--\n\nThe timeout in microseconds."},
    {"get_response_sender", request_get_response_sender, METH_NOARGS,
     "get_response_sender($self)\n--\n\nWhat answers the request, also after execute has "
     "returned."},
    {"exec", (PyCFunction)(void (*)(void))hc_py_exec, METH_VARARGS | METH_KEYWORDS,
     "exec($self, decoupled=False)\n--\n\nAsk the model and wait for its InferenceResponse; with "
     "decoupled, a ResponseIterator over all of its responses."},
    {"async_exec", (PyCFunction)(void (*)(void))hc_py_async_exec, METH_VARARGS | METH_KEYWORDS,
     "async_exec($self, decoupled=False)\n--\n\nThe same for coroutines: what is to be awaited."},
    {"set_release_flags", request_set_release_flags, METH_VARARGS,
     "set_release_flags($self, flags, /)\n--\n\nTRITONSERVER_REQUEST_RELEASE_RESCHEDULE has the "
     "request "
     "delivered again later instead of being answered."},
    {"trace", request_trace, METH_NOARGS,
     "trace($self)\n--\n\nThe request's trace, for the requests that are made on its behalf."},
    {"is_cancelled", request_is_cancelled, METH_NOARGS,
     "is_cancelled($self)\n--\n\nWhether nobody waits for the answer any more."},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc,
     "InferenceRequest(request_id='', correlation_id=0, *, inputs, "
     "requested_output_names, model_name, model_version=-1, flags=0, timeout=0, "
     "preferred_memory=..., trace=..., parameters=None)\n--\n\nA request, from a client or "
     "to another model."},
    {Py_tp_init, request_init},
    {Py_tp_dealloc, request_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "c_python_backend_utils.InferenceRequest",
    .basicsize = sizeof(struct hc_request_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};

bool hc_py_add_request(PyObject *module) {
    return hc_py_add_type(module, "InferenceRequest", &spec, &hc_py.request_type);
}
