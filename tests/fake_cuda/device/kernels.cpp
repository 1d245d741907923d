/* The server's kernels, for one architecture (__CUDA_ARCH__). */
#include "cuda.h"
#include "products.h"

#include "backend/linear/cuda/kernels.cu"
#include "shared.h"
