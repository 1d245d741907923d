/*
 * A libcuda.so.1 for machines without a GPU: memory of the GPU is memory of the process, streams
 * run at once, and kernels are known by their names and do here what they do there. What the server
 * does with GPUs is tested with it, all but the kernels themselves.
 *
 * FAKE_CUDA_DEVICES: how many GPUs there are, 1 unless given. FAKE_CUDA_FAIL_AFTER: the kernels
 * that may still be started before all fail. Memory of other processes is shared by handles that
 * hold the name of POSIX shared memory.
 */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/linear/cuda/parameters.h"
#include "backend/linear/half.h"

#define EXPORT __attribute__((visibility("default")))

enum { SUCCESS = 0, INVALID_VALUE = 1, NOT_FOUND = 500, LAUNCH_FAILED = 719 };
enum { COMPUTE_MAJOR = 75, COMPUTE_MINOR = 76, N_PROCESSORS = 16 };

/* ---- Memory ---- */

struct block {
    struct block *next;
    char *memory;
    size_t size;
    bool mapped;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct block *blocks;

static struct block *add_block(char *memory, size_t size, bool mapped) {
    struct block *block = calloc(1, sizeof *block);
    *block = (struct block){.memory = memory, .size = size, .mapped = mapped};
    pthread_mutex_lock(&lock);
    block->next = blocks;
    blocks = block;
    pthread_mutex_unlock(&lock);
    return block;
}

static struct block **find_block(uint64_t address) {
    struct block **place = &blocks;
    while (*place != NULL && (address < (uintptr_t)(*place)->memory ||
                              address >= (uintptr_t)(*place)->memory + (*place)->size)) {
        place = &(*place)->next;
    }
    return place;
}

static int remove_block(uint64_t address) {
    pthread_mutex_lock(&lock);
    struct block **place = find_block(address);
    struct block *block = *place;
    if (block == NULL || (uintptr_t)block->memory != address) {
        pthread_mutex_unlock(&lock);
        return INVALID_VALUE;
    }
    *place = block->next;
    pthread_mutex_unlock(&lock);
    if (block->mapped) {
        munmap(block->memory, block->size);
    } else {
        free(block->memory);
    }
    free(block);
    return SUCCESS;
}

EXPORT int cuMemAlloc_v2(uint64_t *address, size_t size) {
    size_t rounded = (size + 255) / 256 * 256;
    char *memory = size == 0 ? NULL : aligned_alloc(256, rounded);
    if (memory == NULL) {
        return INVALID_VALUE;
    }
    memset(memory, 0xff, rounded); /* no number: what is read before it is written shows */
    *address = (uintptr_t)add_block(memory, size, false)->memory;
    return SUCCESS;
}

EXPORT int cuMemFree_v2(uint64_t address) {
    return remove_block(address);
}

EXPORT int cuMemGetAddressRange_v2(uint64_t *base, size_t *size, uint64_t address) {
    pthread_mutex_lock(&lock);
    const struct block *block = *find_block(address);
    if (block != NULL) {
        *base = (uintptr_t)block->memory;
        *size = block->size;
    }
    pthread_mutex_unlock(&lock);
    return block != NULL ? SUCCESS : NOT_FOUND;
}

EXPORT int cuMemHostAlloc(void **memory, size_t size, unsigned flags) {
    (void)flags;
    *memory = malloc(size);
    return *memory != NULL ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuMemFreeHost(void *memory) {
    free(memory);
    return SUCCESS;
}

struct ipc_handle {
    char name[64];
};

EXPORT int cuIpcOpenMemHandle_v2(uint64_t *address, struct ipc_handle handle, unsigned flags) {
    (void)flags;
    handle.name[sizeof handle.name - 1] = '\0';
    int fd = shm_open(handle.name, O_RDWR, 0);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        return INVALID_VALUE;
    }
    size_t size = (size_t)status.st_size;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED) {
        return INVALID_VALUE;
    }
    *address = (uintptr_t)add_block(memory, size, true)->memory;
    return SUCCESS;
}

EXPORT int cuIpcCloseMemHandle(uint64_t address) {
    return remove_block(address);
}

/* ---- Devices ---- */

EXPORT int cuInit(unsigned flags) {
    return flags == 0 ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuGetErrorName(int result, const char **name) {
    *name = result == LAUNCH_FAILED ? "CUDA_ERROR_LAUNCH_FAILED" : "CUDA_ERROR_INVALID_VALUE";
    return SUCCESS;
}

EXPORT int cuGetErrorString(int result, const char **text) {
    *text = result == LAUNCH_FAILED ? "unspecified launch failure" : "invalid argument";
    return SUCCESS;
}

EXPORT int cuDeviceGetCount(int *n) {
    const char *given = getenv("FAKE_CUDA_DEVICES");
    *n = given == NULL ? 1 : atoi(given);
    return SUCCESS;
}

EXPORT int cuDeviceGet(int *device, int index) {
    *device = index;
    return SUCCESS;
}

EXPORT int cuDeviceGetName(char *name, int size, int device) {
    snprintf(name, (size_t)size, "no GPU %d", device);
    return SUCCESS;
}

EXPORT int cuDeviceGetAttribute(int *value, int attribute, int device) {
    (void)device;
    *value = attribute == COMPUTE_MAJOR ? 8 : attribute == N_PROCESSORS ? 4 : 0;
    return SUCCESS;
}

EXPORT int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) {
    (void)device, (void)flags;
    return SUCCESS;
}

EXPORT int cuDevicePrimaryCtxRetain(void **context, int device) {
    static char contexts[16];
    *context = &contexts[device];
    return SUCCESS;
}

EXPORT int cuCtxSetCurrent(void *context) {
    return context != NULL ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
    (void)device;
    return SUCCESS;
}

EXPORT int cuCtxPushCurrent_v2(void *context) {
    return context != NULL ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuCtxPopCurrent_v2(void **context) {
    *context = NULL;
    return SUCCESS;
}

EXPORT int cuCtxSynchronize(void) {
    return SUCCESS;
}

/* ---- Kernels ---- */

static double get(uint64_t place, size_t index, uint32_t number) {
    const void *memory = (const void *)place;
    switch (number) {
    case GPU_F64:
        return ((const double *)memory)[index];
    case GPU_F16:
        return half_to_float(((const uint16_t *)memory)[index]);
    case GPU_BF16:
        return bfloat_to_float(((const uint16_t *)memory)[index]);
    case GPU_I8:
        return ((const int8_t *)memory)[index];
    default:
        return ((const float *)memory)[index];
    }
}

static void put(uint64_t place, size_t index, uint32_t number, double value) {
    void *memory = (void *)place;
    switch (number) {
    case GPU_F64:
        ((double *)memory)[index] = value;
        return;
    case GPU_F16:
        ((uint16_t *)memory)[index] = float_to_half((float)value);
        return;
    case GPU_BF16:
        ((uint16_t *)memory)[index] = float_to_bfloat((float)value);
        return;
    default:
        ((float *)memory)[index] = (float)value;
        return;
    }
}

static double operate(uint32_t operation, double x, double slope) {
    switch (operation) {
    case GPU_RELU:
        return x < 0 ? 0 : x;
    case GPU_LEAKY_RELU:
        return x < 0 ? slope * x : x;
    case GPU_GELU:
        return 0.5 * x * (1 + erf(x * M_SQRT1_2));
    case GPU_GELU_TANH:
        return 0.5 * x * (1 + tanh(M_SQRT2 * M_2_SQRTPI * 0.5 * (x + 0.044715 * x * x * x)));
    case GPU_TANH:
        return tanh(x);
    case GPU_SIGMOID:
        return 1 / (1 + exp(-x));
    case GPU_SILU:
        return x / (1 + exp(-x));
    default:
        return x;
    }
}

static void run_linear(const struct gpu_linear *p, uint32_t number) {
    uint32_t real = number == GPU_F64 ? GPU_F64 : GPU_F32;
    uint32_t x_number = number == GPU_I8 ? GPU_F32 : number;
    for (uint32_t row = 0; row < p->n_rows; row++) {
        for (uint32_t output = 0; output < p->n_stored; output++) {
            double sum = 0;
            for (uint32_t i = 0; output < p->n_out && i < p->n_in; i++) {
                sum += get(p->x, (size_t)row * p->x_stride + i, x_number) *
                       get(p->weights, (size_t)output * p->weights_stride + i, number);
            }
            if (output < p->n_out) {
                sum = p->scales == 0 ? sum : sum * get(p->scales, output, real);
                sum = p->bias == 0 ? sum : sum + get(p->bias, output, real);
                sum = operate(p->operation, sum, p->slope);
            }
            put(p->y, (size_t)row * p->y_stride + output, p->y_number, sum);
        }
    }
}

static void normalise(const struct gpu_apply *p, double *row, uint32_t real) {
    double mean = 0;
    double variance = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        mean += row[i] / p->n;
    }
    for (uint32_t i = 0; i < p->n; i++) {
        variance += (row[i] - mean) * (row[i] - mean) / p->n;
    }
    for (uint32_t i = 0; i < p->n; i++) {
        row[i] = (row[i] - mean) / sqrt(variance + p->parameter);
        row[i] *= p->weights == 0 ? 1 : get(p->weights, i, real);
        row[i] += p->bias == 0 ? 0 : get(p->bias, i, real);
    }
}

static void soften(const struct gpu_apply *p, double *row) {
    double largest = row[0];
    double sum = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        largest = row[i] > largest ? row[i] : largest;
    }
    for (uint32_t i = 0; i < p->n; i++) {
        row[i] = exp(row[i] - largest);
        sum += row[i];
    }
    for (uint32_t i = 0; i < p->n; i++) {
        row[i] /= sum;
    }
}

static void run_apply(const struct gpu_apply *p, uint32_t real) {
    double *row = calloc(p->n_stored + p->n, sizeof *row);
    for (uint32_t i = 0; i < p->n_rows; i++) {
        memset(row, 0, p->n_stored * sizeof *row);
        for (uint32_t j = 0; j < p->n; j++) {
            row[j] = get(p->x, (size_t)i * p->x_stride + j, p->x_number);
        }
        if (p->operation == GPU_NORM) {
            normalise(p, row, real);
        } else if (p->operation == GPU_SOFTMAX) {
            soften(p, row);
        }
        for (uint32_t j = 0; j < p->n_stored; j++) {
            double value = j < p->n && p->operation < GPU_NORM
                               ? operate(p->operation, row[j], p->parameter)
                               : row[j];
            put(p->y, (size_t)i * p->y_stride + j, p->y_number, value);
        }
    }
    free(row);
}

struct function {
    char name[32];
};

static uint32_t number_of(const char *name) {
    const char *number = strchr(name, '_') + 1;
    return strncmp(number, "f64", 3) == 0    ? GPU_F64
           : strncmp(number, "f16", 3) == 0  ? GPU_F16
           : strncmp(number, "bf16", 4) == 0 ? GPU_BF16
           : strncmp(number, "i8", 2) == 0   ? GPU_I8
                                             : GPU_F32;
}

EXPORT int cuModuleLoad(void **module, const char *path) {
    *module = (void *)cuModuleLoad;
    return access(path, R_OK) == 0 ? SUCCESS : NOT_FOUND;
}

EXPORT int cuModuleGetFunction(struct function **function, void *module, const char *name) {
    (void)module;
    *function = calloc(1, sizeof **function);
    snprintf((*function)->name, sizeof(*function)->name, "%s", name);
    return SUCCESS;
}

/* ---- Streams, and what is recorded of them ---- */

struct operation {
    const struct function *function; /* NULL: a copy */
    union {
        struct gpu_linear linear;
        struct gpu_apply apply;
        struct {
            void *to;
            const void *from;
            size_t size;
        } copy;
    };
};

struct graph {
    struct operation *operations;
    size_t n;
};

struct stream {
    struct graph *recording; /* NULL: what comes is run */
    int failed;
};

static bool may_start(void) {
    static int n_started;
    const char *limit = getenv("FAKE_CUDA_FAIL_AFTER");
    pthread_mutex_lock(&lock);
    bool may = limit == NULL || n_started++ < atoi(limit);
    pthread_mutex_unlock(&lock);
    return may;
}

static int run(const struct operation *operation) {
    const struct function *function = operation->function;
    if (function == NULL) {
        memcpy(operation->copy.to, operation->copy.from, operation->copy.size);
    } else if (!may_start()) {
        return LAUNCH_FAILED;
    } else if (strncmp(function->name, "apply", 5) == 0) {
        run_apply(&operation->apply, number_of(function->name));
    } else {
        run_linear(&operation->linear, number_of(function->name));
    }
    return SUCCESS;
}

static int add(struct stream *stream, const struct operation *operation) {
    struct graph *graph = stream->recording;
    if (graph == NULL) {
        int result = run(operation);
        stream->failed = stream->failed != SUCCESS ? stream->failed : result;
        return SUCCESS;
    }
    graph->operations = realloc(graph->operations, (graph->n + 1) * sizeof *graph->operations);
    graph->operations[graph->n++] = *operation;
    return SUCCESS;
}

static int add_copy(struct stream *stream, void *to, const void *from, size_t size) {
    return add(stream, &(struct operation){.copy = {to, from, size}});
}

EXPORT int cuLaunchKernel(const struct function *function, unsigned grid_x, unsigned grid_y,
                          unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                          unsigned shared_size, struct stream *stream, void **parameters,
                          void **extra) {
    (void)shared_size, (void)extra;
    struct operation operation = {.function = function};
    if (grid_x == 0 || grid_y == 0 || grid_z != 1 || block_x != GPU_WARPS * GPU_WARP ||
        block_y != 1 || block_z != 1) {
        return INVALID_VALUE;
    }
    if (strncmp(function->name, "apply", 5) == 0) {
        operation.apply = *(const struct gpu_apply *)parameters[0];
    } else {
        operation.linear = *(const struct gpu_linear *)parameters[0];
    }
    return add(stream, &operation);
}

EXPORT int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t size) {
    memcpy((void *)to, from, size);
    return SUCCESS;
}

EXPORT int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t size) {
    memcpy(to, (const void *)from, size);
    return SUCCESS;
}

EXPORT int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t size, struct stream *stream) {
    return add_copy(stream, (void *)to, from, size);
}

EXPORT int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t size, struct stream *stream) {
    return add_copy(stream, to, (const void *)from, size);
}

EXPORT int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t size, struct stream *stream) {
    return add_copy(stream, (void *)to, (const void *)from, size);
}

EXPORT int cuStreamCreate(struct stream **stream, unsigned flags) {
    (void)flags;
    *stream = calloc(1, sizeof **stream);
    return SUCCESS;
}

EXPORT int cuStreamDestroy_v2(struct stream *stream) {
    free(stream);
    return SUCCESS;
}

EXPORT int cuStreamQuery(struct stream *stream) {
    return stream->failed;
}

EXPORT int cuStreamSynchronize(struct stream *stream) {
    return stream->failed;
}

EXPORT int cuStreamBeginCapture_v2(struct stream *stream, int mode) {
    (void)mode;
    stream->recording = calloc(1, sizeof *stream->recording);
    return SUCCESS;
}

EXPORT int cuStreamEndCapture(struct stream *stream, struct graph **graph) {
    *graph = stream->recording;
    stream->recording = NULL;
    return SUCCESS;
}

EXPORT int cuGraphInstantiateWithFlags(struct graph **exec, const struct graph *graph,
                                       unsigned long long flags) {
    (void)flags;
    *exec = calloc(1, sizeof **exec);
    (*exec)->n = graph->n;
    (*exec)->operations = calloc(graph->n, sizeof *graph->operations);
    memcpy((*exec)->operations, graph->operations, graph->n * sizeof *graph->operations);
    return SUCCESS;
}

EXPORT int cuGraphLaunch(const struct graph *exec, struct stream *stream) {
    for (size_t i = 0; i < exec->n; i++) {
        add(stream, &exec->operations[i]);
    }
    return SUCCESS;
}

EXPORT int cuGraphDestroy(struct graph *graph) {
    free(graph->operations);
    free(graph);
    return SUCCESS;
}

EXPORT int cuGraphExecDestroy(struct graph *exec) {
    return cuGraphDestroy(exec);
}
