/* Pins: what keeps the memory of a request in place for Python. */
#include "pin.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"

static const char pin_name[] = "hippocamp.pin";

static atomic_size_t pinned;

struct pin {
    struct hc_end *end;
    struct hc_message_request *message;
    size_t size; /* of the inputs */
};

size_t hc_pinned(void) {
    return atomic_load_explicit(&pinned, memory_order_relaxed);
}

static const struct hc_message_tensor *inputs_of(const struct hc_message_request *message) {
    return (const void *)((const char *)message + message->inputs_offset);
}

static size_t inputs_size(const struct hc_message_request *message) {
    size_t size = 0;
    for (uint32_t i = 0; i < message->n_inputs; i++) {
        size += inputs_of(message)[i].data.size;
    }
    return size;
}

static void on_last_reference(PyObject *capsule) {
    struct pin *pin = PyCapsule_GetPointer(capsule, pin_name);
    const struct hc_message_request *message = pin->message;
    struct hc_entry entry = {
        .kind = HC_REPLY_RELEASE,
        .handle = message->handle,
        .arena = HC_ARENA_REQUEST,
        .block = message->block.block,
        .generation = message->block.generation,
    };
    hc_end_reply(pin->end, message->loop, &entry, false);
    atomic_fetch_sub_explicit(&pinned, pin->size, memory_order_relaxed);
    free(pin);
}

PyObject *hc_pin_new(struct hc_end *end, struct hc_message_request *message) {
    struct pin *pin = hc_new(struct pin);
    *pin = (struct pin){.end = end, .message = message, .size = inputs_size(message)};
    PyObject *capsule = PyCapsule_New(pin, pin_name, on_last_reference);
    if (capsule == NULL) {
        free(pin);
        return NULL;
    }
    atomic_fetch_add_explicit(&pinned, pin->size, memory_order_relaxed);
    return capsule;
}

bool hc_pin_place(PyObject *owner, const char *data, size_t size, struct hc_place *place) {
    if (!PyCapsule_IsValid(owner, pin_name)) {
        return false;
    }
    struct pin *pin = PyCapsule_GetPointer(owner, pin_name);
    for (uint32_t i = 0; i < pin->message->n_inputs; i++) {
        const struct hc_place *input = &inputs_of(pin->message)[i].data;
        const char *begin = hc_end_request_memory(pin->end, input->offset);
        if (data >= begin && size <= input->size && data <= begin + input->size - size) {
            *place = *input;
            place->offset += (uint64_t)(data - begin);
            place->size = size;
            return true;
        }
    }
    return false;
}
