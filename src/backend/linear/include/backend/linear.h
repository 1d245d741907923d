/*
 * The linear backend: stacks of linear layers and activations, run by the server itself, straight
 * from a file of weights (weights/weights.h).
 *
 * How the parts fit together:
 *
 *     linear.c     the table of functions; loading and unloading
 *     file.c       which file of the version's folder holds the weights
 *     describe.c   layers from the file's modules, or from its tensors and the config
 *     stack.c      the layers, checked and packed for the kernels
 *     config.c     inputs and outputs: completed from the stack, or checked against it
 *     answer.c     responses, with the memory of their outputs, kept for reuse
 *     execute.c    who runs an execution when: in place, or on a worker
 *     workers.c    the worker threads
 *     run.c        an execution's rows through the stack
 *     kernels*     the arithmetic, once for each kind of processor; blas.c for large batches
 *     gpus.c       what a model has on GPUs, where cuda/gpu.h says more
 *
 * What takes a few microseconds runs at once on the loop that dispatches it; everything else on
 * worker threads, as many as there are usable cores, whatever the number of models. Instances say
 * how many executions of a model may run at a time. They share the weights, which exist once.
 */
#ifndef HC_BACKEND_LINEAR_LINEAR_H
#define HC_BACKEND_LINEAR_LINEAR_H

#include "core/backend.h"

extern const struct hc_backend hc_linear_backend;

/* Once, before models are loaded and after the server's loops exist. */
void hc_linear_start(struct hc_server *server);

/* After the loops have stopped. */
void hc_linear_finish(void);

#endif
