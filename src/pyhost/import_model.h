/*
 * Importing a model's Python file the way Triton does: as `<version>.<stem>`, with its version
 * folder and the model's folder appended to sys.path, so that siblings can be imported either way.
 * No __pycache__ is written below the model's folder.
 */
#ifndef HC_PYHOST_IMPORT_MODEL_H
#define HC_PYHOST_IMPORT_MODEL_H

#include "py.h"

/*
 * FOLDER is the model's, VERSION the name of its version folder, PATH that of the file in it, which
 * ends in ".py". New reference to the module.
 */
PyObject *hc_import_model(const char *folder, const char *version, const char *path);

/* A backend's file: as `<stem>`, with the folder that it is in appended. New reference. */
PyObject *hc_import_backend(const char *path);

#endif
