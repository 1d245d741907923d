/* Arrays born in shared memory. */
#include "shared_arrays.h"

#include <stdlib.h>
#include <string.h>

/*
 * What lies before the data of every array in the arena. The server maps the arena read-only, so
 * the pointer is ours alone.
 */
struct array_head {
    struct hc_block *block;
    size_t size; /* that was asked for */
    char padding[HC_BLOCK_ALIGNMENT - sizeof(struct hc_block *) - sizeof(size_t)];
};

static_assert(sizeof(struct array_head) == HC_BLOCK_ALIGNMENT, "the data stays aligned");

static struct hc_end *end;
static PyObject *handler; /* capsule */

static struct array_head *head_of(void *memory) {
    return (struct array_head *)memory - 1;
}

/* The end whose arena MEMORY lies in, which may be an inherited one; NULL: it is on the heap. */
static struct hc_end *end_of(const void *memory) {
    struct hc_end *place = end;
    while (place != NULL && !hc_end_in_response_arena(place, memory)) {
        place = hc_end_before(place);
    }
    return place;
}

static void *shared_alloc(size_t size) {
    struct hc_block *block = hc_end_alloc(end, size + sizeof(struct array_head));
    if (block == NULL) {
        return NULL;
    }
    struct array_head *head = (void *)hc_end_block_memory(end, block);
    head->block = block;
    head->size = size;
    return head + 1;
}

static void *on_malloc(void *context, size_t size) {
    (void)context;
    void *memory = NULL;
    if (size >= HC_SHARED_ARRAY_MIN && size <= SIZE_MAX - sizeof(struct array_head)) {
        memory = shared_alloc(size);
    }
    return memory != NULL ? memory : malloc(size > 0 ? size : 1);
}

static void *on_calloc(void *context, size_t n, size_t item_size) {
    (void)context;
    size_t size;
    if (__builtin_mul_overflow(n, item_size, &size)) {
        return NULL;
    }
    void *memory = size >= HC_SHARED_ARRAY_MIN ? shared_alloc(size) : NULL;
    return memory != NULL ? memset(memory, 0, size) : calloc(n > 0 ? n : 1, item_size);
}

static void on_free(void *context, void *memory, size_t size) {
    (void)context;
    (void)size;
    struct hc_end *owner = memory == NULL ? NULL : end_of(memory);
    if (owner != NULL) {
        hc_end_free(owner, head_of(memory)->block);
    } else {
        free(memory);
    }
}

static void *on_realloc(void *context, void *memory, size_t size) {
    if (memory == NULL || end_of(memory) == NULL) {
        return realloc(memory, size > 0 ? size : 1);
    }
    void *moved = on_malloc(context, size);
    if (moved != NULL) {
        size_t before = head_of(memory)->size;
        memcpy(moved, memory, size < before ? size : before);
        on_free(context, memory, before);
    }
    return moved;
}

static PyDataMem_Handler definition = {
    "hippocamp",
    1,
    {NULL, on_malloc, on_calloc, on_realloc, on_free},
};

bool hc_shared_arrays_prepare(struct hc_end *the_end) {
    end = the_end;
    if (handler == NULL) {
        handler = PyCapsule_New(&definition, "mem_handler", NULL);
    }
    return handler != NULL;
}

PyObject *hc_shared_arrays_enter(void) {
    return PyDataMem_SetHandler(handler);
}

void hc_shared_arrays_leave(PyObject *before) {
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    Py_XDECREF(PyDataMem_SetHandler(before));
    Py_XDECREF(before);
    PyErr_Restore(type, value, traceback);
}

struct hc_block *hc_shared_arrays_block(const void *data) {
    if (!hc_end_in_response_arena(end, data)) {
        return NULL;
    }
    return head_of((void *)data)->block;
}

uint64_t hc_shared_arrays_free_memory(void) {
    return end == NULL ? 0 : hc_end_free_memory(end);
}
