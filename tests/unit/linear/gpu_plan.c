/* Which kernels run for which stack and number of rows: no GPU is needed to say so. */
#include "backend/linear/cuda/gpu.h"
#include "test.h"

static const struct gpu_kernels kernels = {.capability = 90, .n_processors = 132};

enum { MAX_LAYERS = 6, MAX_STEPS = 2 * MAX_LAYERS + 2 };

/* A stack of layers by their widths: "n_in:n_out" for linear ones, else an operation. */
struct fixture {
    struct gpu_stack stack;
    struct gpu_layer layers[MAX_LAYERS];
    struct gpu_step steps[MAX_STEPS];
    struct gpu_plan plan;
};

static void begin(struct fixture *fixture, enum gpu_number number, enum hc_dtype x,
                  enum hc_dtype y) {
    *fixture = (struct fixture){0};
    fixture->stack = (struct gpu_stack){
        .kernels = &kernels, .number = number, .layers = fixture->layers, .types = {x, y}};
    fixture->plan.steps = fixture->steps;
}

static struct gpu_layer *add(struct fixture *fixture, enum gpu_operation operation, uint32_t n_in,
                             uint32_t n_out) {
    struct gpu_stack *stack = &fixture->stack;
    struct gpu_layer *layer = &fixture->layers[stack->n_layers++];
    layer->operation = operation;
    layer->number = stack->number;
    layer->n_in = n_in;
    layer->n_out = n_out;
    stack->n_in = stack->n_layers == 1 ? n_in : stack->n_in;
    stack->n_out = n_out;
    return layer;
}

static void add_linear(struct fixture *fixture, uint32_t n_in, uint32_t n_out) {
    add(fixture, GPU_NOTHING, n_in, n_out);
}

static void add_operation(struct fixture *fixture, enum gpu_operation operation) {
    uint32_t width = fixture->stack.n_out;
    add(fixture, operation, width, width);
}

static void plan(struct fixture *fixture, uint32_t n_rows, bool padded, bool has_library) {
    const struct gpu_rows rows = {.n = n_rows, .padded = padded, .has_library = has_library};
    gpu_plan_make(&fixture->stack, &rows, &fixture->plan);
    assert_true(fixture->plan.n <= gpu_plan_max_steps(&fixture->stack));
    assert_int_equal(fixture->steps[0].from, GPU_IN);
    assert_int_equal(fixture->steps[fixture->plan.n - 1].to, GPU_OUT);
    for (size_t i = 1; i < fixture->plan.n; i++) {
        assert_int_equal(fixture->steps[i].from, fixture->steps[i - 1].to);
        assert_int_not_equal(fixture->steps[i].from, fixture->steps[i].to);
    }
}

static void an_operation_behind_a_layer_is_done_with_it(void **state) {
    (void)state;
    struct fixture fixture;
    begin(&fixture, GPU_F32, HC_DTYPE_FP32, HC_DTYPE_FP32);
    add_linear(&fixture, 784, 512);
    add_operation(&fixture, GPU_GELU);
    add_linear(&fixture, 512, 10);
    plan(&fixture, 32, true, false);
    assert_int_equal(fixture.plan.n, 2);
    assert_int_equal(fixture.steps[0].linear.operation, GPU_GELU);
    assert_int_equal(fixture.steps[1].linear.operation, GPU_NOTHING);
}

static void what_is_of_whole_rows_is_a_step_of_its_own(void **state) {
    (void)state;
    struct fixture fixture;
    begin(&fixture, GPU_F32, HC_DTYPE_FP32, HC_DTYPE_FP32);
    add_linear(&fixture, 16, 20);
    add_operation(&fixture, GPU_NORM);
    add_operation(&fixture, GPU_SILU);
    add_linear(&fixture, 20, 5);
    add_operation(&fixture, GPU_SOFTMAX);
    plan(&fixture, 3, true, false);
    assert_int_equal(fixture.plan.n, 5);
    assert_int_equal(fixture.steps[1].apply.operation, GPU_NORM);
    assert_int_equal(fixture.steps[2].apply.operation, GPU_SILU);
    assert_int_equal(fixture.steps[4].apply.operation, GPU_SOFTMAX);
    assert_int_equal(fixture.steps[4].apply.y_stride, 5);
}

static void rows_between_layers_are_padded_and_the_last_are_not(void **state) {
    (void)state;
    struct fixture fixture;
    begin(&fixture, GPU_F32, HC_DTYPE_FP32, HC_DTYPE_FP32);
    add_linear(&fixture, 32, 33);
    add_linear(&fixture, 33, 7);
    plan(&fixture, 1, true, false);
    assert_int_equal(fixture.steps[0].linear.n_stored, 48);
    assert_int_equal(fixture.steps[0].linear.y_stride, 48);
    assert_int_equal(fixture.steps[1].linear.n_in, 48);
    assert_int_equal(fixture.steps[1].linear.x_stride, 48);
    assert_int_equal(fixture.steps[1].linear.n_stored, 7);
    assert_int_equal(fixture.steps[1].linear.y_stride, 7);
}

static void rows_that_kernels_cannot_read_are_copied_first(void **state) {
    (void)state;
    static const struct {
        enum hc_dtype x;
        uint32_t n_in;
        bool padded;
        bool copied;
    } rows[] = {
        {HC_DTYPE_FP32, 32, false, false}, /* nothing is missing between them */
        {HC_DTYPE_FP32, 33, true, false},
        {HC_DTYPE_FP32, 33, false, true},
        {HC_DTYPE_FP16, 32, true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture;
        begin(&fixture, GPU_F32, rows[i].x, HC_DTYPE_FP32);
        add_linear(&fixture, rows[i].n_in, 8);
        plan(&fixture, 4, rows[i].padded, false);
        assert_int_equal(fixture.plan.n, rows[i].copied ? 2 : 1);
        assert_int_equal(fixture.steps[0].kind, rows[i].copied ? GPU_STEP_APPLY : GPU_STEP_LINEAR);
    }
}

static void the_last_step_writes_what_clients_get(void **state) {
    (void)state;
    struct fixture fixture;
    begin(&fixture, GPU_F32, HC_DTYPE_FP32, HC_DTYPE_BF16);
    add_linear(&fixture, 4096, 4096);
    plan(&fixture, 4, true, true);
    assert_int_equal(fixture.plan.n, 1);
    assert_int_equal(fixture.steps[0].linear.y_number, GPU_BF16);
    plan(&fixture, 256, true, true); /* the library gives the stack's own numbers */
    assert_int_equal(fixture.plan.n, 2);
    assert_int_equal(fixture.steps[0].kind, GPU_STEP_LIBRARY);
    assert_int_equal(fixture.steps[1].apply.y_number, GPU_BF16);
}

static void large_layers_go_to_the_library_if_there_is_one(void **state) {
    (void)state;
    struct fixture fixture;
    begin(&fixture, GPU_F32, HC_DTYPE_FP32, HC_DTYPE_FP32);
    add_linear(&fixture, 4096, 4096);
    add_operation(&fixture, GPU_RELU);
    add_linear(&fixture, 4096, 4096);
    add_operation(&fixture, GPU_TANH); /* which it cannot do along */
    add_linear(&fixture, 4096, 4096);
    plan(&fixture, 256, true, true);
    assert_int_equal(fixture.plan.n, 4);
    assert_int_equal(fixture.steps[0].kind, GPU_STEP_LIBRARY);
    assert_int_equal(fixture.steps[0].linear.operation, GPU_RELU);
    assert_int_equal(fixture.steps[1].kind, GPU_STEP_LIBRARY);
    assert_int_equal(fixture.steps[2].apply.operation, GPU_TANH);
    plan(&fixture, 256, true, false);
    assert_int_equal(fixture.plan.n, 3);
    plan(&fixture, 1, true, true);
    assert_int_equal(fixture.steps[0].kind, GPU_STEP_LINEAR);
}

static void the_library_is_kept_from_rows_whose_padding_is_read(void **state) {
    (void)state;
    struct fixture fixture;
    begin(&fixture, GPU_F32, HC_DTYPE_FP32, HC_DTYPE_FP32);
    add_linear(&fixture, 4096, 4097);
    add_linear(&fixture, 4097, 4097);
    plan(&fixture, 256, true, true);
    assert_int_equal(fixture.steps[0].kind, GPU_STEP_LINEAR);
    assert_int_equal(fixture.steps[1].kind, GPU_STEP_LIBRARY);
}

static void weights_of_8_bits_have_kernels_of_their_own(void **state) {
    (void)state;
    struct fixture fixture;
    begin(&fixture, GPU_F32, HC_DTYPE_FP32, HC_DTYPE_FP32);
    add(&fixture, GPU_NOTHING, 4096, 4096)->number = GPU_I8;
    plan(&fixture, 256, true, true);
    assert_int_equal(fixture.steps[0].kind, GPU_STEP_LINEAR);
    assert_in_range(fixture.steps[0].function, GPU_ROWS + GPU_I8 * GPU_N_ROWS, GPU_TILES - 1);
}

/* Every row and output is somebody's, and a grid is one that a GPU takes. */
static void grids_cover_what_there_is(void **state) {
    (void)state;
    static const uint32_t extents[] = {1, 2, 3, 5, 8, 9, 16, 31, 33, 64, 100, 257, 1024, 4096};
    enum { N = sizeof extents / sizeof extents[0] };
    for (unsigned i = 0; i < GPU_N_NUMBERS * N * N * N; i++) {
        enum gpu_number number = i % GPU_N_NUMBERS;
        unsigned rest = i / GPU_N_NUMBERS;
        uint32_t n_rows = extents[rest % N];
        uint32_t n_out = extents[rest / N % N];
        struct gpu_step step = {.linear = {.n_rows = n_rows,
                                           .n_out = n_out,
                                           .n_stored = gpu_pad(n_out),
                                           .n_in = gpu_pad(extents[rest / N / N])}};
        gpu_plan_choose(&kernels, number, &step);
        bool tiles = step.function >= GPU_TILES;
        unsigned which =
            tiles ? (step.function - GPU_TILES) % GPU_N_TILES : step.function % GPU_N_ROWS;
        uint64_t rows_each = tiles ? (which == 0 ? 16 : 64) : 1u << which;
        uint64_t outputs_each = tiles ? GPU_TILE_OUTPUTS : which < 2 ? 2 : 4;
        uint64_t groups = (uint64_t)step.grid_x * (GPU_WARPS / step.linear.n_split);
        assert_true(step.grid_y * rows_each >= n_rows && step.grid_y <= 65535);
        assert_true(groups * outputs_each >= step.linear.n_stored);
        assert_in_range(step.linear.n_split, tiles ? 2 : 1, GPU_WARPS);
        assert_true(!tiles || number == GPU_F16 || number == GPU_BF16);
    }
}

static void old_gpus_have_no_tensor_cores_for_bfloat16(void **state) {
    (void)state;
    const struct gpu_kernels old = {.capability = 75, .n_processors = 40};
    struct gpu_step step = {
        .linear = {.n_rows = 64, .n_out = 4096, .n_stored = 4096, .n_in = 4096}};
    gpu_plan_choose(&old, GPU_BF16, &step);
    assert_true(step.function < GPU_TILES);
    gpu_plan_choose(&old, GPU_F16, &step);
    assert_true(step.function >= GPU_TILES);
}

/* ---- Graphs ---- */

static void a_shape_has_its_place_until_others_came_more_often(void **state) {
    (void)state;
    struct gpu_graphs graphs = {0};
    struct gpu_graph_key key = {.n_rows = 1};
    bool is_new;
    struct gpu_graph *first = gpu_graphs_find(&graphs, &key, &is_new);
    assert_true(is_new);
    first->exec = (hc_cuda_graph_exec)&graphs;
    assert_ptr_equal(gpu_graphs_find(&graphs, &key, &is_new), first);
    assert_false(is_new);
    for (uint32_t i = 2; i <= GPU_MAX_GRAPHS; i++) {
        gpu_graphs_find(&graphs, &(struct gpu_graph_key){.n_rows = i}, &is_new);
        assert_true(is_new);
        gpu_graphs_find(&graphs, &key, &is_new);
        assert_false(is_new);
    }
    key = (struct gpu_graph_key){.n_rows = 2};
    struct gpu_graph *second = gpu_graphs_find(&graphs, &key, &is_new);
    assert_false(is_new);
    gpu_graphs_find(&graphs, &(struct gpu_graph_key){.n_rows = 1, .x = 64}, &is_new);
    assert_true(is_new); /* the third's place */
    assert_ptr_equal(gpu_graphs_find(&graphs, &key, &is_new), second);
    gpu_graphs_find(&graphs, &(struct gpu_graph_key){.n_rows = 3}, &is_new);
    assert_true(is_new);
}

static void a_place_that_is_taken_over_brings_its_graph(void **state) {
    (void)state;
    struct gpu_graphs graphs = {0};
    bool is_new;
    gpu_graphs_find(&graphs, &(struct gpu_graph_key){.n_rows = 1}, &is_new)->exec =
        (hc_cuda_graph_exec)&graphs;
    for (uint32_t i = 2; i <= GPU_MAX_GRAPHS; i++) {
        gpu_graphs_find(&graphs, &(struct gpu_graph_key){.n_rows = i}, &is_new);
    }
    struct gpu_graph *taken =
        gpu_graphs_find(&graphs, &(struct gpu_graph_key){.n_rows = 99}, &is_new);
    assert_true(is_new);
    assert_ptr_equal(taken->exec, &graphs);
    assert_int_equal(taken->key.n_rows, 99);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operation_behind_a_layer_is_done_with_it),
        cmocka_unit_test(what_is_of_whole_rows_is_a_step_of_its_own),
        cmocka_unit_test(rows_between_layers_are_padded_and_the_last_are_not),
        cmocka_unit_test(rows_that_kernels_cannot_read_are_copied_first),
        cmocka_unit_test(the_last_step_writes_what_clients_get),
        cmocka_unit_test(large_layers_go_to_the_library_if_there_is_one),
        cmocka_unit_test(the_library_is_kept_from_rows_whose_padding_is_read),
        cmocka_unit_test(weights_of_8_bits_have_kernels_of_their_own),
        cmocka_unit_test(grids_cover_what_there_is),
        cmocka_unit_test(old_gpus_have_no_tensor_cores_for_bfloat16),
        cmocka_unit_test(a_shape_has_its_place_until_others_came_more_often),
        cmocka_unit_test(a_place_that_is_taken_over_brings_its_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
