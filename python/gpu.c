/* Copying from a GPU's memory, by its driver (https://docs.nvidia.com/cuda/cuda-driver-api). */
#include "gpu.h"

#include <dlfcn.h>
#include <string.h>

enum { SUCCESS = 0 };

typedef struct context *gpu_context;

/* The driver's functions, as its manual has them. */
static struct {
    bool looked_for;
    bool usable;
    int (*init)(unsigned flags);
    int (*device)(int *device, int index);
    int (*retain)(gpu_context *context, int device);
    int (*release)(int device);
    int (*push)(gpu_context context);
    int (*pop)(gpu_context *context);
    int (*wait)(void);
    int (*copy)(void *to, uint64_t from, size_t size);
    int (*error_string)(int result, const char **text);
} driver;

static bool find_functions(void *library) {
    const struct {
        const char *name;
        void *place;
    } rows[] = {
        {"cuInit", &driver.init},
        {"cuDeviceGet", &driver.device},
        {"cuDevicePrimaryCtxRetain", &driver.retain},
        {"cuDevicePrimaryCtxRelease_v2", &driver.release},
        {"cuCtxPushCurrent_v2", &driver.push},
        {"cuCtxPopCurrent_v2", &driver.pop},
        {"cuCtxSynchronize", &driver.wait},
        {"cuMemcpyDtoH_v2", &driver.copy},
        {"cuGetErrorString", &driver.error_string},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        void *function = dlsym(library, rows[i].name);
        if (function == NULL) {
            return false;
        }
        memcpy(rows[i].place, &function, sizeof function);
    }
    return true;
}

/* With the GIL, which keeps other threads out. */
bool hc_py_gpu_is_there(void) {
    if (!driver.looked_for) {
        void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
        driver.looked_for = true;
        driver.usable = library != NULL && find_functions(library) && driver.init(0) == SUCCESS;
    }
    return driver.usable;
}

/* In the context that frameworks use, which is there: they made the tensor in it. */
static int read_in_context(const struct hc_tensor_object *tensor, char *place, int device) {
    gpu_context context;
    gpu_context popped;
    int result = driver.retain(&context, device);
    if (result != SUCCESS) {
        return result;
    }
    result = driver.push(context);
    if (result == SUCCESS) {
        result = driver.wait();
        result =
            result == SUCCESS ? driver.copy(place, (uintptr_t)tensor->data, tensor->size) : result;
        driver.pop(&popped);
    }
    driver.release(device);
    return result;
}

bool hc_py_gpu_read(const struct hc_tensor_object *tensor, char *place) {
    const char *text = NULL;
    int device;
    int result = driver.device(&device, tensor->device);
    if (result == SUCCESS) {
        result = read_in_context(tensor, place, device);
    }
    if (result != SUCCESS) {
        driver.error_string(result, &text);
        hc_py_raise("Failed to copy a tensor from GPU %d: %s", tensor->device,
                    text == NULL ? "unknown error" : text);
    }
    return result == SUCCESS;
}
