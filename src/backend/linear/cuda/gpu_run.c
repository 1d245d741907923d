/* An instance on a GPU: its stream, its memory, and rows through its stack. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "gpu.h"

/* What an instance's memory for rows between two layers comes to at most. */
enum { MAX_BUFFER_SIZE = 64 << 20, MAX_ROWS = 1 << 16, LEAST_ROWS = 32, ALIGNMENT = 256 };

/* Larger inputs are sent in slices of half that size, one on its way while the next is staged. */
static const size_t sliced_size = 256 << 10;

/* So long a thread looks again and again whether the GPU is done, before it sleeps. */
static const uint64_t spin_ns = 1000000;

struct gpu_instance {
    const struct gpu_stack *stack;
    const struct hc_cuda *cuda;
    struct gpu_library *library; /* NULL: there is none */
    hc_cuda_stream stream;
    hc_cuda_address workspace; /* the library's; 0 until it is needed */
    uint32_t capacity;         /* rows that there is memory for */
    uint32_t max_capacity;
    char *staged_x; /* pinned memory: rows as they are sent to the GPU, and as they come back */
    char *staged_y;
    hc_cuda_address places[GPU_OUT + 1]; /* by enum gpu_place */
    size_t x_size;                       /* of a row as it is sent */
    size_t y_size;
    struct gpu_plan plan;
    struct gpu_graphs graphs;
};

/* What is computed at once: parts from the first on, the last of them perhaps not wholly. */
struct batch {
    struct gpu_instance *own;
    struct run_part *first;
    uint32_t n_rows;
    bool x_staged;     /* all rows go through staged_x, in one copy */
    bool y_staged;     /* and results through staged_y */
    bool x_padded;     /* rows lie as staged ones do */
    hc_cuda_address x; /* where they are read */
    hc_cuda_address y;
};

/* ---- Making and unmaking ---- */

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

static enum hc_code allocate(const struct gpu_instance *own, size_t size, hc_cuda_address *address,
                             struct hc_error *error) {
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
    HC_TRY(allocate(own, n * own->x_size, &own->places[GPU_IN], error));
    HC_TRY(allocate(own, n * own->y_size, &own->places[GPU_OUT], error));
    HC_TRY(allocate(own, n * hidden_size, &own->places[GPU_HIDDEN_0], error));
    HC_TRY(allocate(own, n * hidden_size, &own->places[GPU_HIDDEN_1], error));
    own->capacity = n;
    return HC_OK;
}

/* Memory for N rows, which are no more than there can be. */
static enum hc_code reserve(struct gpu_instance *own, uint32_t n, struct hc_error *error) {
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

enum hc_code gpu_instance_create(const struct gpu_stack *stack, struct gpu_instance **instance,
                                 struct hc_error *error) {
    hc_auto(gpu_instance) own = hc_new(struct gpu_instance);
    own->stack = stack;
    own->cuda = hc_cuda();
    own->max_capacity = most_rows(stack);
    own->x_size = gpu_pad(stack->n_in) * hc_dtype_size(stack->types.x);
    own->y_size = stack->n_out * hc_dtype_size(stack->types.y);
    own->plan.steps = hc_alloc_array(gpu_plan_max_steps(stack), sizeof *own->plan.steps);
    own->library = gpu_library_open(stack->kernels->device);
    HC_TRY(hc_cuda_use(stack->kernels->device, error));
    HC_TRY(hc_cuda_check(own->cuda->stream_create(&own->stream, HC_CUDA_STREAM_NON_BLOCKING),
                         "making a stream", error));
    HC_TRY(reserve(own, own->max_capacity < LEAST_ROWS ? own->max_capacity : LEAST_ROWS, error));
    *instance = hc_take(own);
    return HC_OK;
}

/* ---- Steps ---- */

static enum hc_code launch(const struct gpu_instance *own, const struct gpu_step *step,
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
        return launch(own, step, error);
    }
    return code;
}

static enum hc_code run_step(struct gpu_instance *own, const struct batch *batch,
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
                                          : launch(own, step, error);
}

/* All of a batch but for copies that do not go through staged memory as a whole. */
static enum hc_code enqueue(const struct batch *batch, struct hc_error *error) {
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

static enum hc_code make_plan(const struct batch *batch, struct hc_error *error) {
    struct gpu_instance *own = batch->own;
    const struct gpu_rows rows = {
        .n = batch->n_rows, .padded = batch->x_padded, .has_library = own->library != NULL};
    gpu_plan_make(own->stack, &rows, &own->plan);
    for (size_t i = 0; i < own->plan.n && own->workspace == 0; i++) {
        if (own->plan.steps[i].kind == GPU_STEP_LIBRARY) {
            HC_TRY(allocate(own, GPU_WORKSPACE_SIZE, &own->workspace, error));
        }
    }
    return HC_OK;
}

/* Record what enqueue() does instead of doing it. */
static enum hc_code capture(const struct batch *batch, hc_cuda_graph_exec *exec,
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
static enum hc_code start(const struct batch *batch, struct hc_error *error) {
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

static enum hc_code wait(const struct gpu_instance *own, struct hc_error *error) {
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

/* ---- Rows in and out ---- */

static uint32_t rows_of(const struct run_part *part, uint32_t room) {
    return part->n_rows < room ? (uint32_t)part->n_rows : room;
}

/* Rows from the server's memory to pinned memory, from row AT on. */
static void stage(const struct gpu_instance *own, const struct run_part *part, uint32_t at,
                  uint32_t n) {
    size_t row_size = own->stack->n_in * hc_dtype_size(own->stack->types.x);
    char *to = own->staged_x + at * own->x_size;
    if (row_size == own->x_size) {
        memcpy(to, part->x, n * row_size);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        memcpy(to + i * own->x_size, part->x + i * row_size, row_size);
    }
}

/* Rows that are in the GPU's memory already, to where rows are read, from row AT on. */
static enum hc_code move_in(const struct gpu_instance *own, const struct run_part *part,
                            uint32_t at, uint32_t n, struct hc_error *error) {
    const struct gpu_stack *stack = own->stack;
    enum gpu_number number = gpu_number_of(stack->types.x);
    const struct gpu_step step = {
        .kind = GPU_STEP_APPLY,
        .function = GPU_APPLY + (number == GPU_F64 ? 1 : 0),
        .grid_x = n,
        .grid_y = 1,
        .apply = {.x = part->x_device,
                  .y = own->places[GPU_IN] + at * own->x_size,
                  .n_rows = n,
                  .n = stack->n_in,
                  .n_stored = gpu_pad(stack->n_in),
                  .x_stride = stack->n_in,
                  .y_stride = gpu_pad(stack->n_in),
                  .x_number = number,
                  .y_number = number},
    };
    return launch(own, &step, error);
}

/* Rows of the server's memory on their way to where rows are read, from row AT on. */
static enum hc_code send(const struct gpu_instance *own, const struct run_part *part, uint32_t at,
                         uint32_t n, struct hc_error *error) {
    const size_t row_size = own->stack->n_in * hc_dtype_size(own->stack->types.x);
    const size_t max_rows = sliced_size / 2 / own->x_size;
    struct run_part slice = *part;
    for (uint32_t n_left = n; n_left > 0;) {
        uint32_t n_now = n_left < max_rows ? n_left : max_rows == 0 ? 1 : (uint32_t)max_rows;
        stage(own, &slice, at, n_now);
        size_t place = at * own->x_size;
        HC_TRY(hc_cuda_check(own->cuda->copy_in_async(own->places[GPU_IN] + place,
                                                      own->staged_x + place, n_now * own->x_size,
                                                      own->stream),
                             "copying rows to it", error));
        slice.x += n_now * row_size;
        at += n_now;
        n_left -= n_now;
    }
    return HC_OK;
}

static enum hc_code gather(const struct batch *batch, struct hc_error *error) {
    struct gpu_instance *own = batch->own;
    struct run_part *part = batch->first;
    for (uint32_t at = 0; at < batch->n_rows; part = part->next) {
        uint32_t n = rows_of(part, batch->n_rows - at);
        if (n == 0) {
            continue;
        }
        if (part->x_device != 0) {
            HC_TRY(move_in(own, part, at, n, error));
        } else if (batch->x_staged) {
            stage(own, part, at, n);
        } else {
            HC_TRY(send(own, part, at, n, error));
        }
        at += n;
    }
    return HC_OK;
}

/* Results to where they belong in the GPU's memory, and others on their way to pinned memory. */
static enum hc_code move_out(const struct batch *batch, struct hc_error *error) {
    const struct gpu_instance *own = batch->own;
    const struct run_part *part = batch->first;
    for (uint32_t at = 0; at < batch->n_rows; part = part->next) {
        uint32_t n = rows_of(part, batch->n_rows - at);
        if (n == 0) {
            continue;
        }
        hc_cuda_address from = batch->y + at * own->y_size;
        size_t size = n * own->y_size;
        int result = part->y_device != 0
                         ? own->cuda->copy_async(part->y_device, from, size, own->stream)
                         : own->cuda->copy_out_async(own->staged_y + at * own->y_size, from, size,
                                                     own->stream);
        HC_TRY(hc_cuda_check(result, "copying rows from it", error));
        at += n;
    }
    return HC_OK;
}

/* The batch is done: give the server's memory its results; returns the part to go on with. */
static struct run_part *scatter(const struct batch *batch) {
    const struct gpu_instance *own = batch->own;
    size_t x_size = own->stack->n_in * hc_dtype_size(own->stack->types.x);
    struct run_part *part = batch->first;
    for (uint32_t at = 0; at < batch->n_rows;) {
        uint32_t n = rows_of(part, batch->n_rows - at);
        if (part->y_device != 0) {
            part->y_device += n * own->y_size;
        } else {
            memcpy(part->y, own->staged_y + at * own->y_size, n * own->y_size);
            part->y += n * own->y_size;
        }
        part->x_device += part->x_device != 0 ? n * x_size : 0;
        part->x += part->x != NULL ? n * x_size : 0;
        part->n_rows -= n;
        at += n;
        part = part->n_rows == 0 ? part->next : part;
    }
    return part;
}

/* Whether kernels and library can work on rows there. */
static bool is_aligned(hc_cuda_address address) {
    return address % ALIGNMENT == 0;
}

/* The next batch of PARTS, and where its rows are read and its results written. */
static struct batch next_batch(struct gpu_instance *own, struct run_part *parts) {
    struct batch batch = {.own = own,
                          .first = parts,
                          .x_padded = true,
                          .x_staged = true,
                          .y_staged = true,
                          .x = own->places[GPU_IN],
                          .y = own->places[GPU_OUT]};
    bool is_whole = parts->next == NULL && parts->n_rows <= own->capacity;
    for (struct run_part *part = parts; part != NULL && batch.n_rows < own->capacity;
         part = part->next) {
        batch.n_rows += rows_of(part, own->capacity - batch.n_rows);
        batch.x_staged = batch.x_staged && part->x_device == 0;
        batch.y_staged = batch.y_staged && part->y_device == 0;
    }
    batch.x_staged = batch.x_staged && batch.n_rows * own->x_size <= sliced_size;
    if (is_whole && parts->x_device != 0 && is_aligned(parts->x_device)) {
        batch.x = parts->x_device;
        batch.x_padded = own->stack->n_in % GPU_PAD == 0;
    }
    if (is_whole && parts->y_device != 0 && is_aligned(parts->y_device)) {
        batch.y = parts->y_device;
    }
    return batch;
}

static enum hc_code run_batch(struct gpu_instance *own, struct run_part **parts,
                              struct hc_error *error) {
    struct batch batch = next_batch(own, *parts);
    bool x_in_place = batch.x != own->places[GPU_IN];
    bool y_in_place = batch.y != own->places[GPU_OUT];
    if (!x_in_place) {
        HC_TRY(gather(&batch, error));
    }
    HC_TRY(start(&batch, error));
    if (!batch.y_staged && !y_in_place) {
        HC_TRY(move_out(&batch, error));
    }
    HC_TRY(wait(own, error));
    *parts = scatter(&batch);
    return HC_OK;
}

static uint32_t count_rows(const struct gpu_instance *own, const struct run_part *parts) {
    size_t n = 0;
    for (; parts != NULL && n < own->max_capacity; parts = parts->next) {
        n += parts->n_rows < own->max_capacity ? parts->n_rows : own->max_capacity;
    }
    return n < own->max_capacity ? (uint32_t)n : own->max_capacity;
}

enum hc_code gpu_run(struct gpu_instance *own, struct run_part *parts, struct hc_error *error) {
    HC_TRY(hc_cuda_use(own->stack->kernels->device, error));
    HC_TRY(reserve(own, count_rows(own, parts), error));
    while (parts != NULL) {
        if (parts->n_rows == 0) {
            parts = parts->next;
            continue;
        }
        enum hc_code code = run_batch(own, &parts, error);
        if (code != HC_OK) {
            own->cuda->stream_wait(own->stream); /* nothing of it is under way any more */
            return code;
        }
    }
    return HC_OK;
}
