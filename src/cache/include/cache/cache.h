/*
 * A cache of bytes by bytes, bounded in size: what has not been used for longest goes first.
 *
 * Keys are compared in full. Any thread may call; a lock is held for as long as it takes to find an
 * entry. What was found stays in place until it is released, whatever becomes of the cache's copy.
 */
#ifndef HC_CACHE_CACHE_H
#define HC_CACHE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct hc_cache;
struct hc_cache_entry;

/* SIZE bounds the bytes of all keys and values, and of what it takes to keep them. */
struct hc_cache *hc_cache_create(size_t size);

/* Entries that were found must have been released. */
void hc_cache_destroy(struct hc_cache *cache);

/* The entry with that key, to be released; NULL when there is none. */
struct hc_cache_entry *hc_cache_find(struct hc_cache *cache, struct hc_text key);

/* The value of an entry, aligned to 16 bytes. */
struct hc_text hc_cache_value(const struct hc_cache_entry *entry);

void hc_cache_release(struct hc_cache_entry *entry);

/* Add or replace an entry; does nothing when it is too large for the cache, or for memory. */
void hc_cache_insert(struct hc_cache *cache, struct hc_text key, struct hc_text value);

struct hc_cache_usage {
    uint64_t n_entries;
    uint64_t size;
    uint64_t capacity;
    uint64_t n_evictions;
};

struct hc_cache_usage hc_cache_usage(struct hc_cache *cache);

#endif
