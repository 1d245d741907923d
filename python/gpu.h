/*
 * Tensors in a GPU's memory, as frameworks hand them over by DLPack. The GPU's driver is opened
 * when a model has such a tensor: nothing else here uses it.
 */
#ifndef HC_PYTHON_GPU_H
#define HC_PYTHON_GPU_H

#include "tensor.h"

/* Whether there is a driver. */
bool hc_py_gpu_is_there(void);

/*
 * Copy the tensor, which is in a GPU's memory, to PLACE, once the GPU is done with all that it has
 * been given. False with an exception set.
 */
bool hc_py_gpu_read(const struct hc_tensor_object *tensor, char *place);

#endif
