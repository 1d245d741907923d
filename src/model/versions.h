/*
 * Reading the versions in a model's folder, with or without a word. Private to this library.
 */
#ifndef HC_MODEL_VERSIONS_H
#define HC_MODEL_VERSIONS_H

#include "model/repository.h"

/* As hc_repository_versions(); whether folders that are ignored are reported in the log is WARN. */
enum hc_code hc_versions_read(const char *folder, bool warn, struct hc_versions *versions,
                              struct hc_error *error);

#endif
