/* Copying from, to and within a GPU's memory. */
#include "gpu.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "gpu_driver.h"

static const char memory_name[] = "hippocamp.gpu_memory";

/* Memory of our own. */
struct memory {
    int gpu;
    uint64_t address;
    pid_t owner; /* children that the model forks have no part in it */
};

bool hc_py_gpu_is_there(void) {
    return gpu_driver() != NULL;
}

/* Whether RESULT is a success; else an exception is set. */
static bool check(int result, const char *what, int gpu) {
    if (result != GPU_SUCCESS) {
        hc_py_raise("Failed to %s GPU %d: %s", what, gpu, gpu_text(result));
    }
    return result == GPU_SUCCESS;
}

static int wait_for(int gpu) {
    int result = gpu_enter(gpu);
    if (result == GPU_SUCCESS) {
        result = gpu_driver()->wait();
        gpu_leave(gpu);
    }
    return result;
}

bool hc_py_gpu_wait(int gpu) {
    int result;
    Py_BEGIN_ALLOW_THREADS;
    result = wait_for(gpu);
    Py_END_ALLOW_THREADS;
    return check(result, "wait for", gpu);
}

static int read_from(int gpu, char *place, uint64_t address, size_t size) {
    int result = gpu_enter(gpu);
    if (result == GPU_SUCCESS) {
        result = gpu_driver()->wait();
        result = result == GPU_SUCCESS ? gpu_driver()->copy_out(place, address, size) : result;
        gpu_leave(gpu);
    }
    return result;
}

bool hc_py_gpu_read(const struct hc_tensor_object *tensor, char *place) {
    const int gpu = tensor->device;
    const uint64_t address = (uintptr_t)tensor->data;
    const size_t size = tensor->size;
    int result;
    Py_BEGIN_ALLOW_THREADS;
    result = read_from(gpu, place, address, size);
    Py_END_ALLOW_THREADS;
    return check(result, "copy a tensor from", gpu);
}

/* Such a copy is only begun when the driver returns. */
static int copy_within(int gpu, uint64_t to, uint64_t from, size_t size) {
    const struct gpu_driver *driver = gpu_driver();
    int result = gpu_enter(gpu);
    if (result == GPU_SUCCESS) {
        result = driver->wait();
        result = result == GPU_SUCCESS ? driver->copy(to, from, size) : result;
        result = result == GPU_SUCCESS ? driver->wait_for_stream(NULL) : result;
        gpu_leave(gpu);
    }
    return result;
}

bool hc_py_gpu_copy(const struct hc_tensor_object *tensor, uint64_t address) {
    const int gpu = tensor->device;
    const uint64_t from = (uintptr_t)tensor->data;
    const size_t size = tensor->size;
    int result;
    Py_BEGIN_ALLOW_THREADS;
    result = copy_within(gpu, address, from, size);
    Py_END_ALLOW_THREADS;
    return check(result, "copy a tensor within", gpu);
}

/* ---- Memory of our own ---- */

/* The driver waits for what still uses it. */
static void on_last_reference(PyObject *capsule) {
    struct memory *memory = PyCapsule_GetPointer(capsule, memory_name);
    if (memory->owner == getpid() && gpu_enter(memory->gpu) == GPU_SUCCESS) {
        gpu_driver()->free(memory->address);
        gpu_leave(memory->gpu);
        gpu_release(memory->gpu);
    }
    free(memory);
}

/* The copy has left DATA when the driver returns, and has arrived when the stream is empty. */
static int fill(uint64_t address, const char *data, size_t size) {
    int result = gpu_driver()->copy_in(address, data, size);
    return result == GPU_SUCCESS ? gpu_driver()->wait_for_stream(NULL) : result;
}

/* The context stays with the memory. */
static int make_memory(int gpu, const char *data, size_t size, uint64_t *address) {
    gpu_context context;
    int result = gpu_enter(gpu);
    if (result != GPU_SUCCESS) {
        return result;
    }
    result = gpu_driver()->alloc(address, size);
    if (result == GPU_SUCCESS) {
        result = fill(*address, data, size);
        result = result == GPU_SUCCESS ? gpu_retain(gpu, &context) : result;
        if (result != GPU_SUCCESS) {
            gpu_driver()->free(*address);
        }
    }
    gpu_leave(gpu);
    return result;
}

PyObject *hc_py_gpu_move(struct hc_py_tensor_source *source, int gpu) {
    uint64_t address = 0;
    int result;
    Py_BEGIN_ALLOW_THREADS;
    result = make_memory(gpu, source->data, source->size, &address);
    Py_END_ALLOW_THREADS;
    if (!check(result, "copy a tensor to", gpu)) {
        return NULL;
    }
    struct memory *memory = hc_new(struct memory);
    *memory = (struct memory){.gpu = gpu, .address = address, .owner = getpid()};
    PyObject *capsule = PyCapsule_New(memory, memory_name, on_last_reference);
    if (capsule == NULL) {
        free(memory); /* and what it says is lost: there is no memory for a few words */
        return NULL;
    }
    source->data = (char *)address;
    source->on_gpu = true;
    source->device = gpu;
    return capsule;
}
