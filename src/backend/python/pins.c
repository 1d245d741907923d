/* Pins: request memory that a pyhost was given and has not released. */
#include <stdlib.h>

#include "base/alloc.h"
#include "internal.h"

/* The message and the inputs of one request; `user` of all these blocks points here. */
struct pin {
    struct hc_list link;
    struct pins *pins;
    uint64_t execution_id;
    struct hc_block *message;
    size_t n_blocks;
    struct hc_block *blocks[];
};

void pins_init(struct pins *pins, struct hc_arena *arena, pthread_mutex_t *lock) {
    pins->arena = arena;
    pins->lock = lock;
    hc_list_init(&pins->list);
}

void pins_add(struct pins *pins, struct hc_block *message, struct hc_block *const *blocks,
              size_t n_blocks, uint64_t execution_id) {
    struct pin *pin = hc_alloc(sizeof *pin + n_blocks * sizeof pin->blocks[0]);
    pin->pins = pins;
    pin->execution_id = execution_id;
    pin->message = message;
    pin->n_blocks = n_blocks;
    hc_arena_ref(pins->arena, message);
    pthread_mutex_lock(pins->lock);
    message->user = pin;
    for (size_t i = 0; i < n_blocks; i++) {
        pin->blocks[i] = blocks[i];
        hc_arena_ref(pins->arena, blocks[i]);
        blocks[i]->user = pin;
    }
    hc_list_append(&pins->list, &pin->link);
    pthread_mutex_unlock(pins->lock);
}

static void unlink_block(struct hc_block *block, const struct pin *pin) {
    if (block->user == pin) {
        block->user = NULL;
    }
}

/* With the lock held. */
static void release(struct pin *pin) {
    struct hc_arena *arena = pin->pins->arena;
    hc_list_remove(&pin->link);
    unlink_block(pin->message, pin);
    hc_arena_unref(arena, pin->message);
    for (size_t i = 0; i < pin->n_blocks; i++) {
        unlink_block(pin->blocks[i], pin);
        hc_arena_unref(arena, pin->blocks[i]);
    }
    free(pin);
}

bool pins_release(struct pins *pins, uint32_t index, uint32_t generation) {
    struct hc_block *block = hc_arena_find(pins->arena, index, generation);
    if (block == NULL) {
        return false;
    }
    pthread_mutex_lock(pins->lock);
    struct pin *pin = block->user;
    bool found = pin != NULL && pin->pins == pins && pin->message == block;
    if (found) {
        release(pin);
    }
    pthread_mutex_unlock(pins->lock);
    hc_arena_unref(pins->arena, block);
    return found;
}

void pins_release_execution(struct pins *pins, uint64_t execution_id) {
    pthread_mutex_lock(pins->lock);
    hc_list_each_safe (link, &pins->list) {
        struct pin *pin = hc_list_item(link, struct pin, link);
        if (pin->execution_id == execution_id) {
            release(pin);
        }
    }
    pthread_mutex_unlock(pins->lock);
}

void pins_release_all(struct pins *pins) {
    pthread_mutex_lock(pins->lock);
    hc_list_each_safe (link, &pins->list) {
        release(hc_list_item(link, struct pin, link));
    }
    pthread_mutex_unlock(pins->lock);
}

/* The place lies within the block. */
static bool contains(const struct hc_block *block, const struct hc_place *place) {
    return place->offset >= block->offset && place->size <= block->size &&
           place->offset - block->offset <= block->size - place->size;
}

struct hc_block *pins_find(struct pins *pins, const struct hc_place *place) {
    struct hc_block *block = hc_arena_find(pins->arena, place->block, place->generation);
    if (block == NULL) {
        return NULL;
    }
    pthread_mutex_lock(pins->lock);
    const struct pin *pin = block->user;
    bool found = pin != NULL && pin->pins == pins && contains(block, place);
    pthread_mutex_unlock(pins->lock);
    if (!found) {
        hc_arena_unref(pins->arena, block);
        return NULL;
    }
    return block;
}
