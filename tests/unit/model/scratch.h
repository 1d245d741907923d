/*
 * A folder for the files of a test or of a group of them, removed with all that is in it at the
 * end.
 */
#ifndef HC_TESTS_UNIT_MODEL_SCRATCH_H
#define HC_TESTS_UNIT_MODEL_SCRATCH_H

#include <stddef.h>

extern char scratch_root[32];

/* Its set-up and tear-down. */
int scratch_make(void **state);
int scratch_remove(void **state);

/* "ROOT/PATH", in one of eight buffers that are used in turn. */
char *scratch_path(const char *path);

/* Make a folder and those above it. */
void scratch_make_folder(const char *path);

/* Write a file, making the folders above it. */
void scratch_write(const char *path, const void *data, size_t size);
void scratch_write_text(const char *path, const char *text);

#endif
