/*
 * Small files and paths. Private to this library.
 */
#ifndef HC_MODEL_FILES_H
#define HC_MODEL_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* "FOLDER/NAME", to be freed. */
char *hc_path_join(const char *folder, const char *name);

bool hc_path_exists(const char *path);
bool hc_path_is_folder(const char *path);

/* Append a file's content; HC_INTERNAL when it cannot be read or is larger than LIMIT. */
enum hc_code hc_file_read(const char *path, size_t limit, struct hc_buf *content,
                          struct hc_error *error);

/* The size of a file that can be read. */
enum hc_code hc_file_size(const char *path, size_t *size, struct hc_error *error);

#endif
