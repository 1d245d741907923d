/*
 * Linear layers on a GPU: the server's own kernels against cuBLASLt, the kernels alone.
 *
 *     gpu KERNELS [--best] [f32|f16|bf16|i8|f64 …]
 *
 * A line for each layer and number of rows: the kernel that the server would take and how long that
 * takes, with --best the fastest of all forms of its kernels, and cuBLASLt, in microseconds:
 * medians over graphs of many runs, which take turns with copies of the weights. The ratio is that
 * of what the server takes where it has the library. Weights of 8 bits are compared with those
 * of 32.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/linear/cuda/gpu.h"
#include "base/alloc.h"

enum { N_RUNS = 24, N_GRAPHS = 15, N_COPIES = 12, MAX_ROWS = 256, MAX_WIDTH = 4096 };

static const struct hc_cuda *cuda;
static const struct gpu_kernels *kernels;
static struct gpu_library *library;
static hc_cuda_stream stream;
static bool wants_best;
static hc_cuda_address x, y, bias, workspace, weights[N_COPIES];

static struct {
    int (*create)(void **event, unsigned flags);
    int (*record)(void *event, hc_cuda_stream stream);
    int (*wait)(void *event);
    int (*elapsed)(float *ms, void *from, void *to);
    void *from;
    void *to;
} events;

static void must(int result, const char *what) {
    struct hc_error error;
    if (hc_cuda_check(result, what, &error) != HC_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
}

static void *function(void *driver, const char *name) {
    void *found = dlsym(driver, name);
    if (found == NULL) {
        fprintf(stderr, "no %s\n", name);
        exit(1);
    }
    return found;
}

static void open_events(void) {
    void *driver = dlopen("libcuda.so.1", RTLD_NOW);
    *(void **)&events.create = function(driver, "cuEventCreate");
    *(void **)&events.record = function(driver, "cuEventRecord");
    *(void **)&events.wait = function(driver, "cuEventSynchronize");
    *(void **)&events.elapsed = function(driver, "cuEventElapsedTime");
    must(events.create(&events.from, 0), "event");
    must(events.create(&events.to, 0), "event");
}

static void launch(const struct gpu_step *step) {
    void *parameters[] = {(void *)&step->linear};
    must(cuda->launch(kernels->functions[step->function], step->grid_x, step->grid_y, 1,
                      GPU_WARPS * GPU_WARP, 1, 1, 0, stream, parameters, NULL),
         "launch");
}

static int compare(const void *a, const void *b) {
    float first = *(const float *)a;
    float second = *(const float *)b;
    return (first > second) - (first < second);
}

/* Microseconds of one run; negative: it cannot. */
static double measure(const struct gpu_step *given, enum gpu_number number, bool use_library) {
    struct gpu_step step = *given;
    hc_cuda_graph graph;
    hc_cuda_graph_exec exec;
    float times[N_GRAPHS];
    enum hc_code code = HC_OK;
    must(cuda->capture_begin(stream, HC_CUDA_CAPTURE_THREAD_LOCAL), "capture");
    for (int i = 0; i < N_RUNS && code == HC_OK; i++) {
        step.linear.weights = weights[i % N_COPIES];
        if (use_library) {
            code = gpu_library_run(library, number, &step.linear, workspace, stream, NULL);
        } else {
            launch(&step);
        }
    }
    must(cuda->capture_end(stream, &graph), "capture");
    if (code != HC_OK) {
        return -1;
    }
    must(cuda->graph_instantiate(&exec, graph, 0), "graph");
    for (int i = -2; i < N_GRAPHS; i++) {
        float *time = &times[i < 0 ? 0 : i];
        must(events.record(events.from, stream), "record");
        must(cuda->graph_launch(exec, stream), "graph launch");
        must(events.record(events.to, stream), "record");
        must(events.wait(events.to), "running");
        must(events.elapsed(time, events.from, events.to), "elapsed");
    }
    cuda->graph_exec_destroy(exec);
    cuda->graph_destroy(graph);
    qsort(times, N_GRAPHS, sizeof *times, compare);
    return times[N_GRAPHS / 2] * 1000.0 / N_RUNS;
}

static void name_form(const struct gpu_step *step, char *name, size_t size) {
    bool tiles = step->function >= GPU_TILES;
    unsigned which =
        tiles ? (step->function - GPU_TILES) % GPU_N_TILES : step->function % GPU_N_ROWS;
    snprintf(name, size, "%s%u/%u", tiles ? "tiles" : "rows", 1u << (tiles ? 2 * which : which),
             step->linear.n_split);
}

/* All forms of the kernels, by brute force. */
static double measure_best(const struct gpu_step *chosen, enum gpu_number number,
                           struct gpu_step *best) {
    double best_us = 1e9;
    unsigned n_forms =
        number == GPU_F16 || number == GPU_BF16 ? GPU_N_ROWS + GPU_N_TILES : GPU_N_ROWS;
    for (unsigned form = 0; form < n_forms; form++) {
        bool tiles = form >= GPU_N_ROWS;
        unsigned which = tiles ? form - GPU_N_ROWS : form;
        unsigned n_rows = tiles ? (unsigned)GPU_TILE_ROWS << 2 * which : 1u << which;
        unsigned n_outputs = tiles ? GPU_TILE_OUTPUTS : which < 2 ? 2 : 4;
        if (n_rows >= 2 * chosen->linear.n_rows && n_rows > (tiles ? GPU_TILE_ROWS : 1)) {
            continue;
        }
        for (unsigned split = tiles ? 2 : 1; split <= GPU_WARPS; split *= 2) {
            struct gpu_step step = *chosen;
            unsigned n_groups = (step.linear.n_stored + n_outputs - 1) / n_outputs;
            step.function = tiles ? GPU_TILES + (number - GPU_F16) * GPU_N_TILES + which
                                  : GPU_ROWS + number * GPU_N_ROWS + which;
            step.linear.n_split = split;
            step.grid_x = (n_groups + GPU_WARPS / split - 1) / (GPU_WARPS / split);
            step.grid_y = (step.linear.n_rows + n_rows - 1) / n_rows;
            double us = measure(&step, number, false);
            if (us < best_us) {
                best_us = us;
                *best = step;
            }
        }
    }
    return best_us;
}

static void compare_layer(enum gpu_number number, const char *name, unsigned n_in, unsigned n_out,
                          unsigned n_rows) {
    enum gpu_number real = number == GPU_I8 ? GPU_F32 : number;
    struct gpu_step step = {.linear = {.x = x,
                                       .y = y,
                                       .bias = bias,
                                       .n_rows = n_rows,
                                       .n_in = gpu_pad(n_in),
                                       .n_out = n_out,
                                       .n_stored = n_out,
                                       .x_stride = gpu_pad(n_in),
                                       .weights_stride = gpu_pad(n_in),
                                       .y_stride = gpu_pad(n_out),
                                       .y_number = real,
                                       .operation = GPU_RELU}};
    struct gpu_step best = {0};
    char chosen_name[32];
    char best_name[32];
    gpu_plan_choose(kernels, number, &step);
    double chosen_us = measure(&step, number, false);
    double best_us = wants_best ? measure_best(&step, number, &best) : chosen_us;
    double library_us = library == NULL ? -1 : measure(&step, real, true);
    name_form(&step, chosen_name, sizeof chosen_name);
    name_form(wants_best ? &best : &step, best_name, sizeof best_name);
    const struct gpu_layer layer = {.number = number, .n_in = n_in, .n_out = n_out};
    bool by_library = library != NULL && gpu_plan_wants_library(&layer, n_rows);
    double taken_us = by_library ? library_us : chosen_us;
    printf("%-5s %5u %5u %4u  own %8.2f %-9s best %8.2f %-9s cublasLt %8.2f  ratio %5.2f (best "
           "%5.2f)%s\n",
           name, n_in, n_out, n_rows, chosen_us, chosen_name, best_us, best_name, library_us,
           taken_us / library_us, best_us / library_us, by_library ? " by cublasLt" : "");
    fflush(stdout);
}

/* Real numbers in every type, none of them large. */
static hc_cuda_address filled(size_t size, uint32_t seed) {
    hc_cuda_address address;
    uint16_t *numbers = malloc(size);
    for (size_t i = 0; i < size / sizeof *numbers; i++) {
        seed = seed * 1664525 + 1013904223;
        numbers[i] = (uint16_t)(0x3c00 + (seed >> 16 & 0x3ff) + (seed >> 31 << 15));
    }
    must(cuda->alloc(&address, size), "memory");
    must(cuda->copy_in_unpinned(address, numbers, size), "copy");
    free(numbers);
    return address;
}

static void open_all(const char *path) {
    struct hc_error error;
    gpu_kernels_set_path(path);
    cuda = hc_cuda();
    if (cuda == NULL || gpu_kernels_load(0, &kernels, &error) != HC_OK) {
        fprintf(stderr, "%s\n", cuda == NULL ? "there is no GPU" : error.message);
        exit(1);
    }
    library = gpu_library_open(0);
    open_events();
    must(cuda->stream_create(&stream, HC_CUDA_STREAM_NON_BLOCKING), "stream");
    x = filled((size_t)MAX_ROWS * MAX_WIDTH * sizeof(double), 1);
    y = filled((size_t)MAX_ROWS * MAX_WIDTH * sizeof(double), 2);
    bias = filled(MAX_WIDTH * sizeof(double), 3);
    workspace = filled(GPU_WORKSPACE_SIZE, 4);
    const size_t size = (size_t)MAX_WIDTH * MAX_WIDTH * sizeof(double);
    weights[0] = filled(size, 5);
    for (unsigned i = 1; i < N_COPIES; i++) {
        must(cuda->alloc(&weights[i], size), "memory");
        must(cuda->copy_async(weights[i], weights[0], size, stream), "copy");
    }
}

int main(int argc, char **argv) {
    static const char *const names[] = {"f32", "f64", "f16", "bf16", "i8"};
    static const unsigned layers[][2] = {{784, 512},   {512, 512},   {512, 10},
                                         {256, 256},   {1024, 1024}, {2048, 2048},
                                         {1024, 4096}, {4096, 1024}, {4096, 4096}};
    if (argc < 2) {
        fprintf(stderr, "usage: %s KERNELS [f32|f16|bf16|i8 ...]\n", argv[0]);
        return 1;
    }
    open_all(argv[1]);
    for (int i = 2; i < argc; i++) {
        wants_best = wants_best || strcmp(argv[i], "--best") == 0;
        for (unsigned number = 0; number < GPU_N_NUMBERS; number++) {
            for (size_t j = 0;
                 strcmp(argv[i], names[number]) == 0 && j < sizeof layers / sizeof layers[0]; j++) {
                for (unsigned n_rows = 1; n_rows <= MAX_ROWS; n_rows *= 2) {
                    compare_layer((enum gpu_number)number, names[number], layers[j][0],
                                  layers[j][1], n_rows);
                }
            }
        }
    }
    return 0;
}
