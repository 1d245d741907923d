/* Request arenas: a lock around blocks and the memory file behind them. */
#include "core/arena.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"

enum arena_pages {
    ARENA_TRIMMED, /* free pages were given back, and no block was allocated since */
    ARENA_IDLE,    /* no block was allocated since hc_arena_trim_idle() */
    ARENA_BUSY,
};

struct hc_arena {
    struct hc_memfile file;
    pthread_mutex_t lock;
    struct hc_blocks *blocks;
    enum arena_pages pages;
};

enum hc_code hc_arena_create(const char *name, struct hc_arena **arena_out,
                             struct hc_error *error) {
    struct hc_memfile file;
    HC_TRY(hc_memfile_create(name, hc_memfile_arena_size(), &file, error));
    struct hc_arena *arena = hc_new(struct hc_arena);
    arena->file = file;
    arena->blocks = hc_blocks_create(file.size);
    pthread_mutex_init(&arena->lock, NULL);
    *arena_out = arena;
    return HC_OK;
}

void hc_arena_destroy(struct hc_arena *arena) {
    if (arena == NULL) {
        return;
    }
    assert(hc_blocks_used(arena->blocks) == 0);
    hc_blocks_destroy(arena->blocks);
    hc_memfile_close(&arena->file);
    pthread_mutex_destroy(&arena->lock);
    free(arena);
}

const struct hc_memfile *hc_arena_file(const struct hc_arena *arena) {
    return &arena->file;
}

enum hc_code hc_arena_alloc(struct hc_arena *arena, size_t size, struct hc_block **block_out,
                            struct hc_error *error) {
    pthread_mutex_lock(&arena->lock);
    struct hc_block *block = hc_blocks_alloc(arena->blocks, size);
    arena->pages = ARENA_BUSY;
    pthread_mutex_unlock(&arena->lock);
    if (block == NULL) {
        return hc_error_set(error, HC_UNAVAILABLE,
                            "no room for %zu bytes of input: the requests in flight fill the "
                            "model's request arena of %zu bytes",
                            size, arena->file.size);
    }
    *block_out = block;
    return HC_OK;
}

void hc_arena_ref(struct hc_arena *arena, struct hc_block *block) {
    pthread_mutex_lock(&arena->lock);
    block->references++;
    pthread_mutex_unlock(&arena->lock);
}

void hc_arena_unref(struct hc_arena *arena, struct hc_block *block) {
    pthread_mutex_lock(&arena->lock);
    if (--block->references == 0) {
        hc_blocks_free(arena->blocks, block);
    }
    pthread_mutex_unlock(&arena->lock);
}

struct hc_block *hc_arena_find(struct hc_arena *arena, uint32_t index, uint32_t generation) {
    pthread_mutex_lock(&arena->lock);
    struct hc_block *block = hc_blocks_find(arena->blocks, index, generation);
    if (block != NULL) {
        block->references++;
    }
    pthread_mutex_unlock(&arena->lock);
    return block;
}

char *hc_arena_memory(const struct hc_arena *arena, const struct hc_block *block) {
    return arena->file.base + block->offset;
}

static void release_range(uint64_t offset, uint64_t size, void *user) {
    hc_memfile_release_pages(user, offset, size);
}

void hc_arena_trim_idle(struct hc_arena *arena) {
    pthread_mutex_lock(&arena->lock);
    if (arena->pages == ARENA_BUSY) {
        arena->pages = ARENA_IDLE;
    } else if (arena->pages == ARENA_IDLE) {
        hc_blocks_trim(arena->blocks, release_range, &arena->file);
        arena->pages = ARENA_TRIMMED;
    }
    pthread_mutex_unlock(&arena->lock);
}

uint64_t hc_arena_used(struct hc_arena *arena) {
    pthread_mutex_lock(&arena->lock);
    uint64_t used = hc_blocks_used(arena->blocks);
    pthread_mutex_unlock(&arena->lock);
    return used;
}
