/*
 * The environment variables of processes that run in a Python environment, as its activation sets
 * them: VIRTUAL_ENV (CONDA_PREFIX for conda's), its bin first on PATH, no PYTHONHOME.
 */
#ifndef HC_BACKEND_PYTHON_VARIABLES_H
#define HC_BACKEND_PYTHON_VARIABLES_H

#include <stddef.h>

struct variables {
    char **items; /* "NAME=value" each, NULL at the end */
    size_t n;
};

/* This process's, changed for the environment in FOLDER; NULL: unchanged. */
void variables_fill(struct variables *variables, const char *folder);
void variables_finish(struct variables *variables);

#define hc_auto_variables __attribute__((cleanup(variables_finish))) struct variables

#endif
