/*
 * Making the modules that models import: triton_python_backend_utils, and c_python_backend_utils
 * with the same types.
 */
#ifndef HC_PYTHON_MODULE_H
#define HC_PYTHON_MODULE_H

#include "py.h"

/* Create both and put them into sys.modules; once a process. False with an exception set. */
bool hc_py_make_modules(const struct hc_py_services *services);

#endif
