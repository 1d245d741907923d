/*
 * A ring of fixed-size entries in memory that two processes share: one producer, one consumer.
 *
 * Indexes run freely and are masked on use. Each side keeps its own index in private memory and
 * never reads it back from shared memory, so a hostile peer can only make its own entries wrong:
 * an index that claims more than the ring can hold is reported as corrupt, entries are copied out
 * once, and what they say is checked by whoever interprets them.
 *
 * Sleeping: a consumer that is about to sleep calls hc_ring_arm() and looks at the ring once more;
 * a producer calls hc_ring_publish() and then asks hc_ring_disarm() whether the consumer must be
 * woken. The store to `tail` and the load of `armed` on one side pair with the store to `armed` and
 * the load of `tail` on the other; all four are sequentially consistent, so at least one side sees
 * the other and no wake-up is lost. One producer disarms at a time, and wakes once.
 *
 * All memory ordering of rings is in this header.
 */
#ifndef HC_CHANNEL_RING_H
#define HC_CHANNEL_RING_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HC_ENTRY_SIZE = 64, HC_CACHE_LINE = 64 };

/* One entry; what the members mean depends on the ring and on kind (channel/layout.h). */
struct hc_entry {
    uint16_t kind;
    uint16_t flags;
    uint32_t number;
    uint64_t handle;
    uint64_t offset;
    uint64_t size;
    uint32_t arena;
    uint32_t block;
    uint32_t generation;
    uint32_t loop;
    uint64_t start_ns;
    uint64_t end_ns;
};

static_assert(sizeof(struct hc_entry) == HC_ENTRY_SIZE, "an entry is one cache line");

/* The shared part: in a memory file, followed by the entries. */
struct hc_ring_shared {
    _Alignas(HC_CACHE_LINE) _Atomic uint32_t tail;  /* written by the producer */
    _Alignas(HC_CACHE_LINE) _Atomic uint32_t head;  /* written by the consumer */
    _Alignas(HC_CACHE_LINE) _Atomic uint32_t armed; /* 1: the consumer sleeps or is about to */
    _Alignas(HC_CACHE_LINE) struct hc_entry entries[];
};

static_assert(offsetof(struct hc_ring_shared, entries) == 3 * HC_CACHE_LINE, "shared layout");

/* Bytes that a ring of CAPACITY entries, a power of two, takes. */
static inline size_t hc_ring_shared_size(uint32_t capacity) {
    return sizeof(struct hc_ring_shared) + (size_t)capacity * sizeof(struct hc_entry);
}

/* One side's handle, in private memory. */
struct hc_ring {
    struct hc_ring_shared *_shared;
    uint32_t _capacity;
    uint32_t _own;  /* the index that this side writes */
    uint32_t _peer; /* the other side's index as last seen */
};

/* SHARED is zeroed memory on both sides' first use. */
static inline void hc_ring_init(struct hc_ring *ring, struct hc_ring_shared *shared,
                                uint32_t capacity) {
    *ring = (struct hc_ring){._shared = shared, ._capacity = capacity};
}

/* Producer: entries that fit now. A peer that lies gets nothing more. */
static inline uint32_t hc_ring_room(struct hc_ring *ring) {
    uint32_t used = ring->_own - ring->_peer;
    if (used >= ring->_capacity) {
        /* Pairs with the consumer's store in hc_ring_pop(): its copies are done. */
        ring->_peer = atomic_load_explicit(&ring->_shared->head, memory_order_acquire);
        used = ring->_own - ring->_peer;
    }
    return used <= ring->_capacity ? ring->_capacity - used : 0;
}

/* Producer: write ENTRY, not yet visible; false when the ring is full. */
static inline bool hc_ring_write(struct hc_ring *ring, const struct hc_entry *entry) {
    if (hc_ring_room(ring) == 0) {
        return false;
    }
    ring->_shared->entries[ring->_own & (ring->_capacity - 1)] = *entry;
    ring->_own++;
    return true;
}

/* Producer: make what was written visible. */
static inline void hc_ring_publish(struct hc_ring *ring) {
    /* Pairs with the consumer's load in hc_ring_pop() and hc_ring_arm(). */
    atomic_store_explicit(&ring->_shared->tail, ring->_own, memory_order_seq_cst);
}

/* Producer, after publishing: whether the consumer was armed and is now this caller's to wake. */
static inline bool hc_ring_disarm(struct hc_ring *ring) {
    /* Pairs with hc_ring_arm(). The plain look first keeps the line shared while nobody sleeps. */
    return atomic_load_explicit(&ring->_shared->armed, memory_order_seq_cst) != 0 &&
           atomic_exchange_explicit(&ring->_shared->armed, 0, memory_order_seq_cst) != 0;
}

enum hc_ring_state { HC_RING_EMPTY, HC_RING_ENTRY, HC_RING_CORRUPT };

/* Consumer: copy the next entry out. */
static inline enum hc_ring_state hc_ring_pop(struct hc_ring *ring, struct hc_entry *entry) {
    if (ring->_own == ring->_peer) {
        /* Pairs with the producer's store in hc_ring_publish(): its entries are written. */
        ring->_peer = atomic_load_explicit(&ring->_shared->tail, memory_order_acquire);
        uint32_t n = ring->_peer - ring->_own;
        if (n == 0) {
            return HC_RING_EMPTY;
        }
        if (n > ring->_capacity) {
            ring->_peer = ring->_own;
            return HC_RING_CORRUPT;
        }
    }
    *entry = ring->_shared->entries[ring->_own & (ring->_capacity - 1)];
    ring->_own++;
    /* Pairs with the producer's load in hc_ring_room(). */
    atomic_store_explicit(&ring->_shared->head, ring->_own, memory_order_release);
    return HC_RING_ENTRY;
}

/* Consumer: a cheap look, for spinning. */
static inline bool hc_ring_readable(const struct hc_ring *ring) {
    return atomic_load_explicit(&ring->_shared->tail, memory_order_relaxed) != ring->_own;
}

/* Consumer: declare sleep; true when there is something to read after all (then stay awake). */
static inline bool hc_ring_arm(struct hc_ring *ring) {
    atomic_store_explicit(&ring->_shared->armed, 1, memory_order_seq_cst);
    return atomic_load_explicit(&ring->_shared->tail, memory_order_seq_cst) != ring->_own;
}

/* Consumer: awake again without having been woken. */
static inline void hc_ring_unarm(struct hc_ring *ring) {
    atomic_store_explicit(&ring->_shared->armed, 0, memory_order_relaxed);
}

#endif
