/* Pins: what keeps the memory of a request in place for Python. */
#include "pin.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"

static const char pin_name[] = "hippocamp.pin";

static atomic_size_t total;

struct pin {
    struct hc_end *end;
    struct hc_pinned what;
    size_t size; /* of the tensors */
};

size_t hc_pin_total(void) {
    return atomic_load_explicit(&total, memory_order_relaxed);
}

static size_t tensors_size(const struct hc_pinned *what) {
    size_t size = 0;
    for (uint32_t i = 0; i < what->n_tensors; i++) {
        const struct hc_place *data = &what->tensors[i].data;
        size += data->arena == HC_ARENA_REQUEST ? data->size : 0;
    }
    return size;
}

static void on_last_reference(PyObject *capsule) {
    struct pin *pin = PyCapsule_GetPointer(capsule, pin_name);
    hc_end_release(pin->end, pin->what.loop, pin->what.block, pin->what.generation);
    atomic_fetch_sub_explicit(&total, pin->size, memory_order_relaxed);
    free(pin);
}

PyObject *hc_pin_new(struct hc_end *end, const struct hc_pinned *what) {
    struct pin *pin = hc_new(struct pin);
    *pin = (struct pin){.end = end, .what = *what, .size = tensors_size(what)};
    PyObject *capsule = PyCapsule_New(pin, pin_name, on_last_reference);
    if (capsule == NULL) {
        free(pin);
        return NULL;
    }
    atomic_fetch_add_explicit(&total, pin->size, memory_order_relaxed);
    return capsule;
}

bool hc_pin_place(const struct hc_end *end, PyObject *owner, const char *data, size_t size,
                  struct hc_place *place) {
    if (!PyCapsule_IsValid(owner, pin_name)) {
        return false;
    }
    const struct pin *pin = PyCapsule_GetPointer(owner, pin_name);
    if (pin->end != end) {
        return false;
    }
    for (uint32_t i = 0; i < pin->what.n_tensors; i++) {
        const struct hc_place *tensor = &pin->what.tensors[i].data;
        const char *begin = hc_end_request_memory(pin->end, tensor->offset);
        if (tensor->arena == HC_ARENA_REQUEST && data >= begin && size <= tensor->size &&
            data <= begin + tensor->size - size) {
            *place = *tensor;
            place->offset += (uint64_t)(data - begin);
            place->size = size;
            return true;
        }
    }
    return false;
}
