/* Pins: what keeps the memory of a request in place for Python. */
#include "pin.h"

#include <stdlib.h>

#include "base/alloc.h"

static const char pin_name[] = "hippocamp.pin";

struct pin {
    struct hc_end *end;
    struct hc_message_request *message;
};

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
    free(pin);
}

PyObject *hc_pin_new(struct hc_end *end, struct hc_message_request *message) {
    struct pin *pin = hc_new(struct pin);
    *pin = (struct pin){.end = end, .message = message};
    PyObject *capsule = PyCapsule_New(pin, pin_name, on_last_reference);
    if (capsule == NULL) {
        free(pin);
    }
    return capsule;
}

bool hc_pin_place(PyObject *owner, const char *data, size_t size, struct hc_place *place) {
    if (!PyCapsule_IsValid(owner, pin_name)) {
        return false;
    }
    struct pin *pin = PyCapsule_GetPointer(owner, pin_name);
    const char *message = (const char *)pin->message;
    const struct hc_message_tensor *inputs = (const void *)(message + pin->message->inputs_offset);
    for (uint32_t i = 0; i < pin->message->n_inputs; i++) {
        const struct hc_place *input = &inputs[i].data;
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
