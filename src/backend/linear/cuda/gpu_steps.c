/* A batch's steps, one after the other or as a graph. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "gpu_instance.h"

/* So long a thread looks again and again whether the GPU is done, before it sleeps. */
static const uint64_t spin_ns = 1000000;

enum hc_code gpu_launch(const struct gpu_instance *own, const struct gpu_step *step,
                        struct hc_error *error) {
    void *parameters[] = {step->kind == GPU_STEP_APPLY ? (void *)&step->apply
                                                       : (void *)&step->linear};
    return hc_cuda_check(own->cuda->launch(own->stack->kernels->functions[step->function],
                                           step->grid_x, step->grid_y, 1, GPU_WARPS * GPU_WARP, 1,
                                           1, 0, own->stream, parameters, NULL),
                         "starting a kernel", error);
}

/* Through the library, or, where it cannot, by a kernel after all. */
static enum hc_code call_library(struct gpu_instance *own, struct gpu_step *step,
                                 struct hc_error *error) {
    enum hc_code code = gpu_library_run(own->library, own->stack->number, &step->linear,
                                        own->workspace, own->stream, error);
    if (code == HC_UNIMPLEMENTED) {
        step->linear.bias = step->layer->bias;
        gpu_plan_choose(own->stack->kernels, own->stack->number, step);
        return gpu_launch(own, step, error);
    }
    return code;
}

static enum hc_code run_step(struct gpu_instance *own, const struct gpu_batch *batch,
                             struct gpu_step *step, struct hc_error *error) {
    hc_cuda_address from = step->from == GPU_IN ? batch->x : own->places[step->from];
    hc_cuda_address to = step->to == GPU_OUT ? batch->y : own->places[step->to];
    if (step->kind == GPU_STEP_APPLY) {
        step->apply.x = from;
        step->apply.y = to;
    } else {
        step->linear.x = from;
        step->linear.y = to;
    }
    return step->kind == GPU_STEP_LIBRARY ? call_library(own, step, error)
                                          : gpu_launch(own, step, error);
}

/* All of a batch but for copies that do not go through staged memory as a whole. */
static enum hc_code enqueue(const struct gpu_batch *batch, struct hc_error *error) {
    struct gpu_instance *own = batch->own;
    if (batch->x_staged) {
        HC_TRY(hc_cuda_check(own->cuda->copy_in_async(batch->x, own->staged_x,
                                                      batch->n_rows * own->x_size, own->stream),
                             "copying rows to it", error));
    }
    for (size_t i = 0; i < own->plan.n; i++) {
        HC_TRY(run_step(own, batch, &own->plan.steps[i], error));
    }
    if (batch->y_staged) {
        HC_TRY(hc_cuda_check(own->cuda->copy_out_async(own->staged_y, batch->y,
                                                       batch->n_rows * own->y_size, own->stream),
                             "copying rows from it", error));
    }
    return HC_OK;
}

static enum hc_code make_plan(const struct gpu_batch *batch, struct hc_error *error) {
    struct gpu_instance *own = batch->own;
    const struct gpu_rows rows = {
        .n = batch->n_rows, .padded = batch->x_padded, .has_library = own->library != NULL};
    gpu_plan_make(own->stack, &rows, &own->plan);
    for (size_t i = 0; i < own->plan.n && own->workspace == 0; i++) {
        if (own->plan.steps[i].kind == GPU_STEP_LIBRARY) {
            HC_TRY(gpu_instance_allocate(own, GPU_WORKSPACE_SIZE, &own->workspace, error));
        }
    }
    return HC_OK;
}

/* Record what enqueue() does instead of doing it. */
static enum hc_code capture(const struct gpu_batch *batch, hc_cuda_graph_exec *exec,
                            struct hc_error *error) {
    const struct gpu_instance *own = batch->own;
    hc_cuda_graph graph = NULL;
    HC_TRY(hc_cuda_check(own->cuda->capture_begin(own->stream, HC_CUDA_CAPTURE_THREAD_LOCAL),
                         "recording a graph", error));
    enum hc_code code = enqueue(batch, error);
    int result = own->cuda->capture_end(own->stream, &graph);
    if (code == HC_OK) {
        code = hc_cuda_check(result, "recording a graph", error);
    }
    if (code == HC_OK) {
        code = hc_cuda_check(own->cuda->graph_instantiate(exec, graph, 0), "making a graph", error);
    }
    if (graph != NULL) {
        own->cuda->graph_destroy(graph);
    }
    return code;
}

/* What comes for the first time is run step by step, what comes again as a graph. */
enum hc_code gpu_start(const struct gpu_batch *batch, struct hc_error *error) {
    struct gpu_instance *own = batch->own;
    const struct gpu_graph_key key = {
        .n_rows = batch->n_rows,
        .x = batch->x_staged ? 0 : batch->x,
        .y = batch->y_staged ? 0 : batch->y,
    };
    bool is_new;
    struct gpu_graph *graph = gpu_graphs_find(&own->graphs, &key, &is_new);
    if (is_new) {
        if (graph->exec != NULL) {
            own->cuda->graph_exec_destroy(hc_take(graph->exec));
        }
        HC_TRY(make_plan(batch, error));
        return enqueue(batch, error);
    }
    if (graph->exec == NULL) {
        HC_TRY(make_plan(batch, error));
        HC_TRY(capture(batch, &graph->exec, error));
    }
    return hc_cuda_check(own->cuda->graph_launch(graph->exec, own->stream), "starting a graph",
                         error);
}

enum hc_code gpu_wait(const struct gpu_instance *own, struct hc_error *error) {
    uint64_t end_ns = hc_clock_ns() + spin_ns;
    int result;
    do {
        result = own->cuda->stream_query(own->stream);
    } while (result == HC_CUDA_NOT_READY && hc_clock_ns() < end_ns);
    if (result == HC_CUDA_NOT_READY) {
        result = own->cuda->stream_wait(own->stream);
    }
    return hc_cuda_check(result, "running a model", error);
}
