/* From a Python response to a message in the response arena. */
#include "reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "pin.h"
#include "response.h"
#include "shared_arrays.h"
#include "tensor.h"
#include "triton_error.h"

/* What the server reads in place, kept alive until it releases the message's block. */
struct held {
    size_t n_arrays;
    PyObject *arrays[];
};

/* One output on its way. */
struct output {
    const struct hc_tensor_object *tensor;
    PyObject *name;        /* bytes, owned */
    bool in_place;         /* else: copied behind the message */
    struct hc_place place; /* when in place */
    size_t data_offset;    /* when copied: from where the data begins */
};

struct builder {
    const struct hc_message_request *request;
    struct output *outputs;
    size_t n_outputs;
    size_t head_size; /* of the message itself */
    size_t data_size; /* of what is copied behind it */
};

static struct hc_end *end;
static _Thread_local uint64_t execution_start_ns;
static _Thread_local uint64_t execution_end_ns;

static bool is_requested(const struct hc_message_request *request, struct hc_text name) {
    const char *base = (const char *)request;
    const struct hc_span *names = (const void *)(base + request->outputs_offset);
    for (uint32_t i = 0; i < request->n_outputs; i++) {
        if (hc_text_equal(name, (struct hc_text){base + names[i].offset, names[i].size})) {
            return true;
        }
    }
    return false;
}

/*
 * Whether nobody but the tensor can reach the memory that it shows: it is the only holder of its
 * array (by two references), and each array down the chain of views has no other holder either.
 * *OWNER is then the chain's end, borrowed: the array that owns the memory, or what is not an
 * array.
 */
static bool is_sole_holder(const struct hc_tensor_object *tensor, PyObject **owner) {
    if (Py_REFCNT((PyObject *)tensor) != 1 || tensor->array == NULL ||
        tensor->owner != tensor->array || Py_REFCNT(tensor->array) != 2) {
        return false;
    }
    PyObject *place = tensor->array;
    PyObject *base;
    while ((base = PyArray_BASE((PyArrayObject *)place)) != NULL && PyArray_Check(base)) {
        if (Py_REFCNT(base) != 1) {
            return false;
        }
        place = base;
    }
    *owner = base == NULL ? place : base;
    return true;
}

/* Whether the server may read the tensor where it is, and where that is. */
static bool find_in_place(const struct hc_tensor_object *tensor, struct hc_place *place) {
    PyObject *owner;
    if (!is_sole_holder(tensor, &owner)) {
        return false;
    }
    if (!PyArray_Check(owner)) {
        return hc_pin_place(owner, tensor->data, tensor->size, place);
    }
    struct hc_block *block = hc_shared_arrays_block(PyArray_DATA((PyArrayObject *)owner));
    if (block == NULL) {
        return false;
    }
    const char *begin = hc_end_block_memory(end, block);
    *place = (struct hc_place){
        .offset = block->offset + (uint64_t)(tensor->data - begin),
        .size = tensor->size,
        .arena = HC_ARENA_RESPONSE,
        .block = block->index,
        .generation = block->generation,
    };
    return true;
}

/* Decide how the tensor travels and how much room it takes; unrequested ones do not. */
static bool add_output(struct builder *builder, PyObject *object, bool owned) {
    const struct hc_tensor_object *tensor = hc_tensor_of(object);
    hc_auto(py) name = hc_py_member(tensor->name);
    hc_auto(py) bytes = name == NULL ? NULL : PyUnicode_AsUTF8String(name);
    if (bytes == NULL) {
        return false;
    }
    struct hc_text text = hc_py_bytes_text(bytes);
    if (!is_requested(builder->request, text)) {
        return true;
    }
    struct output *output = &builder->outputs[builder->n_outputs++];
    *output = (struct output){.tensor = tensor, .name = hc_take(bytes)};
    builder->head_size += sizeof(struct hc_message_tensor) +
                          (size_t)tensor->n_dims * sizeof(int64_t) +
                          hc_align_up(text.size, sizeof(int64_t));
    output->in_place =
        owned && tensor->size >= HC_SHARED_ARRAY_MIN && find_in_place(tensor, &output->place);
    if (!output->in_place) {
        output->data_offset = builder->data_size;
        builder->data_size += hc_align_up(tensor->size, HC_BLOCK_ALIGNMENT);
    }
    return true;
}

/* Appends to a message that lies in the arena. */
struct writer {
    char *base;
    size_t offset;
};

static struct hc_span write_text(struct writer *writer, struct hc_text text) {
    struct hc_span span = {(uint32_t)writer->offset, (uint32_t)text.size};
    if (text.size > 0) {
        memcpy(writer->base + writer->offset, text.data, text.size);
    }
    writer->offset += hc_align_up(text.size, sizeof(int64_t));
    return span;
}

static uint32_t write_dims(struct writer *writer, const struct hc_tensor_object *tensor) {
    size_t size = (size_t)tensor->n_dims * sizeof(int64_t);
    uint32_t offset = (uint32_t)writer->offset;
    memcpy(writer->base + writer->offset, tensor->dims, size);
    writer->offset += size;
    return offset;
}

/* Copy the tensor to OFFSET of the message's block. */
static struct hc_place write_data(struct writer *writer, const struct hc_block *block,
                                  size_t offset, const struct hc_tensor_object *tensor) {
    if (tensor->size > 0) {
        memcpy(writer->base + offset, tensor->data, tensor->size);
    }
    return (struct hc_place){
        .offset = block->offset + offset,
        .size = tensor->size,
        .arena = HC_ARENA_RESPONSE,
        .block = block->index,
        .generation = block->generation,
    };
}

static void write_output(struct writer *writer, const struct hc_block *block, size_t data_begin,
                         const struct output *output, struct hc_message_tensor *description) {
    description->name = write_text(writer, hc_py_bytes_text(output->name));
    description->dtype = (uint32_t)output->tensor->dtype;
    description->n_dims = (uint32_t)output->tensor->n_dims;
    description->dims_offset = write_dims(writer, output->tensor);
    description->reserved = 0;
    description->data =
        output->in_place
            ? output->place
            : write_data(writer, block, data_begin + output->data_offset, output->tensor);
}

/* References to all arrays that the server reads in place. */
static struct held *hold(const struct builder *builder) {
    struct held *held = hc_alloc(sizeof *held + builder->n_outputs * sizeof held->arrays[0]);
    for (size_t i = 0; i < builder->n_outputs; i++) {
        if (builder->outputs[i].in_place) {
            Py_INCREF(builder->outputs[i].tensor->array);
            held->arrays[held->n_arrays++] = builder->outputs[i].tensor->array;
        }
    }
    return held;
}

static struct hc_entry entry_of(const struct hc_message_request *request,
                                const struct hc_block *block, size_t size) {
    return (struct hc_entry){
        .kind = HC_REPLY_RESPONSE,
        .handle = request->handle,
        .offset = block->offset,
        .size = size,
        .arena = HC_ARENA_RESPONSE,
        .block = block->index,
        .generation = block->generation,
    };
}

static struct hc_block *alloc_message(const struct builder *builder) {
    if (builder->head_size > HC_MESSAGE_RESPONSE_MAX) {
        hc_py_raise("the names, shapes and parameters of a response take %zu bytes, more than %d",
                    builder->head_size, HC_MESSAGE_RESPONSE_MAX);
        return NULL;
    }
    size_t size = hc_align_up(builder->head_size, HC_BLOCK_ALIGNMENT) + builder->data_size;
    struct hc_block *block = hc_end_alloc(end, size);
    if (block == NULL) {
        hc_reply_drain();
        block = hc_end_alloc(end, size);
    }
    if (block == NULL) {
        hc_py_raise("no shared memory is left for a response of %zu bytes", size);
    }
    return block;
}

/* Write everything into a new block. */
static bool write_message(struct builder *builder, struct hc_text parameters,
                          struct hc_entry *entry) {
    builder->head_size += hc_align_up(parameters.size, sizeof(int64_t));
    struct hc_block *block = alloc_message(builder);
    if (block == NULL) {
        return false;
    }
    struct writer writer = {.base = hc_end_block_memory(end, block)};
    struct hc_message_response *message = (void *)writer.base;
    struct hc_message_tensor *descriptions = (void *)(message + 1);
    writer.offset = sizeof *message + builder->n_outputs * sizeof *descriptions;
    *message = (struct hc_message_response){
        .size = (uint32_t)builder->head_size,
        .code = HC_OK,
        .n_outputs = (uint32_t)builder->n_outputs,
        .outputs_offset = sizeof *message,
    };
    message->parameters = write_text(&writer, parameters);
    size_t data_begin = hc_align_up(builder->head_size, HC_BLOCK_ALIGNMENT);
    for (size_t i = 0; i < builder->n_outputs; i++) {
        write_output(&writer, block, data_begin, &builder->outputs[i], &descriptions[i]);
    }
    block->user = hold(builder);
    *entry = entry_of(builder->request, block, builder->head_size);
    return true;
}

static bool add_outputs(struct builder *builder, PyObject *list, bool owned) {
    Py_ssize_t n = PyList_Size(list);
    builder->outputs = hc_alloc_array((size_t)n, sizeof *builder->outputs);
    owned = owned && Py_REFCNT(list) == 1;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!add_output(builder, PyList_GetItem(list, i), owned)) {
            return false;
        }
    }
    return true;
}

static void builder_finish(struct builder *builder) {
    for (size_t i = 0; i < builder->n_outputs; i++) {
        Py_XDECREF(builder->outputs[i].name);
    }
    free(builder->outputs);
}

static bool build_outputs(const struct hc_message_request *request,
                          const struct hc_response_object *response, bool owned,
                          struct hc_entry *entry) {
    hc_auto(py) parameters = PyUnicode_AsUTF8String(response->parameters);
    if (parameters == NULL) {
        return false;
    }
    struct hc_text text = hc_py_bytes_text(parameters);
    struct builder builder = {.request = request, .head_size = sizeof(struct hc_message_response)};
    bool built = add_outputs(&builder, response->outputs, owned) &&
                 write_message(&builder, hc_text_is(text, "{}") ? HC_TEXT("") : text, entry);
    builder_finish(&builder);
    return built;
}

static bool build_error(const struct hc_message_request *request, enum hc_code code,
                        struct hc_text text, struct hc_entry *entry) {
    size_t room = HC_MESSAGE_RESPONSE_MAX - sizeof(struct hc_message_response);
    if (text.size > room) {
        text.size = room;
    }
    struct hc_block *block = hc_end_alloc(end, sizeof(struct hc_message_response) + text.size);
    if (block == NULL) {
        return false;
    }
    struct hc_message_response *message = (void *)hc_end_block_memory(end, block);
    *message = (struct hc_message_response){
        .size = (uint32_t)(sizeof *message + text.size),
        .code = (uint32_t)code,
        .message = {sizeof *message, (uint32_t)text.size},
    };
    if (text.size > 0) {
        memcpy(message + 1, text.data, text.size);
    }
    *entry = entry_of(request, block, message->size);
    return true;
}

/* The entry for a response that is an error: the tensors and parameters stay behind. */
static bool build_triton_error(const struct hc_message_request *request, PyObject *error,
                               struct hc_entry *entry) {
    hc_auto(py) message = hc_py_member(hc_error_of(error)->message);
    hc_auto(py) bytes = message == NULL ? NULL : PyUnicode_AsUTF8String(message);
    if (bytes == NULL) {
        return false;
    }
    if (!build_error(request, hc_error_of(error)->status, hc_py_bytes_text(bytes), entry)) {
        hc_py_raise("no shared memory is left for an error");
        return false;
    }
    return true;
}

static bool build(const struct hc_message_request *request, PyObject *response, bool owned,
                  struct hc_entry *entry) {
    const struct hc_response_object *object = hc_response_of(response);
    hc_auto(py) error = hc_py_member(object->error);
    if (error == NULL) {
        return false;
    }
    return error != Py_None ? build_triton_error(request, error, entry)
                            : build_outputs(request, object, owned, entry);
}

/* A reply without a response. */
static struct hc_entry bare_entry(const struct hc_message_request *request, uint16_t flags) {
    return (struct hc_entry){.kind = HC_REPLY_RESPONSE, .flags = flags, .handle = request->handle};
}

static void send(const struct hc_message_request *request, struct hc_entry *entry) {
    entry->start_ns = execution_start_ns;
    entry->end_ns = execution_end_ns;
    hc_end_reply(end, request->loop, entry, true);
}

void hc_reply_prepare(struct hc_end *the_end) {
    end = the_end;
}

void hc_reply_set_times(uint64_t start_ns, uint64_t end_ns) {
    execution_start_ns = start_ns;
    execution_end_ns = end_ns;
}

bool hc_reply_send(struct hc_message_request *request, PyObject *response, bool final, bool owned) {
    struct hc_entry entry = bare_entry(request, 0);
    if (response != NULL && !build(request, response, owned, &entry)) {
        return false;
    }
    entry.flags = final ? HC_REPLY_FINAL : 0;
    send(request, &entry);
    return true;
}

void hc_reply_send_error(struct hc_message_request *request, enum hc_code code,
                         struct hc_text text) {
    struct hc_entry entry = bare_entry(request, 0);
    build_error(request, code, text, &entry); /* without memory: a final flag alone, an error too */
    entry.flags = HC_REPLY_FINAL;
    send(request, &entry);
}

void hc_reply_abandon(struct hc_message_request *request) {
    hc_reply_send_error(request, HC_INTERNAL,
                        HC_TEXT("the model has dropped the request without a final response"));
}

void hc_reply_send_reschedule(struct hc_message_request *request) {
    struct hc_entry entry = bare_entry(request, HC_REPLY_RESCHEDULE);
    send(request, &entry);
}

static void on_release(struct hc_block *block, void *user) {
    (void)user;
    struct held *held = block->user;
    hc_end_free(end, block);
    if (held != NULL) {
        for (size_t i = 0; i < held->n_arrays; i++) {
            Py_DECREF(held->arrays[i]);
        }
        free(held);
    }
}

void hc_reply_drain(void) {
    hc_end_drain(end, on_release, NULL);
}
