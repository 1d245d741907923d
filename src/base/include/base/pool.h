/*
 * Memory that is released all at once: what belongs to one request, one parse, one answer.
 *
 * Allocations are bumped off chunks and never freed one by one. struct hc_pool is plain data,
 * zeroed is empty. hc_pool_reset() forgets everything but keeps the first chunk warm for the next
 * use; hc_pool_finish() gives everything back. Not thread-safe.
 */
#ifndef HC_BASE_POOL_H
#define HC_BASE_POOL_H

#include <stddef.h>

#include "base/text.h"

struct hc_pool_chunk;

struct hc_pool {
    struct hc_pool_chunk *_chunks; /* newest first */
    char *_place;
    size_t _room;
};

/* Uninitialised, aligned to 16 bytes. Ends the process without memory: for sizes of our own. */
void *hc_pool_alloc(struct hc_pool *pool, size_t size) __attribute__((malloc, returns_nonnull));

/* The same for N items, or NULL when the size overflows or there is no memory: for outside sizes.
 */
void *hc_pool_alloc_try(struct hc_pool *pool, size_t n, size_t item_size) __attribute__((malloc));

/* A copy with a NUL after it. */
char *hc_pool_copy(struct hc_pool *pool, struct hc_text text) __attribute__((returns_nonnull));

void hc_pool_reset(struct hc_pool *pool);
void hc_pool_finish(struct hc_pool *pool);

#define hc_auto_pool __attribute__((cleanup(hc_pool_finish))) struct hc_pool

#endif
