/*
 * Few rows at a time: what counts is to read the weights once, with as many loads in flight as
 * there can be. A block's warps are divided into groups of n_split; a group takes OUTPUTS outputs
 * of ROWS rows, its warps the vectors of the inputs by turns.
 */
#ifndef HC_BACKEND_LINEAR_CUDA_ROWS_CUH
#define HC_BACKEND_LINEAR_CUDA_ROWS_CUH

#include "number.cuh"

/*
 * The sums over a warp's lanes of N numbers, N a power of two up to 32: lane l gets that of number
 * l / (32 / N). Each exchange halves the numbers that a lane still holds.
 */
template <typename Real, int N, int DISTANCE> struct lane_sums {
    static __device__ __forceinline__ Real add(Real *values, int lane) {
        const bool upper = (lane & DISTANCE) != 0;
        const int HALF = N / 2;
        if (N == 1) {
            values[0] += __shfl_xor_sync(0xffffffff, values[0], DISTANCE);
        }
#pragma unroll
        for (int i = 0; i < HALF; i++) {
            Real kept = upper ? values[i + HALF] : values[i];
            Real given = upper ? values[i] : values[i + HALF];
            values[i] = kept + __shfl_xor_sync(0xffffffff, given, DISTANCE);
        }
        return lane_sums<Real, (N > 1 ? N / 2 : 1), DISTANCE / 2>::add(values, lane);
    }
};

template <typename Real> struct lane_sums<Real, 1, 0> {
    static __device__ __forceinline__ Real add(Real *values, int lane) {
        return values[0];
    }
};

template <typename Weight, typename Input, int ROWS, int OUTPUTS>
static __device__ __forceinline__ void rows(const gpu_linear &p) {
    using Real = typename traits<Weight>::real;
    const int LANES = traits<Weight>::lanes;
    const int SUMS = ROWS * OUTPUTS;
    __shared__ Real parts[GPU_WARPS][SUMS];
    const int lane = threadIdx.x % GPU_WARP;
    const int warp = threadIdx.x / GPU_WARP;
    const int part = warp % p.n_split;
    const uint32_t group = blockIdx.x * (GPU_WARPS / p.n_split) + warp / p.n_split;
    const uint32_t output = group * OUTPUTS;
    const uint32_t row = blockIdx.y * ROWS;
    const Weight *w[OUTPUTS];
    const Input *x[ROWS];
    Real sums[SUMS] = {};
#pragma unroll
    for (int j = 0; j < OUTPUTS; j++) { /* what lies outside is read from the last one inside */
        w[j] = (const Weight *)p.weights + (size_t)min(output + j, p.n_out - 1) * p.weights_stride;
    }
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        x[i] = (const Input *)p.x + (size_t)min(row + i, p.n_rows - 1) * p.x_stride;
    }
#pragma unroll(SUMS <= 4 ? 4 : SUMS <= 8 ? 2 : 1)
    for (uint32_t k = (part * GPU_WARP + lane) * LANES; k < p.n_in;
         k += p.n_split * GPU_WARP * LANES) {
        vector<Weight, LANES> weights[OUTPUTS];
#pragma unroll
        for (int j = 0; j < OUTPUTS; j++) {
            weights[j] = vector<Weight, LANES>::load(w[j] + k);
        }
#pragma unroll
        for (int i = 0; i < ROWS; i++) {
            vector<Input, LANES> inputs = vector<Input, LANES>::load(x[i] + k);
#pragma unroll
            for (int j = 0; j < OUTPUTS; j++) {
#pragma unroll
                for (int l = 0; l < LANES; l++) {
                    sums[j * ROWS + i] +=
                        (Real)widen(inputs.lanes[l]) * (Real)widen(weights[j].lanes[l]);
                }
            }
        }
    }
    Real sum = lane_sums<Real, SUMS, GPU_WARP / 2>::add(sums, lane);
    const int SHARE = GPU_WARP / SUMS; /* lanes that have the same sum */
    const int index = lane / SHARE;
    if (p.n_split > 1) {
        if (lane % SHARE == 0) {
            parts[warp][index] = sum;
        }
        __syncthreads();
        if (part > 0) {
            return;
        }
        for (int i = 1; i < p.n_split; i++) {
            sum += parts[warp + i][index];
        }
    }
    if (lane % SHARE == 0) {
        finish<Real>(p, row + index % ROWS, output + index / ROWS, sum);
    }
}

#endif
