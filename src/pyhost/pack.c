/* Packing tensors into a message in the response arena. */
#include "pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "calls.h"
#include "client_memory.h"
#include "gpu.h"
#include "gpu_region.h"
#include "pin.h"
#include "shared_arrays.h"

/* What the server reads in place, kept alive until it releases the message's block. */
struct held {
    size_t n_objects;
    PyObject *objects[];
};

struct hc_packed {
    const struct hc_tensor_object *tensor;
    PyObject *name; /* bytes, owned */
    bool in_place;
    struct hc_place place; /* when in place */
    size_t data_offset;    /* when copied: from where the data begins */
};

static struct hc_end *end;

void hc_pack_prepare(struct hc_end *the_end) {
    end = the_end;
}

void hc_pack_init(struct hc_pack *pack, size_t head_size, size_t n_tensors) {
    *pack = (struct hc_pack){
        .items = hc_alloc_array(n_tensors, sizeof *pack->items),
        .capacity = n_tensors,
        .head_size = hc_align_up(head_size, sizeof(int64_t)),
    };
}

void hc_pack_finish(struct hc_pack *pack) {
    for (size_t i = 0; i < pack->n_items; i++) {
        Py_XDECREF(pack->items[i].name);
    }
    free(pack->items);
}

/*
 * Whether nobody but the tensor can reach the memory that it shows: it is the only holder of its
 * array (by two references), and each array down the chain of views has no other holder either.
 */
static bool is_sole_holder(const struct hc_tensor_object *tensor) {
    if (Py_REFCNT((PyObject *)tensor) != 1 || Py_REFCNT(tensor->array) != 2) {
        return false;
    }
    PyObject *base = PyArray_BASE((PyArrayObject *)tensor->array);
    while (base != NULL && PyArray_Check(base)) {
        if (Py_REFCNT(base) != 1) {
            return false;
        }
        base = PyArray_BASE((PyArrayObject *)base);
    }
    return true;
}

/* The end of the chain of views, borrowed: the array that owns the memory, or what is not one. */
static PyObject *memory_owner(const struct hc_tensor_object *tensor) {
    PyObject *place = tensor->owner;
    while (place != NULL && PyArray_Check(place) && PyArray_BASE((PyArrayObject *)place) != NULL) {
        place = PyArray_BASE((PyArrayObject *)place);
    }
    return place;
}

/* Whether the tensor lies in shared memory, and where. */
static bool find_in_shared_memory(const struct hc_pack *pack, const struct hc_tensor_object *tensor,
                                  struct hc_place *place) {
    PyObject *owner = memory_owner(tensor);
    if (owner == NULL) {
        return false;
    }
    if (!PyArray_Check(owner)) {
        return hc_pin_place(end, owner, tensor->data, tensor->size, place) ||
               hc_py_client_memory_place(owner, pack->request, tensor->data, tensor->size, place);
    }
    struct hc_block *block = hc_shared_arrays_block(PyArray_DATA((PyArrayObject *)owner));
    if (block == NULL) {
        return false;
    }
    *place = (struct hc_place){
        .offset = block->offset + (uint64_t)(tensor->data - hc_end_block_memory(end, block)),
        .size = tensor->size,
        .arena = HC_ARENA_RESPONSE,
        .block = block->index,
        .generation = block->generation,
    };
    return true;
}

static bool may_stay(const struct hc_tensor_object *tensor, enum hc_pack_place place) {
    if (tensor->on_gpu || tensor->size < HC_SHARED_ARRAY_MIN || place == HC_PACK_COPY) {
        return false;
    }
    return place == HC_PACK_IN_PLACE ||
           (tensor->array != NULL && tensor->owner == tensor->array && is_sole_holder(tensor));
}

/* Have a tensor in a GPU's memory go to where the client wants it there, if it can. */
static bool put_on_gpu(const struct hc_pack *pack, const struct hc_tensor_object *tensor,
                       PyObject *name, struct hc_place *place) {
    *place = (struct hc_place){.arena = HC_ARENA_GPU, .size = tensor->size};
    return pack->request != NULL && tensor->on_gpu && tensor->size > 0 &&
           hc_py_gpu_region_put(pack->request, hc_py_bytes_text(name), tensor);
}

bool hc_pack_add_tensor(struct hc_pack *pack, PyObject *object, PyObject *name,
                        enum hc_pack_place place) {
    const struct hc_tensor_object *tensor = hc_tensor_of(object);
    struct hc_packed *item = &pack->items[pack->n_items++];
    Py_INCREF(name);
    *item = (struct hc_packed){.tensor = tensor, .name = name};
    pack->head_size += sizeof(struct hc_message_tensor) + (size_t)tensor->n_dims * sizeof(int64_t) +
                       hc_align_up((size_t)PyBytes_Size(name), sizeof(int64_t));
    item->in_place =
        (may_stay(tensor, place) && find_in_shared_memory(pack, tensor, &item->place)) ||
        put_on_gpu(pack, tensor, name, &item->place);
    if (!item->in_place) {
        item->data_offset = pack->data_size;
        pack->data_size += hc_align_up(tensor->size, HC_BLOCK_ALIGNMENT);
    }
    return true;
}

void hc_pack_add_text(struct hc_pack *pack, struct hc_text text) {
    pack->head_size += hc_align_up(text.size, sizeof(int64_t));
}

void hc_pack_add_array(struct hc_pack *pack, size_t n, size_t item_size) {
    pack->head_size += n * item_size;
}

bool hc_pack_begin(struct hc_pack *pack, size_t fixed_size, uint32_t *tensors_offset) {
    if (pack->head_size > HC_MESSAGE_RESPONSE_MAX) {
        hc_py_raise("the names, shapes and parameters take %zu bytes, more than %d",
                    pack->head_size, HC_MESSAGE_RESPONSE_MAX);
        return false;
    }
    size_t size = hc_align_up(pack->head_size, HC_BLOCK_ALIGNMENT) + pack->data_size;
    pack->block = hc_end_alloc(end, size);
    if (pack->block == NULL) {
        hc_calls_drain();
        pack->block = hc_end_alloc(end, size);
    }
    if (pack->block == NULL) {
        hc_py_raise("no shared memory is left for %zu bytes of tensors", size);
        return false;
    }
    pack->base = hc_end_block_memory(end, pack->block);
    *tensors_offset = (uint32_t)hc_align_up(fixed_size, sizeof(int64_t));
    pack->offset = *tensors_offset + pack->n_items * sizeof(struct hc_message_tensor);
    return true;
}

struct hc_span hc_pack_text(struct hc_pack *pack, struct hc_text text) {
    struct hc_span span = {(uint32_t)pack->offset, (uint32_t)text.size};
    if (text.size > 0) {
        memcpy(pack->base + pack->offset, text.data, text.size);
    }
    pack->offset += hc_align_up(text.size, sizeof(int64_t));
    return span;
}

static uint32_t write_dims(struct hc_pack *pack, const struct hc_tensor_object *tensor) {
    size_t size = (size_t)tensor->n_dims * sizeof(int64_t);
    uint32_t offset = (uint32_t)pack->offset;
    memcpy(pack->base + pack->offset, tensor->dims, size);
    pack->offset += size;
    return offset;
}

/* Copy the tensor to OFFSET of the block. False with an exception set. */
static bool write_data(const struct hc_pack *pack, size_t offset,
                       const struct hc_tensor_object *tensor, struct hc_place *place) {
    if (tensor->on_gpu && tensor->size > 0) {
        if (!hc_py_gpu_read(tensor, pack->base + offset)) {
            return false;
        }
    } else if (tensor->size > 0) {
        memcpy(pack->base + offset, tensor->data, tensor->size);
    }
    *place = (struct hc_place){
        .offset = pack->block->offset + offset,
        .size = tensor->size,
        .arena = HC_ARENA_RESPONSE,
        .block = pack->block->index,
        .generation = pack->block->generation,
    };
    return true;
}

/* References to all that the server reads in place. */
static struct held *hold(const struct hc_pack *pack) {
    struct held *held = hc_alloc(sizeof *held + pack->n_items * sizeof held->objects[0]);
    for (size_t i = 0; i < pack->n_items; i++) {
        if (pack->items[i].in_place && pack->items[i].place.arena != HC_ARENA_GPU) {
            PyObject *owner = pack->items[i].tensor->owner;
            Py_INCREF(owner);
            held->objects[held->n_objects++] = owner;
        }
    }
    return held;
}

bool hc_pack_end(struct hc_pack *pack, uint32_t tensors_offset) {
    struct hc_message_tensor *descriptions = (void *)(pack->base + tensors_offset);
    size_t data_begin = hc_align_up(pack->head_size, HC_BLOCK_ALIGNMENT);
    for (size_t i = 0; i < pack->n_items; i++) {
        const struct hc_packed *item = &pack->items[i];
        struct hc_message_tensor *description = &descriptions[i];
        description->name = hc_pack_text(pack, hc_py_bytes_text(item->name));
        description->dtype = (uint32_t)item->tensor->dtype;
        description->n_dims = (uint32_t)item->tensor->n_dims;
        description->dims_offset = write_dims(pack, item->tensor);
        description->reserved = 0;
        description->data = item->place;
        if (!item->in_place &&
            !write_data(pack, data_begin + item->data_offset, item->tensor, &description->data)) {
            hc_end_free(end, pack->block);
            return false;
        }
    }
    pack->block->user = hold(pack);
    return true;
}

void hc_pack_release(struct hc_block *block) {
    struct held *held = block->user;
    hc_end_free(end, block);
    if (held == NULL) {
        return;
    }
    for (size_t i = 0; i < held->n_objects; i++) {
        Py_DECREF(held->objects[i]);
    }
    free(held);
}
