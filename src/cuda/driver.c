/* Opening the driver, and its GPUs. */
#include "cuda/driver.h"

#include <dlfcn.h>
#include <pthread.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/symbols.h"

enum { OUT_OF_MEMORY = 2, NAME_SIZE = 256 };

static struct {
    pthread_once_t once;
    pthread_mutex_t lock; /* of the contexts */
    struct hc_cuda functions;
    bool usable;
    int32_t *ids;
    int *devices;              /* as the driver calls them */
    hc_cuda_context *contexts; /* NULL until used */
    size_t n;
} driver = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

static bool find_functions(void *library, struct hc_cuda *cuda) {
    const struct hc_symbol symbols[] = {
        {"cuInit", &cuda->init},
        {"cuGetErrorName", &cuda->error_name},
        {"cuGetErrorString", &cuda->error_string},
        {"cuDeviceGetCount", &cuda->device_count},
        {"cuDeviceGet", &cuda->device_get},
        {"cuDeviceGetName", &cuda->device_name},
        {"cuDeviceGetAttribute", &cuda->device_attribute},
        {"cuDeviceGetUuid_v2", &cuda->device_uuid},
        {"cuDevicePrimaryCtxSetFlags_v2", &cuda->context_flags},
        {"cuDevicePrimaryCtxRetain", &cuda->context_retain},
        {"cuCtxSetCurrent", &cuda->context_use},
        {"cuMemAlloc_v2", &cuda->alloc},
        {"cuMemFree_v2", &cuda->free},
        {"cuMemGetAddressRange_v2", &cuda->range},
        {"cuMemHostAlloc", &cuda->host_alloc},
        {"cuMemFreeHost", &cuda->host_free},
        {"cuMemcpyHtoD_v2", &cuda->copy_in_unpinned},
        {"cuMemcpyDtoH_v2", &cuda->copy_out},
        {"cuMemcpyHtoDAsync_v2", &cuda->copy_in_async},
        {"cuMemcpyDtoHAsync_v2", &cuda->copy_out_async},
        {"cuMemcpyDtoDAsync_v2", &cuda->copy_async},
        {"cuStreamCreate", &cuda->stream_create},
        {"cuStreamDestroy_v2", &cuda->stream_destroy},
        {"cuStreamQuery", &cuda->stream_query},
        {"cuStreamSynchronize", &cuda->stream_wait},
        {"cuStreamBeginCapture_v2", &cuda->capture_begin},
        {"cuStreamEndCapture", &cuda->capture_end},
        {"cuGraphInstantiateWithFlags", &cuda->graph_instantiate},
        {"cuGraphLaunch", &cuda->graph_launch},
        {"cuGraphDestroy", &cuda->graph_destroy},
        {"cuGraphExecDestroy", &cuda->graph_exec_destroy},
        {"cuModuleLoad", &cuda->module_load},
        {"cuModuleGetFunction", &cuda->module_function},
        {"cuLaunchKernel", &cuda->launch},
        {"cuIpcOpenMemHandle_v2", &cuda->ipc_open},
        {"cuIpcCloseMemHandle", &cuda->ipc_close},
    };
    const char *missing = hc_symbols_find(library, symbols, sizeof symbols / sizeof symbols[0]);
    if (missing != NULL) {
        hc_log_warning("the GPU's driver has no %s: it is older than CUDA 11.4", missing);
    }
    return missing == NULL;
}

static void list_devices(int n) {
    driver.n = (size_t)n;
    driver.ids = hc_alloc_array(driver.n, sizeof *driver.ids);
    driver.devices = hc_alloc_array(driver.n, sizeof *driver.devices);
    driver.contexts = hc_alloc_array(driver.n, sizeof(hc_cuda_context));
    for (int i = 0; i < n; i++) {
        char name[NAME_SIZE] = "";
        driver.ids[i] = i;
        driver.functions.device_get(&driver.devices[i], i);
        driver.functions.device_name(name, sizeof name, driver.devices[i]);
        hc_log_info("GPU %d: %s, compute capability %d.%d", i, name,
                    hc_cuda_attribute(i, HC_CUDA_COMPUTE_MAJOR),
                    hc_cuda_attribute(i, HC_CUDA_COMPUTE_MINOR));
    }
}

static void open_driver(void) {
    void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    int n = 0;
    if (library == NULL || !find_functions(library, &driver.functions) ||
        driver.functions.init(0) != HC_CUDA_SUCCESS ||
        driver.functions.device_count(&n) != HC_CUDA_SUCCESS || n <= 0) {
        return; /* the library stays: unloading buys nothing */
    }
    driver.usable = true;
    list_devices(n);
}

const struct hc_cuda *hc_cuda(void) {
    pthread_once(&driver.once, open_driver);
    return driver.usable ? &driver.functions : NULL;
}

enum hc_code hc_cuda_check(int result, const char *what, struct hc_error *error) {
    const char *name = NULL;
    const char *text = NULL;
    if (result == HC_CUDA_SUCCESS) {
        return HC_OK;
    }
    driver.functions.error_name(result, &name);
    driver.functions.error_string(result, &text);
    return hc_error_set(error, result == OUT_OF_MEMORY ? HC_RESOURCE_EXHAUSTED : HC_INTERNAL,
                        "GPU: %s failed: %s (%s)", what, text == NULL ? "unknown error" : text,
                        name == NULL ? "?" : name);
}

enum hc_code hc_cuda_copy_in(hc_cuda_address to, const void *from, size_t size, const char *what,
                             struct hc_error *error) {
    const struct hc_cuda *cuda = &driver.functions;
    HC_TRY(hc_cuda_check(cuda->copy_in_unpinned(to, from, size), what, error));
    return hc_cuda_check(cuda->stream_wait(NULL), what, error); /* that of such copies */
}

size_t hc_cuda_devices(const int32_t **ids) {
    size_t n = hc_cuda() == NULL ? 0 : driver.n;
    *ids = driver.ids;
    return n;
}

int hc_cuda_attribute(int device, int attribute) {
    int value = 0;
    int result = driver.functions.device_attribute(&value, attribute, driver.devices[device]);
    return result == HC_CUDA_SUCCESS ? value : 0;
}

enum hc_code hc_cuda_uuid(int device, struct hc_cuda_uuid *uuid, struct hc_error *error) {
    return hc_cuda_check(driver.functions.device_uuid(uuid, driver.devices[device]),
                         "asking for its UUID", error);
}

/* Threads that wait for the GPU sleep once they have looked for a while, so that they take no core
 * from others. */
static enum hc_code make_context(int device, struct hc_error *error) {
    const struct hc_cuda *cuda = &driver.functions;
    enum hc_code code = HC_OK;
    pthread_mutex_lock(&driver.lock);
    if (driver.contexts[device] == NULL) {
        cuda->context_flags(driver.devices[device], HC_CUDA_CONTEXT_BLOCKING_SYNC);
        code = hc_cuda_check(cuda->context_retain(&driver.contexts[device], driver.devices[device]),
                             "making a context", error);
    }
    pthread_mutex_unlock(&driver.lock);
    return code;
}

enum hc_code hc_cuda_use(int device, struct hc_error *error) {
    const struct hc_cuda *cuda = hc_cuda();
    if (cuda == NULL || device < 0 || (size_t)device >= driver.n) {
        return hc_error_set(error, HC_UNAVAILABLE, "there is no GPU %d", device);
    }
    HC_TRY(make_context(device, error));
    return hc_cuda_check(cuda->context_use(driver.contexts[device]), "entering a context", error);
}
