/* Kernels: which forms there are, and which of them this processor can run. */
#include "kernels.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "kernels_levels.h"

static bool can_always(void) {
    return true;
}

#ifdef __x86_64__
/* Not every compiler's __builtin_cpu_supports() knows of it. */
static bool has_f16c(void) {
    unsigned a;
    unsigned b;
    unsigned c;
    unsigned d;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

static bool can_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

static bool can_avx512(void) {
    return can_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}
#endif

static const struct {
    const struct kernels *kernels;
    bool (*can)(void);
} levels[] = {
    {&kernels_portable, can_always},
#ifdef __x86_64__
    {&kernels_avx2, can_avx2},
    {&kernels_avx512, can_avx512},
#endif
};

const struct kernels *kernels_at(size_t index) {
    if (index >= sizeof levels / sizeof levels[0] || !levels[index].can()) {
        return NULL;
    }
    return levels[index].kernels;
}

const struct kernels *kernels_best(void) {
    size_t best = 0;
    while (kernels_at(best + 1) != NULL) {
        best++;
    }
    return kernels_at(best);
}
