/* Blocks of an arena: two-level segregated fit with its records in private memory. */
#include "channel/blocks.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

/*
 * Size classes: in units of 64 bytes, the first level is the position of the highest bit, the
 * second the next four bits. Sizes below 16 units have a class each.
 */
enum {
    SECOND_BITS = 4,
    N_SECOND = 1 << SECOND_BITS,
    N_FIRST = 64 - 6 - SECOND_BITS + 1,
    RECORDS_PER_SLAB = 256,
};

struct record_slab {
    struct hc_block records[RECORDS_PER_SLAB];
};

struct hc_blocks {
    uint64_t size;
    uint64_t used;
    uint64_t high_water;
    uint64_t first_map;
    uint32_t second_map[N_FIRST];
    struct hc_block *free[N_FIRST][N_SECOND];
    struct hc_block *lowest;
    struct hc_block *spare; /* records not in use */
    struct record_slab **slabs;
    size_t n_slabs;
};

struct size_class {
    unsigned first;
    unsigned second;
};

/* The class that holds free blocks of exactly this size. */
static struct size_class class_of(uint64_t size) {
    uint64_t units = size / HC_BLOCK_ALIGNMENT;
    if (units < N_SECOND) {
        return (struct size_class){0, (unsigned)units};
    }
    unsigned high = 63 - (unsigned)__builtin_clzll(units);
    unsigned second = (unsigned)(units >> (high - SECOND_BITS)) & (N_SECOND - 1);
    return (struct size_class){high - SECOND_BITS + 1, second};
}

/* The lowest class all of whose blocks are at least of this size. */
static struct size_class class_for(uint64_t size) {
    uint64_t units = size / HC_BLOCK_ALIGNMENT;
    if (units >= N_SECOND) {
        unsigned high = 63 - (unsigned)__builtin_clzll(units);
        units += ((uint64_t)1 << (high - SECOND_BITS)) - 1;
    }
    return class_of(units * HC_BLOCK_ALIGNMENT);
}

static void add_slab(struct hc_blocks *blocks) {
    struct record_slab *slab = hc_new(struct record_slab);
    blocks->slabs = hc_realloc(blocks->slabs, (blocks->n_slabs + 1) * sizeof *blocks->slabs);
    for (size_t i = RECORDS_PER_SLAB; i-- > 0;) {
        slab->records[i].index = (uint32_t)(blocks->n_slabs * RECORDS_PER_SLAB + i);
        slab->records[i]._next = blocks->spare;
        blocks->spare = &slab->records[i];
    }
    blocks->slabs[blocks->n_slabs++] = slab;
}

static struct hc_block *record_take(struct hc_blocks *blocks) {
    if (blocks->spare == NULL) {
        add_slab(blocks);
    }
    struct hc_block *record = blocks->spare;
    blocks->spare = record->_next;
    return record;
}

static void record_give(struct hc_blocks *blocks, struct hc_block *record) {
    record->generation++;
    record->_used = false;
    record->_next = blocks->spare;
    blocks->spare = record;
}

static void free_list_add(struct hc_blocks *blocks, struct hc_block *block) {
    struct size_class class = class_of(block->size);
    struct hc_block **head = &blocks->free[class.first][class.second];
    block->_used = false;
    block->_previous = NULL;
    block->_next = *head;
    if (*head != NULL) {
        (*head)->_previous = block;
    }
    *head = block;
    blocks->second_map[class.first] |= 1u << class.second;
    blocks->first_map |= (uint64_t)1 << class.first;
}

static void free_list_remove(struct hc_blocks *blocks, struct hc_block *block) {
    struct size_class class = class_of(block->size);
    struct hc_block **head = &blocks->free[class.first][class.second];
    if (block->_next != NULL) {
        block->_next->_previous = block->_previous;
    }
    if (block->_previous != NULL) {
        block->_previous->_next = block->_next;
        return;
    }
    *head = block->_next;
    if (*head == NULL) {
        blocks->second_map[class.first] &= ~(1u << class.second);
        if (blocks->second_map[class.first] == 0) {
            blocks->first_map &= ~((uint64_t)1 << class.first);
        }
    }
}

/* Some free block of that class or a larger one, or NULL. */
static struct hc_block *free_list_find(const struct hc_blocks *blocks, struct size_class class) {
    uint32_t second = blocks->second_map[class.first] & (~0u << class.second);
    if (second == 0) {
        uint64_t first = blocks->first_map & (~(uint64_t)0 << class.first << 1);
        if (first == 0) {
            return NULL;
        }
        class.first = (unsigned)__builtin_ctzll(first);
        second = blocks->second_map[class.first];
    }
    return blocks->free[class.first][__builtin_ctz(second)];
}

struct hc_blocks *hc_blocks_create(uint64_t size) {
    assert(size > 0 && size % HC_BLOCK_ALIGNMENT == 0);
    struct hc_blocks *blocks = hc_new(struct hc_blocks);
    blocks->size = size;
    struct hc_block *all = record_take(blocks);
    all->offset = 0;
    all->size = size;
    blocks->lowest = all;
    free_list_add(blocks, all);
    return blocks;
}

void hc_blocks_destroy(struct hc_blocks *blocks) {
    if (blocks == NULL) {
        return;
    }
    for (size_t i = 0; i < blocks->n_slabs; i++) {
        free(blocks->slabs[i]);
    }
    free(blocks->slabs);
    free(blocks);
}

/* Make what BLOCK has beyond SIZE a free block of its own. */
static void split(struct hc_blocks *blocks, struct hc_block *block, uint64_t size) {
    struct hc_block *rest = record_take(blocks);
    rest->offset = block->offset + size;
    rest->size = block->size - size;
    rest->_dirty = block->_dirty;
    rest->_lower = block;
    rest->_upper = block->_upper;
    if (rest->_upper != NULL) {
        rest->_upper->_lower = rest;
    }
    block->_upper = rest;
    block->size = size;
    free_list_add(blocks, rest);
}

struct hc_block *hc_blocks_alloc(struct hc_blocks *blocks, uint64_t size) {
    if (size > blocks->size) {
        return NULL;
    }
    size = hc_align_up(size > 0 ? size : 1, HC_BLOCK_ALIGNMENT);
    struct hc_block *block = free_list_find(blocks, class_for(size));
    if (block == NULL) {
        return NULL;
    }
    free_list_remove(blocks, block);
    if (block->size > size) {
        split(blocks, block, size);
    }
    block->_used = true;
    block->_dirty = true;
    block->user = NULL;
    block->references = 1;
    blocks->used += block->size;
    if (block->offset + block->size > blocks->high_water) {
        blocks->high_water = block->offset + block->size;
    }
    return block;
}

/* Let the free block LOWER swallow its upper neighbour, free and in no list. */
static void merge_upper(struct hc_blocks *blocks, struct hc_block *lower) {
    struct hc_block *upper = lower->_upper;
    lower->size += upper->size;
    lower->_dirty = lower->_dirty || upper->_dirty;
    lower->_upper = upper->_upper;
    if (lower->_upper != NULL) {
        lower->_upper->_lower = lower;
    }
    record_give(blocks, upper);
}

void hc_blocks_free(struct hc_blocks *blocks, struct hc_block *block) {
    assert(block->_used);
    blocks->used -= block->size;
    block->generation++;
    if (block->_upper != NULL && !block->_upper->_used) {
        free_list_remove(blocks, block->_upper);
        merge_upper(blocks, block);
    }
    if (block->_lower != NULL && !block->_lower->_used) {
        block = block->_lower;
        free_list_remove(blocks, block);
        merge_upper(blocks, block);
    }
    free_list_add(blocks, block);
}

struct hc_block *hc_blocks_find(const struct hc_blocks *blocks, uint32_t index,
                                uint32_t generation) {
    if (index / RECORDS_PER_SLAB >= blocks->n_slabs) {
        return NULL;
    }
    struct hc_block *block =
        &blocks->slabs[index / RECORDS_PER_SLAB]->records[index % RECORDS_PER_SLAB];
    return block->_used && block->generation == generation ? block : NULL;
}

void hc_blocks_trim(struct hc_blocks *blocks,
                    void (*on_range)(uint64_t offset, uint64_t size, void *user), void *user) {
    for (struct hc_block *block = blocks->lowest; block != NULL; block = block->_upper) {
        if (!block->_used && block->_dirty) {
            on_range(block->offset, block->size, user);
            block->_dirty = false;
        }
    }
}

uint64_t hc_blocks_used(const struct hc_blocks *blocks) {
    return blocks->used;
}

uint64_t hc_blocks_high_water(const struct hc_blocks *blocks) {
    return blocks->high_water;
}

/* A free block is found in the list of its class. */
static bool listed(const struct hc_blocks *blocks, const struct hc_block *wanted) {
    struct size_class class = class_of(wanted->size);
    for (const struct hc_block *block = blocks->free[class.first][class.second]; block != NULL;
         block = block->_next) {
        if (block == wanted) {
            return true;
        }
    }
    return false;
}

bool hc_blocks_valid(const struct hc_blocks *blocks) {
    uint64_t end = 0;
    uint64_t used = 0;
    const struct hc_block *below = NULL;
    for (const struct hc_block *block = blocks->lowest; block != NULL; block = block->_upper) {
        bool two_free = below != NULL && !below->_used && !block->_used;
        if (block->offset != end || block->_lower != below || block->size == 0 || two_free ||
            (!block->_used && !listed(blocks, block))) {
            return false;
        }
        end += block->size;
        used += block->_used ? block->size : 0;
        below = block;
    }
    return end == blocks->size && used == blocks->used;
}
