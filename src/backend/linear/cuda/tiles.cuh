/*
 * Half precision by tensor cores. A warp takes 16 TILES rows by GPU_TILE_OUTPUTS outputs and loads
 * what it multiplies straight into registers; the n_split warps of a group take the inputs by
 * turns, and add up what they have in the end.
 *
 * mma.m16n8k16 wants from each thread of four (t = lane % 4) the inputs 2t, 2t+1, 2t+8 and 2t+9 of
 * a row. The order of inputs in a sum is free as long as both factors have the same, so a thread
 * takes the eight inputs from 8t on, in one load, which are enough for two such products.
 *
 * n_split is 2 at least.
 */
#ifndef HC_BACKEND_LINEAR_CUDA_TILES_CUH
#define HC_BACKEND_LINEAR_CUDA_TILES_CUH

#include "number.cuh"
#include "products.cuh"

template <typename Number>
static __device__ __forceinline__ void multiply(float (&sums)[4], uint32_t a0, uint32_t a1,
                                                uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1);

template <>
__device__ __forceinline__ void multiply<__half>(float (&sums)[4], uint32_t a0, uint32_t a1,
                                                 uint32_t a2, uint32_t a3, uint32_t b0,
                                                 uint32_t b1) {
#if __CUDA_ARCH__ >= 800
    mma_f16_k16(sums, a0, a1, a2, a3, b0, b1);
#else
    mma_f16_k8(sums, a0, a1, b0);
    mma_f16_k8(sums, a2, a3, b1);
#endif
}

/* Before sm_80 there is none of this; the server does not ask for it there. */
template <>
__device__ __forceinline__ void multiply<__nv_bfloat16>(float (&sums)[4], uint32_t a0, uint32_t a1,
                                                        uint32_t a2, uint32_t a3, uint32_t b0,
                                                        uint32_t b1) {
#if __CUDA_ARCH__ >= 800
    mma_bf16_k16(sums, a0, a1, a2, a3, b0, b1);
#else
    __trap();
#endif
}

static __device__ __forceinline__ uint4 load_eight(const void *place, bool inside) {
    return inside ? __ldg((const uint4 *)place) : make_uint4(0, 0, 0, 0);
}

template <int N>
static __device__ __forceinline__ void put_sums(const float *sums, float (*place)[GPU_WARP],
                                                int lane) {
#pragma unroll
    for (int i = 0; i < N; i++) {
        place[i][lane] = sums[i];
    }
}

template <typename Number, int TILES>
static __device__ __forceinline__ void tiles(const gpu_linear &p) {
    const int COLUMNS = GPU_TILE_OUTPUTS / 8;
    const int SUMS = TILES * COLUMNS * 4;
    const int STEP = 32; /* inputs that a warp takes at a time */
    __shared__ float parts[GPU_WARPS / 2][SUMS][GPU_WARP];
    const int lane = threadIdx.x % GPU_WARP;
    const int warp = threadIdx.x / GPU_WARP;
    const int part = warp % p.n_split;
    const uint32_t group = blockIdx.x * (GPU_WARPS / p.n_split) + warp / p.n_split;
    const uint32_t output = group * GPU_TILE_OUTPUTS;
    const uint32_t row = blockIdx.y * TILES * GPU_TILE_ROWS;
    const uint32_t mine = lane / 4;       /* row or output within a tile */
    const uint32_t from = 8 * (lane % 4); /* first input within a step */
    const Number *x[2 * TILES];
    const Number *w[COLUMNS];
    float sums[TILES][COLUMNS][4] = {};
#pragma unroll
    for (int i = 0; i < 2 * TILES; i++) {
        x[i] = (const Number *)p.x + (size_t)min(row + 8 * i + mine, p.n_rows - 1) * p.x_stride;
    }
#pragma unroll
    for (int j = 0; j < COLUMNS; j++) {
        w[j] = (const Number *)p.weights +
               (size_t)min(output + 8 * j + mine, p.n_out - 1) * p.weights_stride;
    }
#pragma unroll(TILES == 1 ? 4 : 2)
    for (uint32_t k = part * STEP + from; k < p.n_in + from; k += p.n_split * STEP) {
        bool inside = k < p.n_in;
        uint4 a[2 * TILES];
        uint4 b[COLUMNS];
#pragma unroll
        for (int j = 0; j < COLUMNS; j++) {
            b[j] = load_eight(w[j] + k, inside);
        }
#pragma unroll
        for (int i = 0; i < 2 * TILES; i++) {
            a[i] = load_eight(x[i] + k, inside);
        }
#pragma unroll
        for (int i = 0; i < TILES; i++) {
#pragma unroll
            for (int j = 0; j < COLUMNS; j++) {
                multiply<Number>(sums[i][j], a[2 * i].x, a[2 * i + 1].x, a[2 * i].y, a[2 * i + 1].y,
                                 b[j].x, b[j].y);
                multiply<Number>(sums[i][j], a[2 * i].z, a[2 * i + 1].z, a[2 * i].w, a[2 * i + 1].w,
                                 b[j].z, b[j].w);
            }
        }
    }
    /* Half of the warps that are left give what they have to the other half, until one is left,
     * whose sums all warps of the group then write out in the order of memory. */
    float *flat = &sums[0][0][0];
    for (int n = p.n_split / 2; n > 0; n /= 2) {
        const int place = warp / p.n_split * n + part % n;
        if (part >= n && part < 2 * n) {
            put_sums<SUMS>(flat, parts[place], lane);
        }
        __syncthreads();
        if (part < n) {
#pragma unroll
            for (int i = 0; i < SUMS; i++) {
                flat[i] += parts[place][i][lane];
            }
        }
        __syncthreads();
    }
    const int place = warp / p.n_split;
    if (part == 0) {
        put_sums<SUMS>(flat, parts[place], lane);
    }
    __syncthreads();
#pragma unroll 1
    for (int i = part * GPU_WARP + lane; i < SUMS * GPU_WARP; i += p.n_split * GPU_WARP) {
        const int r = i / GPU_TILE_OUTPUTS;
        const int c = i % GPU_TILE_OUTPUTS;
        const int sum = (r / 16 * COLUMNS + c / 8) * 4 + r % 16 / 8 * 2 + c % 2;
        finish<float>(p, row + r, output + c, parts[place][sum][r % 8 * 4 + c % 8 / 2]);
    }
}

#endif
