/* What lies between linear layers: a block a row. */
#ifndef HC_BACKEND_LINEAR_CUDA_APPLY_CUH
#define HC_BACKEND_LINEAR_CUDA_APPLY_CUH

#include "number.cuh"

struct larger {
    template <typename Real> __device__ Real operator()(Real a, Real b) const {
        return a > b ? a : b;
    }
};

struct sum_of {
    template <typename Real> __device__ Real operator()(Real a, Real b) const {
        return a + b;
    }
};

/* All threads of the block get what OPERATOR makes of the values of all. */
template <typename Operator, typename Real>
static __device__ Real reduce(Real value, Real nothing) {
    __shared__ Real parts[GPU_WARPS];
    const int lane = threadIdx.x % GPU_WARP;
    const Operator together;
    __syncthreads();
    for (int distance = GPU_WARP / 2; distance > 0; distance /= 2) {
        value = together(value, __shfl_xor_sync(0xffffffff, value, distance));
    }
    if (lane == 0) {
        parts[threadIdx.x / GPU_WARP] = value;
    }
    __syncthreads();
    value = lane < GPU_WARPS ? parts[lane] : nothing;
    for (int distance = GPU_WARP / 2; distance > 0; distance /= 2) {
        value = together(value, __shfl_xor_sync(0xffffffff, value, distance));
    }
    return value;
}

template <typename Real> struct row_of {
    const gpu_apply &p;
    uint32_t row;

    __device__ Real get(uint32_t i) const {
        return load<Real>(p.x, (size_t)row * p.x_stride + i, p.x_number);
    }

    __device__ void put(uint32_t i, Real value) const {
        store<Real>(p.y, (size_t)row * p.y_stride + i, p.y_number, value);
    }
};

#define EACH(i, n) for (uint32_t i = threadIdx.x; i < (n); i += GPU_WARPS * GPU_WARP)

template <typename Real> static __device__ void normalise(const row_of<Real> &row) {
    const gpu_apply &p = row.p;
    Real sum = 0;
    EACH(i, p.n) {
        sum += row.get(i);
    }
    const Real mean = reduce<sum_of>(sum, (Real)0) / p.n;
    sum = 0;
    EACH(i, p.n) {
        Real distance = row.get(i) - mean;
        sum += distance * distance;
    }
    const Real variance = reduce<sum_of>(sum, (Real)0) / p.n;
    const Real factor = 1 / sqrt(variance + (Real)p.parameter);
    EACH(i, p.n) {
        Real value = (row.get(i) - mean) * factor;
        value = p.weights == 0 ? value : value * ((const Real *)p.weights)[i];
        row.put(i, p.bias == 0 ? value : value + ((const Real *)p.bias)[i]);
    }
}

template <typename Real> static __device__ void soften(const row_of<Real> &row) {
    const gpu_apply &p = row.p;
    Real largest = row.get(0);
    EACH(i, p.n) {
        Real value = row.get(i);
        largest = value > largest ? value : largest;
    }
    largest = reduce<larger>(largest, largest);
    Real sum = 0;
    EACH(i, p.n) {
        sum += exp(row.get(i) - largest);
    }
    sum = reduce<sum_of>(sum, (Real)0);
    EACH(i, p.n) {
        row.put(i, exp(row.get(i) - largest) / sum);
    }
}

template <typename Real> static __device__ void apply(const gpu_apply &p) {
    for (uint32_t i = blockIdx.x; i < p.n_rows; i += gridDim.x) {
        const row_of<Real> row = {p, i};
        if (p.operation == GPU_NORM) {
            normalise<Real>(row);
        } else if (p.operation == GPU_SOFTMAX) {
            soften<Real>(row);
        } else {
            EACH(j, p.n) {
                row.put(j, operate<Real>(p.operation, row.get(j), (Real)p.parameter));
            }
        }
        EACH(j, p.n_stored - p.n) {
            row.put(p.n + j, 0);
        }
    }
}

#undef EACH

#endif
