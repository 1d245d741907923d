/*
 * What the server and the kernels on the GPU tell each other: the parameters of each kernel, in C
 * and CUDA alike.
 *
 * Rows lie one after the other, each at a multiple of its stride, in elements. Rows that kernels
 * read begin at multiples of 16 bytes and are GPU_PAD elements wide or a multiple of that; what is
 * behind the last real element is 0, so that sums need not end in the middle of a vector.
 *
 *     rows_<number>_<n>     layers of any kind of number, N rows at a time: a warp or several take
 *                           a few outputs of those rows and read whole rows of weights
 *     tiles_<number>_<n>    layers of half precision by tensor cores, 16 N rows at a time
 *     apply_<number>        everything between linear layers, a block a row
 *
 * <number> is f32, f64, f16, bf16 or i8 (weights of 8 bits, the rest of 32).
 */
#ifndef HC_BACKEND_LINEAR_CUDA_PARAMETERS_H
#define HC_BACKEND_LINEAR_CUDA_PARAMETERS_H

#include <stdint.h>

enum { GPU_PAD = 16, GPU_WARP = 32, GPU_WARPS = 8, GPU_TILE_ROWS = 16, GPU_TILE_OUTPUTS = 32 };

enum gpu_number { GPU_F32, GPU_F64, GPU_F16, GPU_BF16, GPU_I8 };

enum gpu_operation {
    GPU_NOTHING,
    GPU_RELU,
    GPU_LEAKY_RELU,
    GPU_GELU,
    GPU_GELU_TANH,
    GPU_TANH,
    GPU_SIGMOID,
    GPU_SILU,
    GPU_NORM, /* this and the next are of whole rows */
    GPU_SOFTMAX,
};

/* y = operation(x Wᵀ · scales + bias); scales, bias and sums are float, or double where W is. */
struct gpu_linear {
    uint64_t x; /* addresses; 0: none */
    uint64_t weights;
    uint64_t scales;
    uint64_t bias;
    uint64_t y;
    double slope;
    uint32_t n_rows;
    uint32_t n_in; /* padded */
    uint32_t n_out;
    uint32_t n_stored; /* columns written: n_out, and zeros behind them */
    uint32_t x_stride;
    uint32_t weights_stride;
    uint32_t y_stride;
    uint32_t y_number;  /* enum gpu_number */
    uint32_t operation; /* enum gpu_operation, none of whole rows */
    uint32_t n_split;   /* warps that share an output: a power of two up to GPU_WARPS */
};

/* y = operation(x) row by row; x and y may be the same. */
struct gpu_apply {
    uint64_t x;
    uint64_t weights; /* of a norm; 0: none */
    uint64_t bias;
    uint64_t y;
    double parameter; /* slope, epsilon */
    uint32_t n_rows;
    uint32_t n; /* elements of a row */
    uint32_t n_stored;
    uint32_t x_stride;
    uint32_t y_stride;
    uint32_t x_number;
    uint32_t y_number;
    uint32_t operation;
};

#endif
