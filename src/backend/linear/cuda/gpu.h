/*
 * Stacks on a GPU.
 *
 *     parameters.h       what kernels are told; shared with CUDA
 *     kernels.cu, *.cuh  the kernels, which nvcc makes a file of that is loaded at run time
 *     gpu_kernels.c      that file, loaded once for each GPU
 *     gpu_stack.c        a stack's weights in a GPU's memory, shared by the instances there
 *     gpu_plan.c         which kernels run, one after the other, for so many rows
 *     gpu_library.c      cuBLASLt, opened if it is there, for what is large
 *     gpu_graphs.c       which sequences of kernels are worth keeping
 *     gpu_instance.c     an instance: its stream and its memory
 *     gpu_steps.c        what it has the GPU do
 *     gpu_run.c          rows to an instance, and back
 *
 * An instance is run by one thread at a time; everything else is const once made. Errors are
 * HC_INTERNAL, or HC_RESOURCE_EXHAUSTED when the GPU's memory does not suffice.
 */
#ifndef HC_BACKEND_LINEAR_CUDA_GPU_H
#define HC_BACKEND_LINEAR_CUDA_GPU_H

#include "../run.h"
#include "cuda/driver.h"
#include "parameters.h"

/* ---- gpu_kernels.c ---- */

enum {
    GPU_N_NUMBERS = 5,
    GPU_N_ROWS = 4,  /* kernels for 1, 2, 4 and 8 rows at a time */
    GPU_N_TILES = 2, /* for 1 and 4 tiles */
    GPU_ROWS = 0,    /* where each kind starts */
    GPU_TILES = GPU_ROWS + GPU_N_NUMBERS * GPU_N_ROWS,
    GPU_APPLY = GPU_TILES + 2 * GPU_N_TILES,
    GPU_N_KERNELS = GPU_APPLY + 2,
};

struct gpu_kernels {
    int device;
    int capability; /* 90 for 9.0 */
    unsigned n_processors;
    hc_cuda_function functions[GPU_N_KERNELS];
};

/* The kernels' file; before anything else is called. It is copied. */
void gpu_kernels_set_path(const char *path);

/* Whether there is such a file. */
bool gpu_kernels_exist(void);

/* Those of a GPU, until the process ends. */
enum hc_code gpu_kernels_load(int device, const struct gpu_kernels **kernels,
                              struct hc_error *error);

/* ---- gpu_stack.c ---- */

struct gpu_layer {
    enum gpu_operation operation; /* GPU_NOTHING: the layer is linear */
    double parameter;
    enum gpu_number number;  /* of weights */
    hc_cuda_address weights; /* 0, as the next two: none */
    hc_cuda_address scales;
    hc_cuda_address bias;
    hc_cuda_address narrow_bias; /* the same in the stack's numbers, when those are of 16 bits */
    uint32_t n_in;
    uint32_t n_out;
};

struct gpu_stack {
    const struct gpu_kernels *kernels;
    enum gpu_number number; /* of what is between layers */
    struct gpu_layer *layers;
    size_t n_layers;
    uint32_t n_in;
    uint32_t n_out;
    uint32_t widest; /* row between layers, padded */
    struct run_types types;
    hc_cuda_address memory;
};

static inline uint32_t gpu_pad(uint32_t n) {
    return (n + GPU_PAD - 1) / GPU_PAD * GPU_PAD;
}

size_t gpu_number_size(enum gpu_number number);
enum gpu_number gpu_number_of(enum hc_dtype dtype);

/* Copy STACK, whose rows come and go in TYPES, to the kernels' GPU. */
enum hc_code gpu_stack_create(const struct stack *stack, const struct run_types *types,
                              const struct gpu_kernels *kernels, struct gpu_stack **gpu_stack,
                              struct hc_error *error);
void gpu_stack_destroy(struct gpu_stack *stack); /* NULL is fine */

/* ---- gpu_plan.c ---- */

enum gpu_place { GPU_IN, GPU_HIDDEN_0, GPU_HIDDEN_1, GPU_OUT };

/* One kernel, or call of the library, complete but for where rows lie. */
struct gpu_step {
    enum { GPU_STEP_LINEAR, GPU_STEP_LIBRARY, GPU_STEP_APPLY } kind;
    unsigned function; /* index in struct gpu_kernels */
    unsigned grid_x;
    unsigned grid_y;
    enum gpu_place from;
    enum gpu_place to;
    const struct gpu_layer *layer; /* of linear steps */
    union {
        struct gpu_linear linear;
        struct gpu_apply apply;
    };
};

struct gpu_plan {
    struct gpu_step *steps;
    size_t n;
};

/* How rows come to a stack: N_ROWS at a time, PADDED or without anything between them. */
struct gpu_rows {
    uint32_t n;
    bool padded;
    bool has_library;
};

/* The most steps that STACK can take. */
size_t gpu_plan_max_steps(const struct gpu_stack *stack);

/* Fill in PLAN, which has room for them. */
void gpu_plan_make(const struct gpu_stack *stack, const struct gpu_rows *rows,
                   struct gpu_plan *plan);

/* The kernel, its grid and its split for a linear step whose extents are there. */
void gpu_plan_choose(const struct gpu_kernels *kernels, enum gpu_number number,
                     struct gpu_step *step);

/* Whether the library, where there is one, beats these kernels. */
bool gpu_plan_wants_library(const struct gpu_layer *layer, uint32_t n_rows);

/* ---- gpu_library.c ---- */

struct gpu_library;

enum { GPU_WORKSPACE_SIZE = 32 << 20 };

/* That of a GPU, until the process ends; NULL: there is none. */
struct gpu_library *gpu_library_open(int device);

/* Run a step in STREAM with WORKSPACE. HC_UNIMPLEMENTED: not for these extents. */
enum hc_code gpu_library_run(struct gpu_library *library, enum gpu_number number,
                             const struct gpu_linear *linear, hc_cuda_address workspace,
                             hc_cuda_stream stream, struct hc_error *error);

/* ---- gpu_graphs.c ---- */

enum { GPU_MAX_GRAPHS = 32 };

/* What a graph is for: so many rows, from there to there; 0: the instance's own memory. */
struct gpu_graph_key {
    uint32_t n_rows;
    hc_cuda_address x;
    hc_cuda_address y;
};

struct gpu_graph {
    struct gpu_graph_key key;
    uint64_t used;           /* when, in uses of the table; 0: never */
    hc_cuda_graph_exec exec; /* NULL: it came once so far */
};

struct gpu_graphs {
    struct gpu_graph items[GPU_MAX_GRAPHS];
    uint64_t n_uses;
};

/*
 * The place for KEY, which it has from now on; *IS_NEW tells whether it has not had one before. The
 * place of the least recently used is taken for it, with an exec that is the caller's to destroy.
 */
struct gpu_graph *gpu_graphs_find(struct gpu_graphs *graphs, const struct gpu_graph_key *key,
                                  bool *is_new);

/* ---- gpu_instance.c, gpu_run.c ---- */

struct gpu_instance;

/* N_ROWS: as many as there are likely to be at a time, which decides whether the library is opened.
 */
enum hc_code gpu_instance_create(const struct gpu_stack *stack, uint32_t n_rows,
                                 struct gpu_instance **instance, struct hc_error *error);
void gpu_instance_destroy(struct gpu_instance *own); /* NULL is fine */

/* The parts together, in as few runs as there can be. Parts are left changed. */
enum hc_code gpu_run(struct gpu_instance *own, struct run_part *parts, struct hc_error *error);

#endif
