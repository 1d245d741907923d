/*
 * Request arenas: where the inputs of requests lie, one arena a model.
 *
 * A memory file that the instances of the model map as well, and an allocator of blocks in it. Any
 * thread may call. A block has one reference when it is allocated; the last hc_arena_unref() frees
 * it. Its bytes do not move.
 */
#ifndef HC_CORE_ARENA_H
#define HC_CORE_ARENA_H

#include "channel/blocks.h"
#include "channel/memfile.h"

struct hc_arena;

/* NAME shows in /proc/PID/maps. */
enum hc_code hc_arena_create(const char *name, struct hc_arena **arena, struct hc_error *error);

/* All blocks must have been freed. */
void hc_arena_destroy(struct hc_arena *arena);

const struct hc_memfile *hc_arena_file(const struct hc_arena *arena);

/* A block of SIZE bytes; HC_UNAVAILABLE when the arena is full. */
enum hc_code hc_arena_alloc(struct hc_arena *arena, size_t size, struct hc_block **block,
                            struct hc_error *error);
void hc_arena_ref(struct hc_arena *arena, struct hc_block *block);
void hc_arena_unref(struct hc_arena *arena, struct hc_block *block);

/* The block with that index and generation, with one more reference; NULL when there is none. */
struct hc_block *hc_arena_find(struct hc_arena *arena, uint32_t index, uint32_t generation);

char *hc_arena_memory(const struct hc_arena *arena, const struct hc_block *block);

/*
 * Give pages that are in no block back to the system if no block was allocated since the last call:
 * warm pages are worth keeping while there is work.
 */
void hc_arena_trim_idle(struct hc_arena *arena);

uint64_t hc_arena_used(struct hc_arena *arena);

#endif
