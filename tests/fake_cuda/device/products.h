/*
 * The tensor cores' products in the place of products.cuh, whose guard this has: each lane
 * calculates its four numbers of d from the fragments that all lanes hold, with exact products and
 * sums that are rounded once.
 */
#ifndef HC_BACKEND_LINEAR_CUDA_PRODUCTS_CUH
#define HC_BACKEND_LINEAR_CUDA_PRODUCTS_CUH

#include "cuda.h"
#include "cuda_bf16.h"
#include "cuda_fp16.h"

/* A lane's fragments of a and b, of two numbers a word. */
struct alignas(FAKE_SLOT_SIZE) fragments {
    uint32_t a[4];
    uint32_t b[2];
};

static inline float half_of(uint32_t word, int i) {
    return __half2float({(uint16_t)(word >> 16 * i)});
}

static inline float bfloat_of(uint32_t word, int i) {
    return __bfloat162float({(uint16_t)(word >> 16 * i)});
}

/*
 * Lane l belongs to group g = l / 4 and is number t = l % 4 in it. Of a it holds rows g (words 0
 * and 2) and g + 8 (words 1 and 3), columns 2t, 2t+1 (words 0 and 1) and 2t+8, 2t+9; of b rows 2t,
 * 2t+1 (word 0) and 2t+8, 2t+9, column g; of d rows g (numbers 0 and 1) and g + 8, columns 2t,
 * 2t+1.
 */
template <float (*number_of)(uint32_t word, int i), int N_COLUMNS>
static inline void multiply_fragments(const char *site, float (&d)[4], const fragments &mine) {
    const fragments *lanes = exchange(site, mine);
    const int group = fake_lane() / 4;
    const int first_column = 2 * (fake_lane() % 4);
    for (int i = 0; i < 4; i++) {
        const int column = first_column + i % 2;
        double sum = d[i];
        for (int k = 0; k < N_COLUMNS; k++) {
            const fragments &a = lanes[group * 4 + k % 8 / 2];
            const fragments &b = lanes[column * 4 + k % 8 / 2];
            sum += (double)number_of(a.a[i / 2 + k / 8 * 2], k % 2) * number_of(b.b[k / 8], k % 2);
        }
        d[i] = (float)sum;
    }
}

static inline void mma_f16_k16(float (&d)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3,
                               uint32_t b0, uint32_t b1) {
    multiply_fragments<half_of, 16>(SITE, d, {{a0, a1, a2, a3}, {b0, b1}});
}

static inline void mma_bf16_k16(float (&d)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3,
                                uint32_t b0, uint32_t b1) {
    multiply_fragments<bfloat_of, 16>(SITE, d, {{a0, a1, a2, a3}, {b0, b1}});
}

static inline void mma_f16_k8(float (&d)[4], uint32_t a0, uint32_t a1, uint32_t b) {
    multiply_fragments<half_of, 8>(SITE, d, {{a0, a1, 0, 0}, {b, 0}});
}

#endif
