/*
 * NVIDIA's driver (https://docs.nvidia.com/cuda/cuda-driver-api), as far as tensors need it. It is
 * opened when a model has a tensor in a GPU's memory: nothing else here uses it.
 *
 * All is done in the primary contexts, which frameworks use as well. A GPU is known by the number
 * that it has in this process, where some may be hidden (CUDA_VISIBLE_DEVICES).
 */
#ifndef HC_PYTHON_GPU_DRIVER_H
#define HC_PYTHON_GPU_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gpu_context *gpu_context;
typedef struct gpu_stream *gpu_stream; /* NULL: the default one */

enum { GPU_SUCCESS = 0, GPU_NOT_FOUND = 500, GPU_LAZY_PEER_ACCESS = 1 };

struct gpu_uuid {
    char bytes[16];
};

struct gpu_handle { /* CUipcMemHandle */
    char bytes[64];
};

/* Its functions, as its manual has them. */
struct gpu_driver {
    int (*init)(unsigned flags);
    int (*count)(int *n);
    int (*device)(int *device, int number);
    int (*uuid)(struct gpu_uuid *uuid, int device);
    int (*retain)(gpu_context *context, int device);
    int (*release)(int device);
    int (*push)(gpu_context context);
    int (*pop)(gpu_context *context);
    int (*wait)(void);
    int (*wait_for_stream)(gpu_stream stream);
    int (*alloc)(uint64_t *address, size_t size);
    int (*free)(uint64_t address);
    int (*copy_in)(uint64_t to, const void *from, size_t size);
    int (*copy_out)(void *to, uint64_t from, size_t size);
    int (*copy)(uint64_t to, uint64_t from, size_t size);
    int (*open)(uint64_t *address, struct gpu_handle handle, unsigned flags);
    int (*close)(uint64_t address);
    int (*error_string)(int result, const char **text);
};

/* NULL: there is none. With the GIL, which keeps other threads out, until it was there once. */
const struct gpu_driver *gpu_driver(void);

/*
 * Have the calls that follow on this thread concern the GPU, until gpu_leave(); its context stays
 * for as long. Pairs may nest. Returns the driver's result.
 */
int gpu_enter(int gpu);
void gpu_leave(int gpu);

/* Have the GPU's context stay until gpu_release(). */
int gpu_retain(int gpu, gpu_context *context);
void gpu_release(int gpu);

/* The GPU with that UUID. Returns the driver's result. */
int gpu_find(const char uuid[16], int *gpu);

/* What a result means. */
const char *gpu_text(int result);

#endif
