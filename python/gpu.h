/*
 * Tensors in a GPU's memory, as frameworks hand them over by DLPack or clients share them.
 *
 * Copies are complete when a function returns, and what they copy is complete before: the GPU has
 * done by then all that it was given, on whatever stream. The GIL is let go of meanwhile. What
 * fails leaves an exception.
 */
#ifndef HC_PYTHON_GPU_H
#define HC_PYTHON_GPU_H

#include "tensor.h"

/* Whether there is a driver. */
bool hc_py_gpu_is_there(void);

/* Wait until the GPU has done all that it was given. */
bool hc_py_gpu_wait(int gpu);

/* Copy the tensor, which is in a GPU's memory, to the processor's. */
bool hc_py_gpu_read(const struct hc_tensor_object *tensor, char *place);

/* Copy it within the same GPU's memory. */
bool hc_py_gpu_copy(const struct hc_tensor_object *tensor, uint64_t address);

/* Copy what SOURCE shows to memory of its own of that GPU, and have it show that. What keeps it
 * there: new reference. */
PyObject *hc_py_gpu_move(struct hc_py_tensor_source *source, int gpu);

#endif
