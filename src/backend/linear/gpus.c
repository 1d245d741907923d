/* What a model has on GPUs: its weights, once on each that is used, and instances there. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "internal.h"

/* What models without batches are thought to get at a time. */
static const uint32_t unbatched_rows = 256;

/* The GPU that the instance is for, or linear_no_gpu. */
static int device_of(const struct hc_instance *instance) {
    return strcmp(instance->kind, "GPU") == 0 ? instance->device : linear_no_gpu;
}

/* The weights in the server's memory, which may have been dropped: read anew. */
static enum hc_code need_weights(struct linear_model *own, struct hc_error *error) {
    if (stack_has_weights(own->stack)) {
        return HC_OK;
    }
    hc_auto(stack) fresh = NULL;
    HC_TRY(linear_read_stack(own->model, &fresh, error));
    stack_take_weights(own->stack, fresh);
    return HC_OK;
}

static enum hc_code find_stack(struct linear_model *own, int device, struct gpu_stack **stack,
                               struct hc_error *error) {
    const struct gpu_kernels *kernels;
    for (size_t i = 0; i < own->n_gpu_stacks; i++) {
        if (own->gpu_stacks[i]->kernels->device == device) {
            *stack = own->gpu_stacks[i];
            return HC_OK;
        }
    }
    const struct run_types types = linear_types(own->model, own->stack);
    HC_TRY(need_weights(own, error));
    HC_TRY(gpu_kernels_load(device, &kernels, error));
    HC_TRY(gpu_stack_create(own->stack, &types, kernels, stack, error));
    own->gpu_stacks =
        hc_realloc(own->gpu_stacks, (own->n_gpu_stacks + 1) * sizeof *own->gpu_stacks);
    own->gpu_stacks[own->n_gpu_stacks++] = *stack;
    return HC_OK;
}

static enum hc_code start(struct linear_instance *instance, struct hc_error *error) {
    struct linear_model *own = instance->model;
    struct gpu_stack *stack;
    instance->device = device_of(instance->instance);
    if (instance->device == linear_no_gpu) {
        return need_weights(own, error);
    }
    HC_TRY(find_stack(own, instance->device, &stack, error));
    int64_t max_batch_size = own->model->config->max_batch_size;
    uint32_t n_rows = max_batch_size > 0 ? (uint32_t)max_batch_size : unbatched_rows;
    return gpu_instance_create(stack, n_rows, &instance->gpu, error);
}

/* Which GPU all instances are on that run, and whether any of them needs the weights elsewhere. */
static void settle(struct linear_model *own) {
    const struct hc_model *model = own->model;
    size_t n = 0;
    bool same = true;
    bool on_processor = false;
    int device = linear_no_gpu;
    for (size_t i = 0; i < model->n_instances; i++) {
        const struct linear_instance *instance = model->instances[i]->backend;
        if (instance == NULL || !instance->runs) {
            continue;
        }
        same = same && (n == 0 || instance->device == device);
        on_processor = on_processor || instance->device == linear_no_gpu;
        device = instance->device;
        n++;
    }
    atomic_store(&own->device, same ? device : linear_no_gpu);
    if (n > 0 && !on_processor) {
        stack_drop_weights(own->stack);
    }
}

enum hc_code linear_gpus_start(struct linear_instance *instance, struct hc_error *error) {
    HC_TRY(start(instance, error));
    instance->runs = true;
    settle(instance->model);
    return HC_OK;
}

void linear_gpus_stop(struct linear_instance *instance) {
    pthread_mutex_t *lock = &instance->model->model->lock;
    pthread_mutex_lock(lock);
    struct gpu_instance *gpu = hc_take(instance->gpu);
    pthread_mutex_unlock(lock);
    gpu_instance_destroy(gpu);
    instance->runs = false;
    settle(instance->model);
}

enum hc_code linear_gpus_load(struct linear_model *own, struct hc_error *error) {
    for (size_t i = 0; i < own->model->n_instances; i++) {
        struct linear_instance *instance = own->model->instances[i]->backend;
        HC_TRY(start(instance, error));
        instance->runs = true;
    }
    settle(own);
    return HC_OK;
}

void linear_gpus_unload(struct linear_model *own) {
    for (size_t i = 0; i < own->model->n_instances; i++) {
        struct linear_instance *instance = own->model->instances[i]->backend;
        gpu_instance_destroy(instance == NULL ? NULL : instance->gpu);
    }
    for (size_t i = 0; i < own->n_gpu_stacks; i++) {
        gpu_stack_destroy(own->gpu_stacks[i]);
    }
    free(own->gpu_stacks);
}

bool linear_gpus_have_all(const struct hc_model *model, int device) {
    return atomic_load(&linear_model_of(model)->device) == device;
}
