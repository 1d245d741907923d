/* Memory that is released all at once. */
#include "base/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { POOL_ALIGNMENT = 16, POOL_CHUNK_SIZE = 4096 };

struct hc_pool_chunk {
    struct hc_pool_chunk *older;
    size_t size; /* of data */
    _Alignas(POOL_ALIGNMENT) char data[];
};

static void use_chunk(struct hc_pool *pool, struct hc_pool_chunk *chunk) {
    pool->_place = chunk->data;
    pool->_room = chunk->size;
}

/* A chunk for at least SIZE bytes, now the current one; false without memory. */
static bool add_chunk(struct hc_pool *pool, size_t size) {
    if (size < POOL_CHUNK_SIZE) {
        size = POOL_CHUNK_SIZE;
    }
    size_t whole;
    if (!hc_size_add(size, sizeof(struct hc_pool_chunk), &whole)) {
        return false;
    }
    struct hc_pool_chunk *chunk = malloc(whole);
    if (chunk == NULL) {
        return false;
    }
    chunk->older = pool->_chunks;
    chunk->size = size;
    pool->_chunks = chunk;
    use_chunk(pool, chunk);
    return true;
}

void *hc_pool_alloc_try(struct hc_pool *pool, size_t n, size_t item_size) {
    size_t size;
    if (!hc_size_mul(n, item_size, &size) || size > SIZE_MAX - POOL_ALIGNMENT) {
        return NULL;
    }
    size = hc_align_up(size, POOL_ALIGNMENT);
    if (size > pool->_room && !add_chunk(pool, size)) {
        return NULL;
    }
    void *memory = pool->_place;
    pool->_place += size;
    pool->_room -= size;
    return memory;
}

void *hc_pool_alloc(struct hc_pool *pool, size_t size) {
    void *memory = hc_pool_alloc_try(pool, 1, size > 0 ? size : 1);
    if (memory == NULL) {
        fputs("hippocamp: out of memory\n", stderr);
        abort();
    }
    return memory;
}

char *hc_pool_copy(struct hc_pool *pool, struct hc_text text) {
    char *copy = hc_pool_alloc(pool, text.size + 1);
    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    copy[text.size] = '\0';
    return copy;
}

void hc_pool_reset(struct hc_pool *pool) {
    struct hc_pool_chunk *chunk = pool->_chunks;
    while (chunk != NULL && chunk->older != NULL) {
        struct hc_pool_chunk *older = chunk->older;
        free(chunk);
        chunk = older;
    }
    pool->_chunks = chunk;
    if (chunk != NULL) {
        use_chunk(pool, chunk);
    }
}

void hc_pool_finish(struct hc_pool *pool) {
    hc_pool_reset(pool);
    free(pool->_chunks);
    *pool = (struct hc_pool){0};
}
