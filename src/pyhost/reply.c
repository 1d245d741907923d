/* From a Python response to a message in the response arena. */
#include "reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "calls.h"
#include "pack.h"
#include "response.h"
#include "tensor.h"
#include "triton_error.h"

static struct hc_end *end;
static _Thread_local uint64_t execution_end_ns; /* 0: it has not ended */

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

/* Pack the outputs that are requested. */
static bool add_outputs(struct hc_pack *pack, const struct hc_message_request *request,
                        PyObject *list, bool owned) {
    enum hc_pack_place place = owned && Py_REFCNT(list) == 1 ? HC_PACK_OWNED : HC_PACK_COPY;
    for (Py_ssize_t i = 0; i < PyList_Size(list); i++) {
        PyObject *tensor = PyList_GetItem(list, i);
        hc_auto(py) name = hc_py_member(hc_tensor_of(tensor)->name);
        hc_auto(py) bytes = name == NULL ? NULL : PyUnicode_AsUTF8String(name);
        if (bytes == NULL || (is_requested(request, hc_py_bytes_text(bytes)) &&
                              !hc_pack_add_tensor(pack, tensor, bytes, place))) {
            return false;
        }
    }
    return true;
}

static bool write_message(struct hc_pack *pack, const struct hc_message_request *request,
                          struct hc_text parameters, struct hc_entry *entry) {
    uint32_t outputs_offset;
    hc_pack_add_text(pack, parameters);
    if (!hc_pack_begin(pack, sizeof(struct hc_message_response), &outputs_offset)) {
        return false;
    }
    struct hc_message_response *message = (void *)pack->base;
    *message = (struct hc_message_response){
        .size = (uint32_t)pack->head_size,
        .code = HC_OK,
        .n_outputs = (uint32_t)pack->n_items,
        .outputs_offset = outputs_offset,
    };
    message->parameters = hc_pack_text(pack, parameters);
    if (!hc_pack_end(pack, outputs_offset)) {
        return false;
    }
    *entry = entry_of(request, pack->block, pack->head_size);
    return true;
}

static bool build_outputs(const struct hc_message_request *request,
                          const struct hc_response_object *response, bool owned,
                          struct hc_entry *entry) {
    hc_auto(py) parameters = PyUnicode_AsUTF8String(response->parameters);
    if (parameters == NULL) {
        return false;
    }
    struct hc_text text = hc_py_bytes_text(parameters);
    struct hc_pack pack;
    hc_pack_init(&pack, sizeof(struct hc_message_response), (size_t)PyList_Size(response->outputs));
    pack.request = request;
    bool built = add_outputs(&pack, request, response->outputs, owned) &&
                 write_message(&pack, request, hc_text_is(text, "{}") ? HC_TEXT("") : text, entry);
    hc_pack_finish(&pack);
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
    entry->start_ns = request->start_ns;
    entry->end_ns = execution_end_ns != 0 ? execution_end_ns : hc_clock_ns();
    hc_end_reply(end, request->loop, entry, true);
}

void hc_reply_prepare(struct hc_end *the_end) {
    end = the_end;
}

void hc_reply_set_end(uint64_t end_ns) {
    execution_end_ns = end_ns;
}

/* Whether the client has enough for now. */
static bool is_paused(const struct hc_message_request *request) {
    return atomic_load_explicit(&request->paused, memory_order_relaxed) != 0 &&
           atomic_load_explicit(&request->cancelled, memory_order_relaxed) == 0;
}

/* Wait until the client takes responses; false when a signal handler raised. */
static bool await_client(const struct hc_message_request *request) {
    for (;;) {
        uint32_t seen = hc_end_n_responses(end);
        if (!is_paused(request)) {
            return true;
        }
        hc_calls_drain();
        Py_BEGIN_ALLOW_THREADS;
        hc_end_await(end, seen);
        Py_END_ALLOW_THREADS;
        if (PyErr_CheckSignals() != 0) {
            return false;
        }
    }
}

bool hc_reply_send(struct hc_message_request *request, PyObject *response, bool final, bool owned) {
    struct hc_entry entry = bare_entry(request, 0);
    if (response != NULL && !final && !await_client(request)) {
        return false;
    }
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
