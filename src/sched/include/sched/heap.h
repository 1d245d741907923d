/*
 * A heap: which of many items comes first, by a key such as a time.
 *
 * Items are embedded in what they stand for and know their place, so that any of them can be taken
 * out or moved. A zeroed item is in no heap, a zeroed heap is empty. Items with the same key come
 * in no particular order.
 */
#ifndef HC_SCHED_HEAP_H
#define HC_SCHED_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hc_heap_item {
    uint64_t key;
    size_t _place; /* from 1; 0: in no heap */
};

struct hc_heap {
    struct hc_heap_item **_items;
    size_t _n;
    size_t _capacity;
};

void hc_heap_finish(struct hc_heap *heap);

/* Put ITEM into the heap, or move it there, by that key. */
void hc_heap_put(struct hc_heap *heap, struct hc_heap_item *item, uint64_t key);

/* Does nothing to an item that is in no heap. */
void hc_heap_remove(struct hc_heap *heap, struct hc_heap_item *item);

/* The item with the lowest key; NULL when there is none. */
static inline struct hc_heap_item *hc_heap_first(const struct hc_heap *heap) {
    return heap->_n > 0 ? heap->_items[0] : NULL;
}

/* The lowest key; UINT64_MAX when there is none. */
static inline uint64_t hc_heap_first_key(const struct hc_heap *heap) {
    return heap->_n > 0 ? heap->_items[0]->key : UINT64_MAX;
}

#endif
