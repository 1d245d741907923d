/* An instance on a GPU: its stream, and its memory for rows. */
#include "gpu_instance.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* What an instance's memory for rows between two layers comes to at most. */
enum { MAX_BUFFER_SIZE = 64 << 20, MAX_ROWS = 1 << 16, LEAST_ROWS = 32 };

static void drop_graphs(struct gpu_instance *own) {
    for (size_t i = 0; i < GPU_MAX_GRAPHS; i++) {
        if (own->graphs.items[i].exec != NULL) {
            own->cuda->graph_exec_destroy(own->graphs.items[i].exec);
        }
    }
    own->graphs = (struct gpu_graphs){0};
}

static void free_rows(struct gpu_instance *own) {
    drop_graphs(own);
    for (size_t i = 0; i <= GPU_OUT; i++) {
        if (own->places[i] != 0) {
            own->cuda->free(own->places[i]);
        }
        own->places[i] = 0;
    }
    if (own->staged_x != NULL) {
        own->cuda->host_free(hc_take(own->staged_x));
    }
    if (own->staged_y != NULL) {
        own->cuda->host_free(hc_take(own->staged_y));
    }
    own->capacity = 0;
}

enum hc_code gpu_instance_allocate(const struct gpu_instance *own, size_t size,
                                   hc_cuda_address *address, struct hc_error *error) {
    return hc_cuda_check(own->cuda->alloc(address, size), "memory for rows", error);
}

static enum hc_code allocate_pinned(const struct gpu_instance *own, size_t size, char **memory,
                                    struct hc_error *error) {
    void *pinned;
    HC_TRY(hc_cuda_check(own->cuda->host_alloc(&pinned, size, 0), "pinned memory", error));
    *memory = pinned;
    return HC_OK;
}

static enum hc_code allocate_rows(struct gpu_instance *own, uint32_t n, struct hc_error *error) {
    const struct gpu_stack *stack = own->stack;
    size_t hidden_size = (size_t)stack->widest * gpu_number_size(stack->number);
    HC_TRY(allocate_pinned(own, n * own->x_size, &own->staged_x, error));
    HC_TRY(allocate_pinned(own, n * own->y_size, &own->staged_y, error));
    memset(own->staged_x, 0, n * own->x_size); /* what pads rows stays so */
    HC_TRY(gpu_instance_allocate(own, n * own->x_size, &own->places[GPU_IN], error));
    HC_TRY(gpu_instance_allocate(own, n * own->y_size, &own->places[GPU_OUT], error));
    HC_TRY(gpu_instance_allocate(own, n * hidden_size, &own->places[GPU_HIDDEN_0], error));
    HC_TRY(gpu_instance_allocate(own, n * hidden_size, &own->places[GPU_HIDDEN_1], error));
    own->capacity = n;
    return HC_OK;
}

enum hc_code gpu_instance_reserve(struct gpu_instance *own, uint32_t n, struct hc_error *error) {
    uint32_t capacity = own->capacity < LEAST_ROWS ? LEAST_ROWS : own->capacity;
    if (n <= own->capacity) {
        return HC_OK;
    }
    while (capacity < n) {
        capacity *= 2;
    }
    capacity = capacity > own->max_capacity ? own->max_capacity : capacity;
    free_rows(own);
    enum hc_code code = allocate_rows(own, capacity, error);
    if (code != HC_OK) {
        free_rows(own);
    }
    return code;
}

void gpu_instance_destroy(struct gpu_instance *own) {
    if (own == NULL) {
        return;
    }
    if (hc_cuda_use(own->stack->kernels->device, NULL) == HC_OK) {
        free_rows(own);
        if (own->workspace != 0) {
            own->cuda->free(own->workspace);
        }
        if (own->stream != NULL) {
            own->cuda->stream_destroy(own->stream);
        }
    }
    free(own->plan.steps);
    free(own);
}

HC_CLEANUP(gpu_instance, struct gpu_instance *, gpu_instance_destroy);

static uint32_t most_rows(const struct gpu_stack *stack) {
    size_t row_size = (size_t)stack->widest * sizeof(double);
    size_t n = MAX_BUFFER_SIZE / row_size;
    return n < 1 ? 1 : n > MAX_ROWS ? MAX_ROWS : (uint32_t)n;
}

/* The library takes its share of memory, and a moment to open: not for stacks that it does not run.
 */
static bool wants_library(const struct gpu_stack *stack, uint32_t n_rows) {
    for (size_t i = 0; i < stack->n_layers; i++) {
        const struct gpu_layer *layer = &stack->layers[i];
        if (layer->operation == GPU_NOTHING && gpu_plan_wants_library(layer, n_rows)) {
            return true;
        }
    }
    return false;
}

enum hc_code gpu_instance_create(const struct gpu_stack *stack, uint32_t n_rows,
                                 struct gpu_instance **instance, struct hc_error *error) {
    hc_auto(gpu_instance) own = hc_new(struct gpu_instance);
    own->stack = stack;
    own->cuda = hc_cuda();
    own->max_capacity = most_rows(stack);
    own->x_size = gpu_pad(stack->n_in) * hc_dtype_size(stack->types.x);
    own->y_size = stack->n_out * hc_dtype_size(stack->types.y);
    own->plan.steps = hc_alloc_array(gpu_plan_max_steps(stack), sizeof *own->plan.steps);
    if (wants_library(stack, n_rows)) {
        own->library = gpu_library_open(stack->kernels->device);
    }
    HC_TRY(hc_cuda_use(stack->kernels->device, error));
    HC_TRY(hc_cuda_check(own->cuda->stream_create(&own->stream, HC_CUDA_STREAM_NON_BLOCKING),
                         "making a stream", error));
    HC_TRY(gpu_instance_reserve(
        own, own->max_capacity < LEAST_ROWS ? own->max_capacity : LEAST_ROWS, error));
    *instance = hc_take(own);
    return HC_OK;
}
