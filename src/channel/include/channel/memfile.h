/*
 * Memory files: memory that several processes map, without a name in any file system.
 *
 * A file is created at its full, sparse size, sealed against resizing (so that no peer can make a
 * mapping fault by cutting it) and mapped once. Pages come into being when touched and can be given
 * back; the last descriptor or mapping to close releases everything.
 */
#ifndef HC_CHANNEL_MEMFILE_H
#define HC_CHANNEL_MEMFILE_H

#include <stddef.h>

#include "base/error.h"

struct hc_memfile {
    int fd;     /* -1: none */
    char *base; /* mapped read-write; NULL: none */
    size_t size;
};

#define HC_MEMFILE_NONE ((struct hc_memfile){.fd = -1})

/* NAME shows in /proc/PID/maps. SIZE is rounded up to whole pages. */
enum hc_code hc_memfile_create(const char *name, size_t size, struct hc_memfile *file,
                               struct hc_error *error);

/* Map a file that another process created; takes FD over, also on failure. */
enum hc_code hc_memfile_open(int fd, struct hc_memfile *file, struct hc_error *error);

/* Make this process's own mapping read-only; others keep theirs. */
enum hc_code hc_memfile_protect(struct hc_memfile *file, struct hc_error *error);

/* Unmap and close; zero pages and HC_MEMFILE_NONE are fine. */
void hc_memfile_close(struct hc_memfile *file);

/* Give the pages that lie wholly in the range back to the system; they read as zeros afterwards. */
void hc_memfile_release_pages(struct hc_memfile *file, size_t offset, size_t size);

/*
 * The sparse size for an arena on this machine: the smaller of 16 GiB and twice the memory, and
 * at least 64 MiB.
 */
size_t hc_memfile_arena_size(void);

#endif
