/*
 * A folder for the files of a test, removed with all that is in it at the end.
 */
#ifndef HC_TESTS_UNIT_MODEL_SCRATCH_H
#define HC_TESTS_UNIT_MODEL_SCRATCH_H

#include <stddef.h>

struct scratch {
    char root[64];
};

void scratch_init(struct scratch *scratch);
void scratch_finish(struct scratch *scratch);

/* "ROOT/PATH", in one of eight buffers that are used in turn. */
char *scratch_path(const struct scratch *scratch, const char *path);

/* Make a folder and those above it. */
void scratch_make_folder(const struct scratch *scratch, const char *path);

/* Write a file, making the folders above it. */
void scratch_write(const struct scratch *scratch, const char *path, const void *data, size_t size);
void scratch_write_text(const struct scratch *scratch, const char *path, const char *text);

#endif
