/* Opening the driver, and its contexts. */
#include "gpu_driver.h"

#include <dlfcn.h>
#include <string.h>

#include "base/symbols.h"

static struct gpu_driver driver;

static bool find_functions(void *library) {
    const struct hc_symbol symbols[] = {
        {"cuInit", &driver.init},
        {"cuDeviceGetCount", &driver.count},
        {"cuDeviceGet", &driver.device},
        {"cuDeviceGetUuid_v2", &driver.uuid},
        {"cuDevicePrimaryCtxRetain", &driver.retain},
        {"cuDevicePrimaryCtxRelease_v2", &driver.release},
        {"cuCtxPushCurrent_v2", &driver.push},
        {"cuCtxPopCurrent_v2", &driver.pop},
        {"cuCtxSynchronize", &driver.wait},
        {"cuStreamSynchronize", &driver.wait_for_stream},
        {"cuMemAlloc_v2", &driver.alloc},
        {"cuMemFree_v2", &driver.free},
        {"cuMemcpyHtoD_v2", &driver.copy_in},
        {"cuMemcpyDtoH_v2", &driver.copy_out},
        {"cuMemcpyDtoD_v2", &driver.copy},
        {"cuIpcOpenMemHandle_v2", &driver.open},
        {"cuIpcCloseMemHandle", &driver.close},
        {"cuGetErrorString", &driver.error_string},
    };
    return hc_symbols_find(library, symbols, sizeof symbols / sizeof symbols[0]) == NULL;
}

const struct gpu_driver *gpu_driver(void) {
    static bool looked_for;
    static bool usable;
    if (!looked_for) {
        void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
        looked_for = true;
        usable = library != NULL && find_functions(library) && driver.init(0) == GPU_SUCCESS;
    }
    return usable ? &driver : NULL;
}

int gpu_retain(int gpu, gpu_context *context) {
    int device;
    int result = driver.device(&device, gpu);
    return result == GPU_SUCCESS ? driver.retain(context, device) : result;
}

void gpu_release(int gpu) {
    int device;
    if (driver.device(&device, gpu) == GPU_SUCCESS) {
        driver.release(device);
    }
}

int gpu_enter(int gpu) {
    gpu_context context;
    int result = gpu_retain(gpu, &context);
    if (result != GPU_SUCCESS) {
        return result;
    }
    result = driver.push(context);
    if (result != GPU_SUCCESS) {
        gpu_release(gpu);
    }
    return result;
}

void gpu_leave(int gpu) {
    gpu_context context;
    driver.pop(&context);
    gpu_release(gpu);
}

int gpu_find(const char uuid[16], int *gpu) {
    int n = 0;
    int result = driver.count(&n);
    for (int i = 0; i < n && result == GPU_SUCCESS; i++) {
        int device;
        struct gpu_uuid found;
        result = driver.device(&device, i);
        result = result == GPU_SUCCESS ? driver.uuid(&found, device) : result;
        if (result == GPU_SUCCESS && memcmp(found.bytes, uuid, sizeof found.bytes) == 0) {
            *gpu = i;
            return GPU_SUCCESS;
        }
    }
    return result == GPU_SUCCESS ? GPU_NOT_FOUND : result;
}

const char *gpu_text(int result) {
    const char *text = NULL;
    driver.error_string(result, &text);
    return text == NULL ? "unknown error" : text;
}
