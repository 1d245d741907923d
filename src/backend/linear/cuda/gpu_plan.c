/* Which kernels run for so many rows. Nothing here needs a GPU. */
#include "gpu.h"

/*
 * What follows from measurements by bench/micro/gpu.c. Warps are worth having until there are so
 * many for each of the GPU's processors; with fewer than the least, more of them beat reading a
 * weight for more rows at a time.
 */
enum { WARPS_A_PROCESSOR = 24, LEAST_WARPS_A_PROCESSOR = 4, MANY_ROWS = 128 };

/* ---- Linear layers ---- */

static unsigned divide_up(unsigned a, unsigned b) {
    return (a + b - 1) / b;
}

static bool is_half(enum gpu_number number) {
    return number == GPU_F16 || number == GPU_BF16;
}

/* Elements of weights that a lane of the rows' kernels takes at a time. */
static unsigned lanes_of(enum gpu_number number) {
    return number == GPU_F64 ? 2 : number == GPU_F32 ? 4 : 8;
}

/* The warps that can share an output: with one load at least for the last of them. */
static unsigned max_split(unsigned n_in, unsigned step) {
    unsigned split = 1;
    while (split < GPU_WARPS && n_in > split * step) {
        split *= 2;
    }
    return split;
}

/* As many of them as there are to keep the GPU busy. */
static unsigned choose_split(const struct gpu_kernels *kernels, unsigned n_groups, unsigned least,
                             unsigned most) {
    unsigned split = least;
    while (split < most && n_groups * split < kernels->n_processors * WARPS_A_PROCESSOR) {
        split *= 2;
    }
    return split;
}

/* Outputs that a warp of the rows' kernel for 1, 2, 4 or 8 rows takes. */
static unsigned outputs_of(unsigned which) {
    return which < 2 ? 2 : 4;
}

static unsigned count_row_groups(const struct gpu_linear *linear, unsigned which) {
    return divide_up(linear->n_stored, outputs_of(which)) * divide_up(linear->n_rows, 1u << which);
}

static void choose_rows(const struct gpu_kernels *kernels, enum gpu_number number,
                        struct gpu_step *step) {
    struct gpu_linear *linear = &step->linear;
    unsigned most = max_split(linear->n_in, GPU_WARP * lanes_of(number));
    unsigned which = number == GPU_F32 ? 2 : 3;
    while (which > 0 && (linear->n_rows <= 1u << (which - 1) ||
                         count_row_groups(linear, which) * most <
                             kernels->n_processors * LEAST_WARPS_A_PROCESSOR)) {
        which--;
    }
    step->function = GPU_ROWS + number * GPU_N_ROWS + which;
    step->grid_y = divide_up(linear->n_rows, 1u << which);
    linear->n_split = choose_split(kernels, count_row_groups(linear, which), 1, most);
    step->grid_x =
        divide_up(divide_up(linear->n_stored, outputs_of(which)), GPU_WARPS / linear->n_split);
}

static void choose_tiles(const struct gpu_kernels *kernels, enum gpu_number number,
                         struct gpu_step *step) {
    struct gpu_linear *linear = &step->linear;
    unsigned which = linear->n_rows < MANY_ROWS ? 0 : GPU_N_TILES - 1;
    unsigned n_tiles = which == 0 ? 1 : 4;
    unsigned n_groups = divide_up(linear->n_stored, GPU_TILE_OUTPUTS);
    step->function = GPU_TILES + (number - GPU_F16) * GPU_N_TILES + which;
    step->grid_y = divide_up(linear->n_rows, GPU_TILE_ROWS * n_tiles);
    linear->n_split = choose_split(kernels, n_groups * step->grid_y, 2, GPU_WARPS);
    step->grid_x = divide_up(n_groups, GPU_WARPS / linear->n_split);
}

static uint64_t count_products(uint64_t n_in, uint64_t n_out, uint64_t n_rows) {
    return n_in * n_out * n_rows;
}

void gpu_plan_choose(const struct gpu_kernels *kernels, enum gpu_number number,
                     struct gpu_step *step) {
    const struct gpu_linear *linear = &step->linear;
    bool has_cores = is_half(number) && (number == GPU_F16 || kernels->capability >= 80);
    bool is_small = linear->n_rows <= 8 ||
                    count_products(linear->n_in, linear->n_out, linear->n_rows) <= 10000000;
    if (has_cores && !is_small) {
        choose_tiles(kernels, number, step);
    } else {
        choose_rows(kernels, number, step);
    }
}

bool gpu_plan_wants_library(const struct gpu_layer *layer, uint32_t n_rows) {
    uint64_t n_products = count_products(layer->n_in, layer->n_out, n_rows);
    if (layer->number == GPU_I8) {
        return false;
    }
    if (layer->number == GPU_F64) {
        return n_rows > 8 && n_products > 30000000;
    }
    if (is_half(layer->number)) {
        return n_rows > 4 && n_products > (n_rows > 8 ? 10000000 : 30000000);
    }
    return n_rows > 16 && n_products > (n_rows > 32 ? 100000000 : 400000000);
}

/* ---- Steps ---- */

struct maker {
    const struct gpu_stack *stack;
    const struct gpu_rows *rows;
    struct gpu_plan *plan;
    uint32_t width; /* of what the last step gives */
};

static struct gpu_step *add_step(struct maker *maker) {
    struct gpu_step *step = &maker->plan->steps[maker->plan->n++];
    *step = (struct gpu_step){0};
    return step;
}

static void add_apply(struct maker *maker, const struct gpu_layer *layer) {
    struct gpu_step *step = add_step(maker);
    step->kind = GPU_STEP_APPLY;
    step->apply = (struct gpu_apply){
        .n_rows = maker->rows->n,
        .n = maker->width,
    };
    if (layer != NULL) {
        step->apply.weights = layer->weights;
        step->apply.bias = layer->bias;
        step->apply.parameter = layer->parameter;
        step->apply.operation = layer->operation;
    }
}

static void add_linear(struct maker *maker, const struct gpu_layer *layer, bool library,
                       const struct gpu_layer *fused) {
    struct gpu_step *step = add_step(maker);
    step->kind = library ? GPU_STEP_LIBRARY : GPU_STEP_LINEAR;
    step->layer = layer;
    step->linear = (struct gpu_linear){
        .weights = layer->weights,
        .scales = layer->scales,
        .bias = library && layer->narrow_bias != 0 ? layer->narrow_bias : layer->bias,
        .n_rows = maker->rows->n,
        .n_in = gpu_pad(layer->n_in),
        .n_out = layer->n_out,
        .weights_stride = gpu_pad(layer->n_in),
    };
    if (fused != NULL) {
        step->linear.operation = fused->operation;
        step->linear.slope = fused->parameter;
    }
    maker->width = layer->n_out;
}

/*
 * The library leaves what lies behind a row's last element as it is, so it must be no padding that
 * somebody reads; and it gives the stack's own numbers only.
 */
static bool library_fits(const struct maker *maker, const struct gpu_layer *layer, bool is_last) {
    const struct gpu_stack *stack = maker->stack;
    bool same = gpu_number_of(stack->types.y) == stack->number;
    return maker->rows->has_library && layer->number == stack->number &&
           gpu_plan_wants_library(layer, maker->rows->n) &&
           (layer->n_out % GPU_PAD == 0 || (is_last && same));
}

/* Steps for layer I, and the next if it can be had along; returns how many layers those are. */
static size_t add_layer(struct maker *maker, size_t i) {
    const struct gpu_stack *stack = maker->stack;
    const struct gpu_layer *layer = &stack->layers[i];
    if (layer->operation != GPU_NOTHING) {
        add_apply(maker, layer);
        return 1;
    }
    const struct gpu_layer *next = i + 1 < stack->n_layers ? layer + 1 : NULL;
    bool library = library_fits(maker, layer, next == NULL);
    bool fuses = next != NULL && next->operation != GPU_NOTHING && next->operation < GPU_NORM &&
                 (!library || next->operation == GPU_RELU);
    add_linear(maker, layer, library, fuses ? next : NULL);
    return fuses ? 2 : 1;
}

/* ---- Where each step reads and writes ---- */

struct row_form {
    enum gpu_place place;
    enum gpu_number number;
    uint32_t stride;
    uint32_t n_stored;
};

static void connect(const struct gpu_stack *stack, struct gpu_step *step,
                    const struct row_form *from, const struct row_form *to) {
    step->from = from->place;
    step->to = to->place;
    if (step->kind == GPU_STEP_APPLY) {
        step->apply.x_stride = from->stride;
        step->apply.x_number = from->number;
        step->apply.y_stride = to->stride;
        step->apply.y_number = to->number;
        step->apply.n_stored = to->n_stored;
        step->function = GPU_APPLY + (stack->number == GPU_F64 ? 1 : 0);
        step->grid_x = step->apply.n_rows;
        step->grid_y = 1;
        return;
    }
    step->linear.x_stride = from->stride;
    step->linear.y_stride = to->stride;
    step->linear.y_number = to->number;
    step->linear.n_stored = to->n_stored;
    if (step->kind == GPU_STEP_LINEAR) {
        gpu_plan_choose(stack->kernels, step->layer->number, step);
    }
}

static uint32_t width_of(const struct gpu_step *step) {
    return step->kind == GPU_STEP_APPLY ? step->apply.n : step->linear.n_out;
}

static void connect_all(const struct maker *maker) {
    const struct gpu_stack *stack = maker->stack;
    struct gpu_plan *plan = maker->plan;
    struct row_form from = {
        .place = GPU_IN,
        .number = gpu_number_of(stack->types.x),
        .stride = maker->rows->padded ? gpu_pad(stack->n_in) : stack->n_in,
    };
    for (size_t i = 0; i < plan->n; i++) {
        bool is_last = i + 1 == plan->n;
        uint32_t width = width_of(&plan->steps[i]);
        struct row_form to = {
            .place = is_last      ? GPU_OUT
                     : i % 2 == 0 ? GPU_HIDDEN_0
                                  : GPU_HIDDEN_1,
            .number = is_last ? gpu_number_of(stack->types.y) : stack->number,
            .stride = is_last ? width : gpu_pad(width),
            .n_stored = is_last ? width : gpu_pad(width),
        };
        connect(stack, &plan->steps[i], &from, &to);
        from = to;
    }
}

/* One before all layers, two for each that is large, one behind them. */
size_t gpu_plan_max_steps(const struct gpu_stack *stack) {
    return 2 * stack->n_layers + 2;
}

void gpu_plan_make(const struct gpu_stack *stack, const struct gpu_rows *rows,
                   struct gpu_plan *plan) {
    struct maker maker = {.stack = stack, .rows = rows, .plan = plan, .width = stack->n_in};
    bool starts_linear = stack->layers[0].operation == GPU_NOTHING;
    bool readable = gpu_number_of(stack->types.x) == stack->number &&
                    (rows->padded || stack->n_in % GPU_PAD == 0);
    plan->n = 0;
    if (starts_linear && !readable) {
        add_apply(&maker, NULL);
    }
    for (size_t i = 0; i < stack->n_layers;) {
        i += add_layer(&maker, i);
    }
    bool narrows = gpu_number_of(stack->types.y) != stack->number;
    if (narrows && plan->steps[plan->n - 1].kind == GPU_STEP_LIBRARY) {
        add_apply(&maker, NULL);
    }
    connect_all(&maker);
}
