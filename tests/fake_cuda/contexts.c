/* Primary contexts: one a GPU, alive while somebody has retained it, and current in threads. */
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "fake.h"

enum { MAX_GPUS = 16, MAX_DEPTH = 16 };

static pid_t user; /* the process that has called cuInit() */
static struct context {
    atomic_int references;
} contexts[MAX_GPUS];

static _Thread_local struct context *stack[MAX_DEPTH];
static _Thread_local int depth;

void fake_begin(void) {
    user = getpid();
    fake_record("init");
}

static int check_process(void) {
    return user == getpid() ? SUCCESS : NOT_INITIALIZED;
}

int fake_check_context(void) {
    if (check_process() != SUCCESS) {
        return NOT_INITIALIZED;
    }
    if (depth == 0) {
        return INVALID_CONTEXT;
    }
    return stack[depth - 1]->references > 0 ? SUCCESS : CONTEXT_IS_DESTROYED;
}

EXPORT int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) {
    (void)device, (void)flags;
    return check_process();
}

EXPORT int cuDevicePrimaryCtxRetain(struct context **context, int device) {
    if (check_process() != SUCCESS) {
        return NOT_INITIALIZED;
    }
    *context = &contexts[device];
    (*context)->references++;
    return SUCCESS;
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
    if (contexts[device].references == 0) {
        return INVALID_CONTEXT;
    }
    contexts[device].references--;
    return SUCCESS;
}

EXPORT int cuCtxPushCurrent_v2(struct context *context) {
    if (context == NULL || context->references == 0 || depth == MAX_DEPTH) {
        return INVALID_CONTEXT;
    }
    stack[depth++] = context;
    return SUCCESS;
}

EXPORT int cuCtxPopCurrent_v2(struct context **context) {
    if (depth == 0) {
        return INVALID_CONTEXT;
    }
    *context = stack[--depth];
    return SUCCESS;
}

EXPORT int cuCtxSetCurrent(struct context *context) {
    if (context == NULL || context->references == 0) {
        return INVALID_CONTEXT;
    }
    depth = depth == 0 ? 1 : depth;
    stack[depth - 1] = context;
    return SUCCESS;
}

EXPORT int cuCtxSynchronize(void) {
    int result = fake_check_context();
    return result == SUCCESS ? fake_finish_unnamed() : result;
}
