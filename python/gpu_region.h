/*
 * Clients' regions of a GPU's memory, in which models see inputs and put outputs without a copy
 * through the processor.
 *
 * A region is opened by its handle when it is first met, and stays open until the server forgets it
 * and the last tensor in it is gone. What a model writes into an input the client sees.
 */
#ifndef HC_PYTHON_GPU_REGION_H
#define HC_PYTHON_GPU_REGION_H

#include "channel/layout.h"
#include "tensor.h"

/* Have SOURCE show what PLACE, in HC_ARENA_GPU, says of an input of the request. What keeps it
 * there: new reference, or NULL with an exception set. */
PyObject *hc_py_gpu_region_input(const struct hc_message_request *request,
                                 const struct hc_place *place, struct hc_py_tensor_source *source);

/*
 * Put TENSOR, which is in a GPU's memory and is the output NAME of the request, where the client
 * wants it in the same GPU's memory; one that is too large is left to the server to refuse. False,
 * without an exception: it is not wanted there, or cannot get there.
 */
bool hc_py_gpu_region_put(const struct hc_message_request *request, struct hc_text name,
                          const struct hc_tensor_object *tensor);

#endif
