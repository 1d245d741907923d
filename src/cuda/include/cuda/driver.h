/*
 * NVIDIA's driver, opened when it is there: libcuda.so.1, which comes with every GPU's driver, and
 * never any of CUDA's own libraries (https://docs.nvidia.com/cuda/cuda-driver-api). Its few
 * functions and types are declared here as its manual has them.
 *
 * Any thread may call. The driver is looked for once, at the first call of hc_cuda().
 */
#ifndef HC_CUDA_DRIVER_H
#define HC_CUDA_DRIVER_H

#include <stdint.h>

#include "base/error.h"

typedef uint64_t hc_cuda_address; /* in a GPU's memory, or in pinned memory as the GPU sees it */
typedef struct hc_cuda_context *hc_cuda_context;
typedef struct hc_cuda_stream *hc_cuda_stream;
typedef struct hc_cuda_graph *hc_cuda_graph;
typedef struct hc_cuda_graph_exec *hc_cuda_graph_exec;
typedef struct hc_cuda_module *hc_cuda_module;
typedef struct hc_cuda_function *hc_cuda_function;

enum { HC_CUDA_IPC_HANDLE_SIZE = 64, HC_CUDA_UUID_SIZE = 16 };

struct hc_cuda_ipc_handle {
    char bytes[HC_CUDA_IPC_HANDLE_SIZE];
};

struct hc_cuda_uuid {
    char bytes[HC_CUDA_UUID_SIZE];
};

/* Results of the driver's functions, and arguments: the few that are used. */
enum {
    HC_CUDA_SUCCESS = 0,
    HC_CUDA_NOT_READY = 600,
    HC_CUDA_CONTEXT_BLOCKING_SYNC = 4,
    HC_CUDA_STREAM_NON_BLOCKING = 1,
    HC_CUDA_CAPTURE_THREAD_LOCAL = 1,
    HC_CUDA_IPC_LAZY_PEER_ACCESS = 1,
    HC_CUDA_COMPUTE_MAJOR = 75, /* attributes of devices */
    HC_CUDA_COMPUTE_MINOR = 76,
    HC_CUDA_N_PROCESSORS = 16,
};

/* The driver's functions, by their names without "cu". */
struct hc_cuda {
    int (*init)(unsigned flags);
    int (*error_name)(int result, const char **name);
    int (*error_string)(int result, const char **text);
    int (*device_count)(int *n);
    int (*device_get)(int *device, int index);
    int (*device_name)(char *name, int size, int device);
    int (*device_attribute)(int *value, int attribute, int device);
    int (*device_uuid)(struct hc_cuda_uuid *uuid, int device);
    int (*context_flags)(int device, unsigned flags);
    int (*context_retain)(hc_cuda_context *context, int device);
    int (*context_use)(hc_cuda_context context);
    int (*alloc)(hc_cuda_address *address, size_t size);
    int (*free)(hc_cuda_address address);
    int (*range)(hc_cuda_address *base, size_t *size, hc_cuda_address address);
    int (*host_alloc)(void **memory, size_t size, unsigned flags);
    int (*host_free)(void *memory);
    int (*copy_in_unpinned)(hc_cuda_address to, const void *from, size_t size);
    int (*copy_out)(void *to, hc_cuda_address from, size_t size);
    int (*copy_in_async)(hc_cuda_address to, const void *from, size_t size, hc_cuda_stream stream);
    int (*copy_out_async)(void *to, hc_cuda_address from, size_t size, hc_cuda_stream stream);
    int (*copy_async)(hc_cuda_address to, hc_cuda_address from, size_t size, hc_cuda_stream stream);
    int (*stream_create)(hc_cuda_stream *stream, unsigned flags);
    int (*stream_destroy)(hc_cuda_stream stream);
    int (*stream_query)(hc_cuda_stream stream);
    int (*stream_wait)(hc_cuda_stream stream);
    int (*capture_begin)(hc_cuda_stream stream, int mode);
    int (*capture_end)(hc_cuda_stream stream, hc_cuda_graph *graph);
    int (*graph_instantiate)(hc_cuda_graph_exec *exec, hc_cuda_graph graph,
                             unsigned long long flags);
    int (*graph_launch)(hc_cuda_graph_exec exec, hc_cuda_stream stream);
    int (*graph_destroy)(hc_cuda_graph graph);
    int (*graph_exec_destroy)(hc_cuda_graph_exec exec);
    int (*module_load)(hc_cuda_module *module, const char *path);
    int (*module_function)(hc_cuda_function *function, hc_cuda_module module, const char *name);
    int (*launch)(hc_cuda_function function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                  unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_size,
                  hc_cuda_stream stream, void **parameters, void **extra);
    int (*ipc_open)(hc_cuda_address *address, struct hc_cuda_ipc_handle handle, unsigned flags);
    int (*ipc_close)(hc_cuda_address address);
};

/* NULL: there is no driver, or no GPU for it. */
const struct hc_cuda *hc_cuda(void);

/* HC_OK, or HC_INTERNAL (HC_RESOURCE_EXHAUSTED for want of memory) with what was tried and why it
 * failed. */
enum hc_code hc_cuda_check(int result, const char *what, struct hc_error *error);

/*
 * Copy from memory that is not pinned, all the way: the driver's own call may return when it has
 * read that, with the GPU's memory still to be written, for which streams that do not block would
 * not wait, nor would other processes.
 */
enum hc_code hc_cuda_copy_in(hc_cuda_address to, const void *from, size_t size, const char *what,
                             struct hc_error *error);

/* The GPUs, which are numbered from 0; ids point to those numbers. */
size_t hc_cuda_devices(const int32_t **ids);

/*
 * Have the calling thread's calls concern that GPU from here on. The first for a GPU makes its
 * context, which takes a moment, and which all of the process share.
 */
enum hc_code hc_cuda_use(int device, struct hc_error *error);

/* One of a GPU's attributes; 0 when it does not tell. */
int hc_cuda_attribute(int device, int attribute);

/* What a GPU is called in every process, however they are numbered there. */
enum hc_code hc_cuda_uuid(int device, struct hc_cuda_uuid *uuid, struct hc_error *error);

#endif
