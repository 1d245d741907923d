/* Rows through a stack. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "blas.h"

/* What lies between layers stays in this much, whatever the batch. */
enum { SCRATCH_SIZE = 768 << 10, MAX_ROWS = 256, ALIGNMENT = 64 };

struct run {
    const struct stack *stack;
    const struct kernels *kernels;
    const struct run_types *types;
    size_t real_size;
    size_t max_rows; /* at a time */
    char *gathered;  /* inputs as numbers, when they are not so in their place */
    char *hidden[2]; /* outputs of layers, by turns */
    char *results;
};

void scratch_finish(struct scratch *scratch) {
    free(scratch->memory);
    *scratch = (struct scratch){0};
}

static char *reserve(struct scratch *scratch, size_t size) {
    if (scratch->size < size) {
        free(scratch->memory);
        scratch->memory = aligned_alloc(ALIGNMENT, hc_align_up(size, ALIGNMENT));
        if (scratch->memory == NULL) {
            abort();
        }
        scratch->size = size;
    }
    return scratch->memory;
}

static void prepare(struct run *run, struct scratch *scratch) {
    const struct stack *stack = run->stack;
    size_t hidden_size = stack->hidden_width * run->real_size;
    size_t x_size = stack->n_in * run->real_size;
    size_t y_size = stack->n_out * run->real_size;
    size_t row_size = x_size + 2 * hidden_size + y_size;
    run->max_rows = SCRATCH_SIZE / row_size;
    run->max_rows = run->max_rows < 1 ? 1 : run->max_rows > MAX_ROWS ? MAX_ROWS : run->max_rows;
    char *memory = reserve(scratch, run->max_rows * row_size + 4 * ALIGNMENT);
    run->gathered = memory;
    run->hidden[0] = memory + hc_align_up(run->max_rows * x_size, ALIGNMENT);
    run->hidden[1] = run->hidden[0] + hc_align_up(run->max_rows * hidden_size, ALIGNMENT);
    run->results = run->hidden[1] + hc_align_up(run->max_rows * hidden_size, ALIGNMENT);
}

/* N_ROWS rows of numbers through all layers; X is not written to. */
static void compute(const struct run *run, const char *x, size_t n_rows, char *y) {
    const struct stack *stack = run->stack;
    unsigned turn = 0;
    for (size_t i = 0; i < stack->n_layers; i++) {
        const struct layer *layer = &stack->layers[i];
        bool fused = layer->kind == LAYER_RELU && i > 0 && stack->layers[i - 1].relu;
        if (layer->kind == LAYER_LINEAR) {
            char *to = i == stack->last_linear ? y : run->hidden[turn++ % 2];
            if (!blas_linear(layer, x, n_rows, to)) {
                run->kernels->linear(layer, x, n_rows, to);
            }
            x = to;
        } else if (!fused) {
            if (turn == 0 && i < stack->last_linear && x != run->gathered) {
                memcpy(run->gathered, x, n_rows * stack->n_in * run->real_size);
                x = run->gathered;
            }
            run->kernels->apply(layer, stack->is_double, (char *)x, n_rows);
        }
    }
}

static bool is_plain(const struct run *run, enum hc_dtype dtype) {
    return dtype == (run->stack->is_double ? HC_DTYPE_FP64 : HC_DTYPE_FP32);
}

/* Take up to as many rows as fit from the parts, one after the other, as numbers. */
static size_t gather(const struct run *run, struct run_part *part) {
    const size_t width = run->stack->n_in;
    const size_t row_size = width * hc_dtype_size(run->types->x);
    size_t n_rows = 0;
    for (; part != NULL && n_rows < run->max_rows; part = part->next) {
        size_t room = run->max_rows - n_rows;
        size_t n = part->n_rows < room ? part->n_rows : room;
        char *to = run->gathered + n_rows * width * run->real_size;
        if (is_plain(run, run->types->x)) {
            memcpy(to, part->x, n * row_size);
        } else {
            run->kernels->widen(run->types->x, part->x, n * width, (float *)to);
        }
        n_rows += n;
    }
    return n_rows;
}

/* Give N_ROWS results to the parts that they belong to; returns the first that wants more. */
static struct run_part *scatter(const struct run *run, struct run_part *part, const char *results,
                                size_t n_rows) {
    const size_t x_size = run->stack->n_in * hc_dtype_size(run->types->x);
    const size_t y_size = run->stack->n_out * hc_dtype_size(run->types->y);
    while (part != NULL && n_rows > 0) {
        size_t n = part->n_rows < n_rows ? part->n_rows : n_rows;
        if (!is_plain(run, run->types->y)) {
            run->kernels->narrow(run->types->y, (const float *)results, n * run->stack->n_out,
                                 part->y);
        } else if (results != part->y) {
            memcpy(part->y, results, n * y_size);
        }
        results += n * run->stack->n_out * run->real_size;
        part->x += n * x_size;
        part->y += n * y_size;
        part->n_rows -= n;
        n_rows -= n;
        part = part->n_rows == 0 ? part->next : part;
    }
    return part;
}

/* A part that fills a piece by itself, or has no company, is read and written in place. */
static struct run_part *run_piece(const struct run *run, struct run_part *part) {
    bool alone = part->n_rows >= run->max_rows || part->next == NULL;
    const char *x = run->gathered;
    size_t n_rows;
    if (alone && is_plain(run, run->types->x)) {
        x = part->x;
        n_rows = part->n_rows < run->max_rows ? part->n_rows : run->max_rows;
    } else {
        n_rows = gather(run, part);
    }
    char *y = alone && is_plain(run, run->types->y) ? part->y : run->results;
    compute(run, x, n_rows, y);
    return scatter(run, part, y, n_rows);
}

void run_stack(const struct stack *stack, const struct kernels *kernels,
               const struct run_types *types, struct run_part *parts, struct scratch *scratch) {
    struct run run = {
        .stack = stack,
        .kernels = kernels,
        .types = types,
        .real_size = stack->is_double ? sizeof(double) : sizeof(float),
    };
    prepare(&run, scratch);
    while (parts != NULL) {
        if (parts->n_rows == 0) {
            parts = parts->next;
        } else {
            parts = run_piece(&run, parts);
        }
    }
}
