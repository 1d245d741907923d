/*
 * CUDA's language, as far as the kernels use it, for a compiler of C++: what a thread of a GPU
 * finds predefined. Included before a kernel's source.
 */
#ifndef FAKE_CUDA_DEVICE_CUDA_H
#define FAKE_CUDA_DEVICE_CUDA_H

#include <math.h>
#include <stdint.h>

#include "../grid.h"

#define __global__
#define __device__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(n)
#define __shared__ static

#define threadIdx (fake_here.thread)
#define blockIdx  (fake_here.block)
#define blockDim  (fake_here.block_extent)
#define gridDim   (fake_here.grid_extent)

/* Where in the source something is, for what must be done at one place by several threads. */
#define SITE_TEXT_OF(line) #line
#define SITE_TEXT(line)    SITE_TEXT_OF(line)
#define SITE               __FILE__ ":" SITE_TEXT(__LINE__)

#define __syncthreads()                        fake_barrier(SITE)
#define __trap()                               fake_trap(SITE)
#define __shfl_xor_sync(mask, value, distance) shuffle_xor(SITE, mask, value, distance)

struct alignas(8) uint2 {
    uint32_t x, y;
};

struct alignas(16) uint4 {
    uint32_t x, y, z, w;
};

static inline uint4 make_uint4(uint32_t x, uint32_t y, uint32_t z, uint32_t w) {
    return {x, y, z, w};
}

static inline uint32_t min(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

template <typename Value> static inline Value __ldg(const Value *place) {
    fake_load(place, sizeof *place);
    return *place;
}

/* What each lane of the warp gives, once all of them are at SITE. */
template <typename Value> static inline const Value *exchange(const char *site, const Value &mine) {
    static_assert(sizeof mine <= FAKE_SLOT_SIZE, "more than a slot holds");
    return (const Value *)fake_exchange(site, &mine, sizeof mine);
}

template <typename Value>
static inline Value shuffle_xor(const char *site, uint32_t mask, Value value, int distance) {
    struct slot {
        alignas(FAKE_SLOT_SIZE) Value value;
    };
    return mask == 0xffffffff ? exchange<slot>(site, {value})[fake_lane() ^ distance].value
                              : (fake_trap(site), value);
}

#endif
