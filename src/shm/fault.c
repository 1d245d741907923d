/* A handler for SIGBUS that ends the copy which raised it. */
#include "fault.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    LARGE = 8 << 20, /* nobody finds that much in the caches any more */
    LINE_SIZE = 64,
    PREFETCH_DISTANCE = 8 * LINE_SIZE,
};

/* The copy that this thread is in, if any. The handler runs on the thread that faults. */
struct copy {
    sigjmp_buf leave;
    uintptr_t to;
    uintptr_t from;
    size_t size;
};

static _Thread_local struct copy *volatile current;

static bool concerns(const struct copy *copy, uintptr_t address) {
    return copy != NULL && (address - copy->to < copy->size || address - copy->from < copy->size);
}

static void on_bus_error(int number, siginfo_t *info, void *context) {
    (void)context;
    if (info->si_code == BUS_ADRERR && concerns(current, (uintptr_t)info->si_addr)) {
        siglongjmp(current->leave, 1);
    }
    signal(number, SIG_DFL); /* and it is raised again where we return to */
}

void hc_fault_prepare(void) {
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

static bool overlap(const char *a, const char *b, size_t size) {
    uintptr_t distance = a < b ? (uintptr_t)b - (uintptr_t)a : (uintptr_t)a - (uintptr_t)b;
    return distance < size;
}

#ifdef __SSE2__
/* memcpy() past the caches: what is overwritten is not read before, which saves a third. */
static void stream(char *to, const char *from, size_t size) {
    size_t i = -(uintptr_t)to % sizeof(__m128i);
    memcpy(to, from, i);
    for (; size - i >= LINE_SIZE; i += LINE_SIZE) {
        __m128i line[LINE_SIZE / sizeof(__m128i)];
        _mm_prefetch(from + i + PREFETCH_DISTANCE, _MM_HINT_T0);
        memcpy(line, from + i, sizeof line);
        for (size_t k = 0; k < LINE_SIZE / sizeof line[0]; k++) {
            _mm_stream_si128((__m128i *)(void *)(to + i) + k, line[k]);
        }
    }
    _mm_sfence();
    memcpy(to + i, from + i, size - i);
}
#else
static void stream(char *to, const char *from, size_t size) {
    memcpy(to, from, size);
}
#endif

bool hc_fault_copy(void *to, const void *from, size_t size) {
    struct copy copy = {.to = (uintptr_t)to, .from = (uintptr_t)from, .size = size};
    if (sigsetjmp(copy.leave, 0) != 0) {
        current = NULL;
        return false;
    }
    current = &copy;
    if (size >= LARGE && !overlap(to, from, size)) {
        stream(to, from, size);
    } else {
        memmove(to, from, size);
    }
    current = NULL;
    return true;
}
