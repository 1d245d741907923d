/* All kernels by their names, which plan.c knows. */
#include "apply.cuh"
#include "rows.cuh"
#include "tiles.cuh"

#define KERNEL extern "C" __global__ void __launch_bounds__(GPU_WARPS *GPU_WARP)

#define ROWS_OF(name, Weight, Input)                                                               \
    KERNEL rows_##name##_1(gpu_linear p) {                                                         \
        rows<Weight, Input, 1, 2>(p);                                                              \
    }                                                                                              \
    KERNEL rows_##name##_2(gpu_linear p) {                                                         \
        rows<Weight, Input, 2, 2>(p);                                                              \
    }                                                                                              \
    KERNEL rows_##name##_4(gpu_linear p) {                                                         \
        rows<Weight, Input, 4, 4>(p);                                                              \
    }                                                                                              \
    KERNEL rows_##name##_8(gpu_linear p) {                                                         \
        rows<Weight, Input, 8, 4>(p);                                                              \
    }

ROWS_OF(f32, float, float)
ROWS_OF(f64, double, double)
ROWS_OF(f16, __half, __half)
ROWS_OF(bf16, __nv_bfloat16, __nv_bfloat16)
ROWS_OF(i8, int8_t, float)

#define TILES_OF(name, Number)                                                                     \
    KERNEL tiles_##name##_1(gpu_linear p) {                                                        \
        tiles<Number, 1>(p);                                                                       \
    }                                                                                              \
    KERNEL tiles_##name##_4(gpu_linear p) {                                                        \
        tiles<Number, 4>(p);                                                                       \
    }

TILES_OF(f16, __half)
TILES_OF(bf16, __nv_bfloat16)

KERNEL apply_f32(gpu_apply p) {
    apply<float>(p);
}

KERNEL apply_f64(gpu_apply p) {
    apply<double>(p);
}
