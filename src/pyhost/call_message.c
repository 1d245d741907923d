/* The messages of calls. */
#include "call_message.h"

#include "gpu.h"
#include "pack.h"
#include "pin.h"
#include "request.h"
#include "response.h"
#include "tensor.h"
#include "triton_error.h"

/* ---- Requests ---- */

/* The texts of a request, as bytes objects of its own. */
struct texts {
    PyObject *model_name;
    PyObject *id;
    PyObject *correlation; /* NULL: the number counts */
    PyObject *parameters;
    PyObject *outputs; /* list */
};

static void texts_finish(struct texts *texts) {
    Py_XDECREF(texts->model_name);
    Py_XDECREF(texts->id);
    Py_XDECREF(texts->correlation);
    Py_XDECREF(texts->parameters);
    Py_XDECREF(texts->outputs);
}

/* What METHOD of the request returns, as UTF-8: new reference to a bytes object. */
static PyObject *text_of(PyObject *request, const char *method) {
    hc_auto(py) text = PyObject_CallMethod(request, method, NULL);
    return text == NULL ? NULL : PyUnicode_AsUTF8String(text);
}

/* New reference to a list of bytes objects. */
static PyObject *encode_names(PyObject *names) {
    hc_auto(py) list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < PyList_Size(names); i++) {
        hc_auto(py) bytes = PyUnicode_AsUTF8String(PyList_GetItem(names, i));
        if (bytes == NULL || PyList_Append(list, bytes) != 0) {
            return NULL;
        }
    }
    return hc_take(list);
}

static bool read_correlation(PyObject *request, struct texts *texts, uint64_t *number) {
    hc_auto(py) id = PyObject_CallMethod(request, "correlation_id", NULL);
    if (id == NULL) {
        return false;
    }
    if (PyUnicode_Check(id)) {
        texts->correlation = PyUnicode_AsUTF8String(id);
        return texts->correlation != NULL;
    }
    *number = PyLong_AsUnsignedLongLong(id);
    return PyErr_Occurred() == NULL;
}

static bool read_texts(PyObject *object, struct texts *texts, uint64_t *correlation_number) {
    const struct hc_request_object *request = hc_request_of(object);
    if (request->model_name == NULL || request->requested == NULL) {
        hc_py_raise("A request that came from the server cannot be executed again: make an "
                    "InferenceRequest.");
        return false;
    }
    texts->model_name = PyUnicode_AsUTF8String(request->model_name);
    texts->outputs = encode_names(request->requested);
    texts->id = text_of(object, "request_id");
    texts->parameters = text_of(object, "parameters");
    return texts->model_name != NULL && texts->outputs != NULL && texts->id != NULL &&
           texts->parameters != NULL && read_correlation(object, texts, correlation_number);
}

/* The parameters as the message has them: nothing for none. */
static struct hc_text parameters_of(const struct texts *texts) {
    struct hc_text text = hc_py_bytes_text(texts->parameters);
    return hc_text_is(text, "{}") ? HC_TEXT("") : text;
}

static struct hc_text correlation_of(const struct texts *texts) {
    return texts->correlation == NULL ? HC_TEXT("") : hc_py_bytes_text(texts->correlation);
}

static bool add_inputs(struct hc_pack *pack, PyObject *inputs, bool in_place) {
    for (Py_ssize_t i = 0; i < PyList_Size(inputs); i++) {
        PyObject *tensor = PyList_GetItem(inputs, i);
        hc_auto(py) name = hc_py_member(hc_tensor_of(tensor)->name);
        hc_auto(py) bytes = name == NULL ? NULL : PyUnicode_AsUTF8String(name);
        if (bytes == NULL ||
            !hc_pack_add_tensor(pack, tensor, bytes, in_place ? HC_PACK_IN_PLACE : HC_PACK_COPY)) {
            return false;
        }
    }
    return true;
}

static void add_texts(struct hc_pack *pack, const struct texts *texts) {
    size_t n_outputs = (size_t)PyList_Size(texts->outputs);
    hc_pack_add_array(pack, n_outputs, sizeof(struct hc_span));
    hc_pack_add_text(pack, hc_py_bytes_text(texts->model_name));
    hc_pack_add_text(pack, hc_py_bytes_text(texts->id));
    hc_pack_add_text(pack, correlation_of(texts));
    hc_pack_add_text(pack, parameters_of(texts));
    for (size_t i = 0; i < n_outputs; i++) {
        hc_pack_add_text(pack, hc_py_bytes_text(PyList_GetItem(texts->outputs, (Py_ssize_t)i)));
    }
}

static void write_texts(struct hc_pack *pack, const struct texts *texts,
                        struct hc_message_call *message) {
    struct hc_span *outputs = (void *)(pack->base + pack->offset);
    message->n_outputs = (uint32_t)PyList_Size(texts->outputs);
    message->outputs_offset = (uint32_t)pack->offset;
    pack->offset += message->n_outputs * sizeof *outputs;
    message->model_name = hc_pack_text(pack, hc_py_bytes_text(texts->model_name));
    message->id = hc_pack_text(pack, hc_py_bytes_text(texts->id));
    message->correlation_string = hc_pack_text(pack, correlation_of(texts));
    message->parameters = hc_pack_text(pack, parameters_of(texts));
    for (uint32_t i = 0; i < message->n_outputs; i++) {
        outputs[i] =
            hc_pack_text(pack, hc_py_bytes_text(PyList_GetItem(texts->outputs, (Py_ssize_t)i)));
    }
}

static bool write_call(struct hc_pack *pack, const struct hc_request_object *request,
                       const struct texts *texts, uint64_t correlation_number,
                       const struct hc_call_terms *terms) {
    uint32_t inputs_offset;
    add_texts(pack, texts);
    if (!hc_pack_begin(pack, sizeof(struct hc_message_call), &inputs_offset)) {
        return false;
    }
    struct hc_message_call *message = (void *)pack->base;
    *message = (struct hc_message_call){
        .size = (uint32_t)pack->head_size,
        .n_inputs = (uint32_t)pack->n_items,
        .inputs_offset = inputs_offset,
        .flags = request->flags,
        .execution = terms->execution,
        .model_version = request->model_version,
        .correlation_number = correlation_number,
        .timeout_us = request->timeout_us,
        .decoupled = terms->decoupled,
    };
    write_texts(pack, texts, message);
    return hc_pack_end(pack, inputs_offset);
}

bool hc_call_message_write(PyObject *request, const struct hc_call_terms *terms,
                           struct hc_entry *entry) {

    struct texts texts = {0};
    struct hc_pack pack = {0};
    uint64_t correlation_number = 0;
    PyObject *inputs = hc_py_request_inputs(hc_request_of(request));
    bool written = inputs != NULL && read_texts(request, &texts, &correlation_number);
    if (written) {
        hc_pack_init(&pack, sizeof(struct hc_message_call), (size_t)PyList_Size(inputs));
        written = add_inputs(&pack, inputs, terms->in_place) &&
                  write_call(&pack, hc_request_of(request), &texts, correlation_number, terms);
        hc_pack_finish(&pack);
    }
    texts_finish(&texts);
    if (written) {
        entry->arena = HC_ARENA_RESPONSE;
        entry->offset = pack.block->offset;
        entry->size = pack.head_size;
        entry->block = pack.block->index;
        entry->generation = pack.block->generation;
    }
    return written;
}

/* ---- Responses ---- */

static struct hc_text span_text(const struct hc_message_response *message, struct hc_span span) {
    return (struct hc_text){(const char *)message + span.offset, span.size};
}

/* Have SOURCE lie in the memory of the GPU, if it can: it is a wish. What keeps it there: new
 * reference. */
static PyObject *prefer_gpu(struct hc_py_tensor_source *source, PyObject *pin, int gpu) {
    PyObject *owner = NULL;
    if (gpu >= 0 && source->size > 0 && source->dtype != HC_DTYPE_BYTES && hc_py_gpu_is_there()) {
        owner = hc_py_gpu_move(source, gpu);
        PyErr_Clear();
    }
    if (owner == NULL) {
        Py_INCREF(pin);
        owner = pin;
    }
    return owner;
}

/* New reference. */
static PyObject *read_tensor(struct hc_end *end, const struct hc_message_response *message,
                             const struct hc_message_tensor *tensor, PyObject *pin, int gpu) {
    struct hc_py_tensor_source source = {
        .name = span_text(message, tensor->name),
        .dtype = (enum hc_dtype)tensor->dtype,
        .dims = (const int64_t *)(const void *)((const char *)message + tensor->dims_offset),
        .n_dims = tensor->n_dims,
        .data = hc_end_request_memory(end, tensor->data.offset),
        .size = tensor->data.size,
    };
    hc_auto(py) owner = prefer_gpu(&source, pin, gpu);
    return hc_py_tensor_from_memory(&source, owner);
}

static const struct hc_message_tensor *outputs_of(const struct hc_message_response *message) {
    return (const void *)((const char *)message + message->outputs_offset);
}

/* New reference to a list. */
static PyObject *read_outputs(struct hc_end *end, const struct hc_message_response *message,
                              PyObject *pin, int gpu) {
    hc_auto(py) list = PyList_New((Py_ssize_t)message->n_outputs);
    for (uint32_t i = 0; list != NULL && i < message->n_outputs; i++) {
        PyObject *tensor = read_tensor(end, message, &outputs_of(message)[i], pin, gpu);
        if (tensor == NULL || PyList_SetItem(list, (Py_ssize_t)i, tensor) != 0) {
            return NULL;
        }
    }
    return hc_take(list);
}

static PyObject *read_response(struct hc_end *end, const struct hc_message_response *message,
                               PyObject *pin, int gpu) {
    if (message->code != HC_OK) {
        return hc_py_response_of_error((enum hc_code)message->code,
                                       span_text(message, message->message));
    }
    struct hc_text parameters = span_text(message, message->parameters);
    hc_auto(py) outputs = read_outputs(end, message, pin, gpu);
    return outputs == NULL
               ? NULL
               : hc_py_response_new(outputs, parameters.size > 0 ? parameters : HC_TEXT("{}"));
}

PyObject *hc_call_message_read(struct hc_end *end, uint32_t link, const struct hc_entry *entry,
                               int gpu) {
    if (entry->size == 0) {
        hc_auto(py) outputs = PyList_New(0);
        return outputs == NULL ? NULL : hc_py_response_new(outputs, HC_TEXT(""));
    }
    const struct hc_message_response *message = (void *)hc_end_request_memory(end, entry->offset);
    const struct hc_pinned what = {
        .loop = link,
        .block = entry->block,
        .generation = entry->generation,
        .n_tensors = message->n_outputs,
        .tensors = outputs_of(message),
    };
    hc_auto(py) pin = hc_pin_new(end, &what);
    return pin == NULL ? NULL : read_response(end, message, pin, gpu);
}
