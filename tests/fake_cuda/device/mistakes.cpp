/* Kernels with a mistake each, which a GPU would punish or leave to chance. */
#include "cuda.h"

#include "backend/linear/cuda/parameters.h"
#include "shared.h"

#define KERNEL(name) extern "C" __global__ void name(gpu_linear p)

__shared__ float parts[256];

KERNEL(no_mistake) {
    parts[threadIdx.x] = 1;
    __syncthreads();
    float value = __shfl_xor_sync(0xffffffff, parts[255 - threadIdx.x], 1);
    if (threadIdx.x < 64) {
        return;
    }
    __syncthreads();
    ((float *)p.y)[threadIdx.x] = value + __ldg((const uint4 *)p.x).x;
}

KERNEL(barrier_in_a_branch) {
    if (threadIdx.x < 100) {
        __syncthreads();
    } else {
        __syncthreads();
    }
}

KERNEL(shuffle_without_a_lane) {
    if (threadIdx.x != 33) {
        __shfl_xor_sync(0xffffffff, 1.0f, 1);
    }
}

KERNEL(shuffle_beside_a_barrier) {
    if (threadIdx.x % 2 == 0) {
        __shfl_xor_sync(0xffffffff, 1.0f, 1);
    } else {
        __syncthreads();
    }
}

KERNEL(shuffle_of_some_lanes) {
    __shfl_xor_sync(0xffff, 1.0f, 1);
}

KERNEL(vector_at_an_odd_place) {
    ((float *)p.y)[0] = (float)__ldg((const uint4 *)(p.x + 8)).x;
}

KERNEL(number_at_an_odd_place) {
    *(volatile float *)(p.y + 2) = 1;
}

KERNEL(read_behind_the_end) {
    ((float *)p.y)[0] = ((const float *)p.x)[p.n_in];
}

KERNEL(vector_behind_the_end) {
    ((float *)p.y)[0] = (float)__ldg((const uint4 *)p.x + (p.n_in - 1) / 4).w;
}

KERNEL(write_before_the_start) {
    ((float *)p.y)[-1] = 1;
}

KERNEL(write_to_nowhere) {
    *(volatile float *)(p.scales + 4096) = 1;
}

KERNEL(read_of_what_another_writes) {
    parts[threadIdx.x] = 1;
    ((float *)p.y)[threadIdx.x] = parts[threadIdx.x & ~1u];
}

KERNEL(write_to_what_another_reads) {
    parts[threadIdx.x] = 1;
    __syncthreads();
    ((float *)p.y)[threadIdx.x] = parts[(threadIdx.x + 1) % 256];
    parts[threadIdx.x] = 2;
}

KERNEL(write_to_what_another_writes) {
    parts[threadIdx.x / 2] = 1;
}

KERNEL(read_of_what_nobody_wrote) {
    if (blockIdx.x == 0) {
        parts[threadIdx.x] = 1;
    }
    __syncthreads();
    ((float *)p.y)[threadIdx.x] = parts[threadIdx.x];
}

KERNEL(trap) {
    __trap();
}
