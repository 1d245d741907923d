/*
 * Environments: which interpreter runs a model, and the zygote that its processes are forked from.
 *
 * A model names its environment by the parameter EXECUTION_ENV_PATH: a folder (a venv, or one of
 * conda) or an archive of one made by conda-pack; `$$TRITON_MODEL_DIRECTORY` in it stands for the
 * model's folder. A model that names none gets the server's. An archive is unpacked into a folder
 * of its own for as long as models use it. The zygote starts with the first process that is wanted
 * and again when it has died.
 *
 * Control thread only.
 */
#ifndef HC_BACKEND_PYTHON_ENVIRONMENT_H
#define HC_BACKEND_PYTHON_ENVIRONMENT_H

#include "core/model.h"
#include "process.h"

struct environment;

/* The environment of MODEL, with one more reference. Begins to unpack an archive. */
enum hc_code environment_open(const struct hc_model *model, struct environment **environment,
                              struct hc_error *error);
void environment_unref(struct environment *environment);

/* Have a process forked from the environment's zygote. */
enum hc_code environment_fork(struct environment *environment, struct process *process,
                              struct hc_error *error);

/* At the server's end: end what is left and remove what was unpacked. */
void environments_finish(void);

#endif
