/* GPUs, and their contexts. FAKE_CUDA_DEVICES: how many there are, 1 unless given.
 * FAKE_CUDA_CAPABILITY: what they can, 80 (for 8.0) unless given. */
#include <stdio.h>
#include <stdlib.h>

#include "fake.h"

enum { COMPUTE_MAJOR = 75, COMPUTE_MINOR = 76, N_PROCESSORS = 16 };

int fake_capability(void) {
    const char *given = getenv("FAKE_CUDA_CAPABILITY");
    return given == NULL ? 80 : atoi(given);
}

EXPORT int cuInit(unsigned flags) {
    return flags == 0 ? SUCCESS : INVALID_VALUE;
}

static const struct {
    int result;
    const char *name;
    const char *text;
} results[] = {
    {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {MISALIGNED_ADDRESS, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {0, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
};

static size_t find_result(int result) {
    size_t i = 0;
    while (results[i].result != result && results[i].result != 0) {
        i++;
    }
    return i;
}

EXPORT int cuGetErrorName(int result, const char **name) {
    *name = results[find_result(result)].name;
    return SUCCESS;
}

EXPORT int cuGetErrorString(int result, const char **text) {
    *text = results[find_result(result)].text;
    return SUCCESS;
}

EXPORT int cuDeviceGetCount(int *n) {
    const char *given = getenv("FAKE_CUDA_DEVICES");
    *n = given == NULL ? 1 : atoi(given);
    return SUCCESS;
}

EXPORT int cuDeviceGet(int *device, int index) {
    *device = index;
    return SUCCESS;
}

EXPORT int cuDeviceGetName(char *name, int size, int device) {
    snprintf(name, (size_t)size, "no GPU %d", device);
    return SUCCESS;
}

EXPORT int cuDeviceGetAttribute(int *value, int attribute, int device) {
    (void)device;
    *value = attribute == COMPUTE_MAJOR   ? fake_capability() / 10
             : attribute == COMPUTE_MINOR ? fake_capability() % 10
             : attribute == N_PROCESSORS  ? 4
                                          : 0;
    return SUCCESS;
}

EXPORT int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) {
    (void)device, (void)flags;
    return SUCCESS;
}

EXPORT int cuDevicePrimaryCtxRetain(void **context, int device) {
    static char contexts[16];
    *context = &contexts[device];
    return SUCCESS;
}

EXPORT int cuCtxSetCurrent(void *context) {
    return context != NULL ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
    (void)device;
    return SUCCESS;
}

EXPORT int cuCtxPushCurrent_v2(void *context) {
    return context != NULL ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuCtxPopCurrent_v2(void **context) {
    *context = NULL;
    return SUCCESS;
}

EXPORT int cuCtxSynchronize(void) {
    return fake_finish_unnamed();
}
