/* GPUs. FAKE_CUDA_DEVICES: how many there are, 1 unless given. FAKE_CUDA_CAPABILITY: what they can,
 * 80 (for 8.0) unless given. CUDA_VISIBLE_DEVICES: the one that alone can be seen. */
#include <stdio.h>
#include <stdlib.h>

#include "fake.h"

enum { COMPUTE_MAJOR = 75, COMPUTE_MINOR = 76, N_PROCESSORS = 16 };

struct uuid {
    char bytes[16];
};

static int only_device = -1; /* that can be seen; -1: all */

int fake_capability(void) {
    const char *given = getenv("FAKE_CUDA_CAPABILITY");
    return given == NULL ? 80 : atoi(given);
}

EXPORT int cuInit(unsigned flags) {
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");
    only_device = visible == NULL ? -1 : atoi(visible);
    fake_begin();
    return flags == 0 ? SUCCESS : INVALID_VALUE;
}

static const struct {
    int result;
    const char *name;
    const char *text;
} results[] = {
    {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {MISALIGNED_ADDRESS, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {CONTEXT_IS_DESTROYED, "CUDA_ERROR_CONTEXT_IS_DESTROYED", "context is destroyed"},
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
    *n = given == NULL || only_device >= 0 ? 1 : atoi(given);
    return SUCCESS;
}

EXPORT int cuDeviceGet(int *device, int index) {
    int n;
    cuDeviceGetCount(&n);
    *device = only_device >= 0 ? only_device : index;
    return index >= 0 && index < n ? SUCCESS : INVALID_DEVICE;
}

EXPORT int cuDeviceGetUuid_v2(struct uuid *uuid, int device) {
    *uuid = (struct uuid){{'G', 'P', 'U', (char)device}};
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
