/*
 * Which interpreter to become: from the `python` of an environment to its libpython.
 */
#ifndef HC_PYHOST_INTERPRETER_H
#define HC_PYHOST_INTERPRETER_H

#include "base/error.h"

struct hc_interpreter {
    char *executable; /* the environment's own python, which finds its site-packages */
    char *libpython;  /* the shared library to open, or NULL when it has none */
};

void hc_interpreter_finish(struct hc_interpreter *interpreter);

/*
 * COMMAND is a path, or a name to be looked up on PATH. Asks the interpreter itself (about 10 ms),
 * so that launch scripts, links and every layout of installation are understood.
 */
enum hc_code hc_interpreter_find(const char *command, struct hc_interpreter *interpreter,
                                 struct hc_error *error);

#endif
