/*
 * Blocks: which parts of an arena are in use.
 *
 * The allocator works on offsets only and keeps everything it knows in private memory: the arena
 * itself may be scribbled on by a peer. Sizes are multiples of 64 bytes, so every block is aligned
 * for vector code. It is a two-level segregated fit (Masmano et al., "TLSF: a new dynamic memory
 * allocator for real-time systems", 2004): constant time, neighbours merged at once, the most
 * recently freed block of a size class used first, so that its pages are warm.
 *
 * A block is known to peers by index and generation; the generation changes when the block is
 * freed, so that a stale or invented reference is found out by hc_blocks_find().
 *
 * Not thread-safe: the owner has a lock.
 */
#ifndef HC_CHANNEL_BLOCKS_H
#define HC_CHANNEL_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HC_BLOCK_ALIGNMENT = 64 };

/* Stays at its address as long as the allocator lives; all members but user are read-only. */
struct hc_block {
    uint64_t offset;
    uint64_t size;
    uint32_t index;
    uint32_t generation;
    void *user;          /* the owner's; NULL after allocation */
    uint32_t references; /* the owner's; 1 after allocation */
    bool _used;
    bool _dirty;             /* free, and its pages may be in memory */
    struct hc_block *_lower; /* neighbours by offset */
    struct hc_block *_upper;
    struct hc_block *_next; /* in the free list of its class, or among the spare records */
    struct hc_block *_previous;
};

struct hc_blocks;

/* For an arena of SIZE bytes, a multiple of 64. */
struct hc_blocks *hc_blocks_create(uint64_t size);
void hc_blocks_destroy(struct hc_blocks *blocks);

/* A block of at least SIZE bytes (0 counts as 1), or NULL when the arena has no such room. */
struct hc_block *hc_blocks_alloc(struct hc_blocks *blocks, uint64_t size);

/* BLOCK is in use; its record may be handed out again by the next allocation. */
void hc_blocks_free(struct hc_blocks *blocks, struct hc_block *block);

/* The block in use with that index and generation, or NULL. */
struct hc_block *hc_blocks_find(const struct hc_blocks *blocks, uint32_t index,
                                uint32_t generation);

/* Visit every free range whose pages may be in memory; they are taken to be released. */
void hc_blocks_trim(struct hc_blocks *blocks,
                    void (*on_range)(uint64_t offset, uint64_t size, void *user), void *user);

uint64_t hc_blocks_used(const struct hc_blocks *blocks);       /* bytes in use */
uint64_t hc_blocks_high_water(const struct hc_blocks *blocks); /* highest end of a block, ever */

/* Whether all of its rules hold; for tests. */
bool hc_blocks_valid(const struct hc_blocks *blocks);

#endif
