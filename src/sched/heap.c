/* A binary heap of items that know their places. */
#include "sched/heap.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { MIN_CAPACITY = 16 };

void hc_heap_finish(struct hc_heap *heap) {
    free(heap->_items);
    *heap = (struct hc_heap){0};
}

static void set(struct hc_heap *heap, size_t index, struct hc_heap_item *item) {
    heap->_items[index] = item;
    item->_place = index + 1;
}

static void rise(struct hc_heap *heap, size_t index, struct hc_heap_item *item) {
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (heap->_items[parent]->key <= item->key) {
            break;
        }
        set(heap, index, heap->_items[parent]);
        index = parent;
    }
    set(heap, index, item);
}

static void sink(struct hc_heap *heap, size_t index, struct hc_heap_item *item) {
    for (size_t child; (child = 2 * index + 1) < heap->_n; index = child) {
        if (child + 1 < heap->_n && heap->_items[child + 1]->key < heap->_items[child]->key) {
            child++;
        }
        if (heap->_items[child]->key >= item->key) {
            break;
        }
        set(heap, index, heap->_items[child]);
    }
    set(heap, index, item);
}

/* ITEM belongs at INDEX, or above or below it. */
static void settle(struct hc_heap *heap, size_t index, struct hc_heap_item *item) {
    if (index > 0 && heap->_items[(index - 1) / 2]->key > item->key) {
        rise(heap, index, item);
    } else {
        sink(heap, index, item);
    }
}

void hc_heap_put(struct hc_heap *heap, struct hc_heap_item *item, uint64_t key) {
    item->key = key;
    if (item->_place > 0) {
        settle(heap, item->_place - 1, item);
        return;
    }
    if (heap->_n == heap->_capacity) {
        heap->_capacity = heap->_capacity > 0 ? 2 * heap->_capacity : MIN_CAPACITY;
        heap->_items = hc_realloc(heap->_items, heap->_capacity * sizeof(struct hc_heap_item *));
    }
    rise(heap, heap->_n++, item);
}

void hc_heap_remove(struct hc_heap *heap, struct hc_heap_item *item) {
    if (item->_place == 0) {
        return;
    }
    size_t index = item->_place - 1;
    assert(index < heap->_n && heap->_items[index] == item);
    struct hc_heap_item *last = heap->_items[--heap->_n];
    if (last != item) {
        settle(heap, index, last);
    }
    item->_place = 0;
}
