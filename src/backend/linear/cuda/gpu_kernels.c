/* The kernels' file, loaded for each GPU that is used. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "gpu.h"

enum { LEAST_CAPABILITY = 75, MAX_NAME_SIZE = 32 };

static const char *const numbers[GPU_N_NUMBERS] = {
    [GPU_F32] = "f32", [GPU_F64] = "f64", [GPU_F16] = "f16", [GPU_BF16] = "bf16", [GPU_I8] = "i8"};

static char *kernels_path;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct gpu_kernels **loaded; /* by GPU */

void gpu_kernels_set_path(const char *path) {
    free(kernels_path);
    kernels_path = hc_strdup(path);
}

bool gpu_kernels_exist(void) {
    return kernels_path != NULL && access(kernels_path, R_OK) == 0;
}

static void name_kernel(unsigned index, char *name) {
    if (index < GPU_TILES) {
        snprintf(name, MAX_NAME_SIZE, "rows_%s_%u", numbers[index / GPU_N_ROWS],
                 1u << index % GPU_N_ROWS);
    } else if (index < GPU_APPLY) {
        index -= GPU_TILES;
        snprintf(name, MAX_NAME_SIZE, "tiles_%s_%u", numbers[GPU_F16 + index / GPU_N_TILES],
                 index % GPU_N_TILES == 0 ? 1 : 4);
    } else {
        snprintf(name, MAX_NAME_SIZE, "apply_%s", numbers[index - GPU_APPLY]);
    }
}

static enum hc_code load(int device, struct gpu_kernels *kernels, struct hc_error *error) {
    const struct hc_cuda *cuda = hc_cuda();
    hc_cuda_module module;
    HC_TRY(hc_cuda_use(device, error));
    kernels->device = device;
    kernels->capability = 10 * hc_cuda_attribute(device, HC_CUDA_COMPUTE_MAJOR) +
                          hc_cuda_attribute(device, HC_CUDA_COMPUTE_MINOR);
    kernels->n_processors = (unsigned)hc_cuda_attribute(device, HC_CUDA_N_PROCESSORS);
    if (kernels->capability < LEAST_CAPABILITY) {
        return hc_error_set(error, HC_FAILED_PRECONDITION,
                            "GPU %d has compute capability %d.%d, linear models need %d.%d", device,
                            kernels->capability / 10, kernels->capability % 10,
                            LEAST_CAPABILITY / 10, LEAST_CAPABILITY % 10);
    }
    HC_TRY(hc_cuda_check(cuda->module_load(&module, kernels_path), "loading the kernels", error));
    for (unsigned i = 0; i < GPU_N_KERNELS; i++) {
        char name[MAX_NAME_SIZE];
        name_kernel(i, name);
        HC_TRY(hc_cuda_check(cuda->module_function(&kernels->functions[i], module, name), name,
                             error));
    }
    return HC_OK;
}

static enum hc_code load_once(int device, const struct gpu_kernels **kernels,
                              struct hc_error *error) {
    const int32_t *ids;
    size_t n = hc_cuda_devices(&ids);
    if (device < 0 || (size_t)device >= n) {
        return hc_error_set(error, HC_UNAVAILABLE, "there is no GPU %d", device);
    }
    if (loaded == NULL) {
        loaded = hc_alloc_array(n, sizeof *loaded);
    }
    if (loaded[device] == NULL) {
        hc_auto(memory) fresh = hc_new(struct gpu_kernels);
        HC_TRY(load(device, fresh, error));
        loaded[device] = hc_take(fresh);
    }
    *kernels = loaded[device];
    return HC_OK;
}

enum hc_code gpu_kernels_load(int device, const struct gpu_kernels **kernels,
                              struct hc_error *error) {
    pthread_mutex_lock(&lock);
    enum hc_code code = load_once(device, kernels, error);
    pthread_mutex_unlock(&lock);
    return code;
}
