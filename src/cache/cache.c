/* The cache: a hash table whose entries are in a list, too, the last used first. */
#include "cache/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/alloc.h"
#include "base/list.h"

enum { ALIGNMENT = 16 };

struct hc_cache_entry {
    UT_hash_handle hh;
    struct hc_list link;
    atomic_uint references; /* the cache's, and those who found it */
    size_t key_size;
    size_t value_offset;
    size_t value_size;
    size_t size; /* of all of it */
    _Alignas(ALIGNMENT) char bytes[];
};

struct hc_cache {
    pthread_mutex_t lock;
    size_t size;
    struct hc_cache_usage usage;
    struct hc_cache_entry *entries;
    struct hc_list by_use;
};

struct hc_cache *hc_cache_create(size_t size) {
    struct hc_cache *cache = hc_new(struct hc_cache);
    pthread_mutex_init(&cache->lock, NULL);
    cache->size = size;
    cache->usage.capacity = size;
    hc_list_init(&cache->by_use);
    return cache;
}

void hc_cache_release(struct hc_cache_entry *entry) {
    if (entry != NULL &&
        atomic_fetch_sub_explicit(&entry->references, 1, memory_order_acq_rel) == 1) {
        free(entry);
    }
}

static void drop(struct hc_cache *cache, struct hc_cache_entry *entry) {
    HASH_DEL(cache->entries, entry);
    hc_list_remove(&entry->link);
    cache->usage.n_entries--;
    cache->usage.size -= entry->size;
    hc_cache_release(entry);
}

void hc_cache_destroy(struct hc_cache *cache) {
    if (cache == NULL) {
        return;
    }
    while (!hc_list_empty(&cache->by_use)) {
        drop(cache, hc_list_item(cache->by_use.next, struct hc_cache_entry, link));
    }
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

struct hc_cache_entry *hc_cache_find(struct hc_cache *cache, struct hc_text key) {
    unsigned hash;
    HASH_VALUE(key.data, key.size, hash);
    struct hc_cache_entry *entry;
    pthread_mutex_lock(&cache->lock);
    HASH_FIND_BYHASHVALUE(hh, cache->entries, key.data, key.size, hash, entry);
    if (entry != NULL) {
        atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
        hc_list_remove(&entry->link);
        hc_list_prepend(&cache->by_use, &entry->link);
    }
    pthread_mutex_unlock(&cache->lock);
    return entry;
}

struct hc_text hc_cache_value(const struct hc_cache_entry *entry) {
    return (struct hc_text){entry->bytes + entry->value_offset, entry->value_size};
}

static struct hc_cache_entry *make(const struct hc_cache *cache, struct hc_text key,
                                   struct hc_text value) {
    size_t offset = hc_align_up(key.size, ALIGNMENT);
    size_t size;
    if (!hc_size_add(sizeof(struct hc_cache_entry) + offset, value.size, &size) ||
        size > cache->size) {
        return NULL;
    }
    struct hc_cache_entry *entry = hc_alloc_try(size);
    if (entry == NULL) {
        return NULL;
    }
    *entry = (struct hc_cache_entry){
        .key_size = key.size,
        .value_offset = offset,
        .value_size = value.size,
        .size = size,
    };
    atomic_init(&entry->references, 1);
    memcpy(entry->bytes, key.data, key.size);
    if (value.size > 0) {
        memcpy(entry->bytes + offset, value.data, value.size);
    }
    return entry;
}

void hc_cache_insert(struct hc_cache *cache, struct hc_text key, struct hc_text value) {
    struct hc_cache_entry *entry = make(cache, key, value);
    if (entry == NULL) {
        return;
    }
    unsigned hash;
    struct hc_cache_entry *before;
    HASH_VALUE(key.data, key.size, hash);
    pthread_mutex_lock(&cache->lock);
    HASH_FIND_BYHASHVALUE(hh, cache->entries, key.data, key.size, hash, before);
    if (before != NULL) {
        drop(cache, before);
    }
    while (cache->usage.size + entry->size > cache->size) {
        drop(cache, hc_list_item(cache->by_use.previous, struct hc_cache_entry, link));
        cache->usage.n_evictions++;
    }
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, cache->entries, entry->bytes, entry->key_size, hash, entry);
    hc_list_prepend(&cache->by_use, &entry->link);
    cache->usage.n_entries++;
    cache->usage.size += entry->size;
    pthread_mutex_unlock(&cache->lock);
}

struct hc_cache_usage hc_cache_usage(struct hc_cache *cache) {
    pthread_mutex_lock(&cache->lock);
    struct hc_cache_usage usage = cache->usage;
    pthread_mutex_unlock(&cache->lock);
    return usage;
}
