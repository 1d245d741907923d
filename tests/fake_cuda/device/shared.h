/* What the driver is told of a library of kernels; included once behind them. */
#ifndef FAKE_CUDA_DEVICE_SHARED_H
#define FAKE_CUDA_DEVICE_SHARED_H

#include "cuda.h"

/* Shared memory, from where to where: no other variables are left to the loader to zero. */
extern "C" {
extern char __bss_start[] __attribute__((visibility("hidden")));
extern char _end[] __attribute__((visibility("hidden")));
FAKE_API char *fake_shared_memory[] = {__bss_start, _end};
}

#endif
