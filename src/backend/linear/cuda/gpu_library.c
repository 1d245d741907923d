/*
 * cuBLASLt (https://docs.nvidia.com/cuda/cublas/#using-the-cublaslt-api), opened if it is there:
 * its few functions and constants are declared here as its manual has them.
 *
 * It thinks in columns where the server thinks in rows, so that what is asked of it is the
 * transpose of everything: yᵀ = W xᵀ, where W, as its columns see it, is to be transposed.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/symbols.h"
#include "gpu.h"

enum {
    COMPUTE_32F = 68,
    COMPUTE_64F = 70,
    TYPE_R_32F = 0,
    TYPE_R_64F = 1,
    TYPE_R_16F = 2,
    TYPE_R_16BF = 14,
    DESC_TRANSA = 3,
    DESC_EPILOGUE = 7,
    DESC_BIAS_POINTER = 8,
    EPILOGUE_DEFAULT = 1,
    EPILOGUE_RELU = 2,
    EPILOGUE_BIAS = 4,
    OP_T = 1,
    PREFERENCE_MAX_WORKSPACE = 1,
    PREFERENCE_MIN_ALIGNMENT_D = 8,
};

typedef struct cublas_lt *cublas_handle;
typedef struct cublas_desc *cublas_desc;
typedef struct cublas_layout *cublas_layout;
typedef struct cublas_preference *cublas_preference;

struct cublas_algorithm {
    uint64_t data[8];
};

struct cublas_found {
    struct cublas_algorithm algorithm;
    size_t workspace_size;
    int state;
    float waves;
    int reserved[4];
};

struct gpu_library {
    cublas_handle handle;
    int (*create)(cublas_handle *handle);
    int (*desc_create)(cublas_desc *desc, int compute, int scale_type);
    int (*desc_destroy)(cublas_desc desc);
    int (*desc_set)(cublas_desc desc, int attribute, const void *value, size_t size);
    int (*layout_create)(cublas_layout *layout, int type, uint64_t n_rows, uint64_t n_columns,
                         int64_t stride);
    int (*layout_destroy)(cublas_layout layout);
    int (*preference_create)(cublas_preference *preference);
    int (*preference_destroy)(cublas_preference preference);
    int (*preference_set)(cublas_preference preference, int attribute, const void *value,
                          size_t size);
    int (*find)(cublas_handle handle, cublas_desc desc, cublas_layout a, cublas_layout b,
                cublas_layout c, cublas_layout d, cublas_preference preference, int n_wanted,
                struct cublas_found *found, int *n_found);
    int (*multiply)(cublas_handle handle, cublas_desc desc, const void *alpha, const void *a,
                    cublas_layout a_layout, const void *b, cublas_layout b_layout, const void *beta,
                    const void *c, cublas_layout c_layout, void *d, cublas_layout d_layout,
                    const struct cublas_algorithm *algorithm, void *workspace,
                    size_t workspace_size, hc_cuda_stream stream);
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct gpu_library **libraries; /* by GPU */
static bool looked_for;
static void *shared_object;

static bool find_functions(void *object, struct gpu_library *library) {
    const struct hc_symbol symbols[] = {
        {"cublasLtCreate", &library->create},
        {"cublasLtMatmulDescCreate", &library->desc_create},
        {"cublasLtMatmulDescDestroy", &library->desc_destroy},
        {"cublasLtMatmulDescSetAttribute", &library->desc_set},
        {"cublasLtMatrixLayoutCreate", &library->layout_create},
        {"cublasLtMatrixLayoutDestroy", &library->layout_destroy},
        {"cublasLtMatmulPreferenceCreate", &library->preference_create},
        {"cublasLtMatmulPreferenceDestroy", &library->preference_destroy},
        {"cublasLtMatmulPreferenceSetAttribute", &library->preference_set},
        {"cublasLtMatmulAlgoGetHeuristic", &library->find},
        {"cublasLtMatmul", &library->multiply},
    };
    return hc_symbols_find(object, symbols, sizeof symbols / sizeof symbols[0]) == NULL;
}

static void look_for_it(void) {
    static const char *const names[] = {"libcublasLt.so.13", "libcublasLt.so.12",
                                        "libcublasLt.so.11"};
    for (size_t i = 0; shared_object == NULL && i < sizeof names / sizeof names[0]; i++) {
        shared_object = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    }
    if (shared_object == NULL) {
        hc_log_info("cuBLASLt is not there: large layers go to the server's own kernels");
    }
}

static struct gpu_library *open_for(int device) {
    hc_auto(memory) fresh = hc_new(struct gpu_library);
    struct gpu_library *library = fresh;
    if (!find_functions(shared_object, library) || hc_cuda_use(device, NULL) != HC_OK ||
        library->create(&library->handle) != 0) {
        hc_log_warning("cuBLASLt cannot be used: large layers go to the server's own kernels");
        return NULL;
    }
    return hc_take(fresh);
}

struct gpu_library *gpu_library_open(int device) {
    const int32_t *ids;
    size_t n = hc_cuda_devices(&ids);
    struct gpu_library *library = NULL;
    pthread_mutex_lock(&lock);
    if (!looked_for) {
        looked_for = true;
        libraries = hc_alloc_array(n, sizeof *libraries);
        look_for_it();
    }
    if (shared_object != NULL && (size_t)device < n) {
        if (libraries[device] == NULL) {
            libraries[device] = open_for(device);
        }
        library = libraries[device];
    }
    pthread_mutex_unlock(&lock);
    return library;
}

/* What one call needs, made anew each time: calls that repeat are kept as graphs. */
struct call {
    struct gpu_library *library;
    cublas_desc desc;
    cublas_layout weights;
    cublas_layout x;
    cublas_layout y;
    cublas_preference preference;
};

static void finish_call(struct call *call) {
    const struct gpu_library *library = call->library;
    if (call->preference != NULL) {
        library->preference_destroy(call->preference);
    }
    cublas_layout layouts[] = {call->weights, call->x, call->y};
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        if (layouts[i] != NULL) {
            library->layout_destroy(layouts[i]);
        }
    }
    if (call->desc != NULL) {
        library->desc_destroy(call->desc);
    }
}

static int type_of(enum gpu_number number) {
    return number == GPU_F64    ? TYPE_R_64F
           : number == GPU_F16  ? TYPE_R_16F
           : number == GPU_BF16 ? TYPE_R_16BF
                                : TYPE_R_32F;
}

static bool set_epilogue(const struct call *call, const struct gpu_linear *linear) {
    int epilogue = EPILOGUE_DEFAULT;
    if (linear->bias != 0) {
        epilogue = EPILOGUE_BIAS;
        if (call->library->desc_set(call->desc, DESC_BIAS_POINTER, &linear->bias,
                                    sizeof linear->bias) != 0) {
            return false;
        }
    }
    if (linear->operation == GPU_RELU) {
        epilogue = linear->bias != 0 ? EPILOGUE_BIAS | EPILOGUE_RELU : EPILOGUE_RELU;
    }
    return call->library->desc_set(call->desc, DESC_EPILOGUE, &epilogue, sizeof epilogue) == 0;
}

static bool describe(struct call *call, enum gpu_number number, const struct gpu_linear *linear) {
    struct gpu_library *library = call->library;
    const int type = type_of(number);
    const int scale_type = number == GPU_F64 ? TYPE_R_64F : TYPE_R_32F;
    const int transposed = OP_T;
    const size_t workspace_size = GPU_WORKSPACE_SIZE;
    const uint32_t y_alignment = 16;
    return library->desc_create(&call->desc, number == GPU_F64 ? COMPUTE_64F : COMPUTE_32F,
                                scale_type) == 0 &&
           library->desc_set(call->desc, DESC_TRANSA, &transposed, sizeof transposed) == 0 &&
           set_epilogue(call, linear) &&
           library->layout_create(&call->weights, type, linear->n_in, linear->n_out,
                                  linear->weights_stride) == 0 &&
           library->layout_create(&call->x, type, linear->n_in, linear->n_rows, linear->x_stride) ==
               0 &&
           library->layout_create(&call->y, type, linear->n_out, linear->n_rows,
                                  linear->y_stride) == 0 &&
           library->preference_create(&call->preference) == 0 &&
           library->preference_set(call->preference, PREFERENCE_MAX_WORKSPACE, &workspace_size,
                                   sizeof workspace_size) == 0 &&
           library->preference_set(call->preference, PREFERENCE_MIN_ALIGNMENT_D, &y_alignment,
                                   sizeof y_alignment) == 0;
}

/* The addresses are the GPU's, which the library takes as pointers. */
static void *pointer(hc_cuda_address address) {
    return (void *)(uintptr_t)address; // NOLINT(performance-no-int-to-ptr)
}

enum hc_code gpu_library_run(struct gpu_library *library, enum gpu_number number,
                             const struct gpu_linear *linear, hc_cuda_address workspace,
                             hc_cuda_stream stream, struct hc_error *error) {
    __attribute__((cleanup(finish_call))) struct call call = {.library = library};
    struct cublas_found found;
    int n_found = 0;
    if (!describe(&call, number, linear) ||
        library->find(library->handle, call.desc, call.weights, call.x, call.y, call.y,
                      call.preference, 1, &found, &n_found) != 0 ||
        n_found == 0) {
        return hc_error_set(error, HC_UNIMPLEMENTED, "cuBLASLt knows no way");
    }
    const double real_alpha = 1;
    const double real_beta = 0;
    const float alpha = 1;
    const float beta = 0;
    bool is_double = number == GPU_F64;
    int result = library->multiply(
        library->handle, call.desc, is_double ? (const void *)&real_alpha : &alpha,
        pointer(linear->weights), call.weights, pointer(linear->x), call.x,
        is_double ? (const void *)&real_beta : &beta, pointer(linear->y), call.y,
        pointer(linear->y), call.y, &found.algorithm, pointer(workspace), GPU_WORKSPACE_SIZE,
        stream);
    if (result != 0) {
        return hc_error_set(error, HC_INTERNAL, "GPU: cuBLASLt failed with status %d", result);
    }
    return HC_OK;
}
