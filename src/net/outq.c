/* What a connection has yet to send. */
#include "outq.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { MIN_CAPACITY = 8, MAX_SENT_SIZE = 64 << 10 /* of copied bytes kept in front */ };

struct hc_outq_entry {
    const char *data; /* NULL: the next bytes of _copied */
    size_t size;      /* 0: only to be released in its turn */
    void (*release)(void *context);
    void *context;
    bool divided; /* what came before `data` was moved to another queue */
};

static struct hc_outq_entry *last_entry(struct hc_outq *queue) {
    return queue->_n > 0 ? &queue->_entries[queue->_first + queue->_n - 1] : NULL;
}

static void add_entry(struct hc_outq *queue, struct hc_outq_entry entry) {
    if (queue->_first + queue->_n == queue->_capacity) {
        if (queue->_first > queue->_capacity / 2) {
            memmove(queue->_entries, queue->_entries + queue->_first,
                    queue->_n * sizeof(struct hc_outq_entry));
            queue->_first = 0;
        } else {
            size_t capacity = queue->_capacity > 0 ? queue->_capacity * 2 : MIN_CAPACITY;
            queue->_entries = hc_realloc(queue->_entries, capacity * sizeof(struct hc_outq_entry));
            queue->_capacity = capacity;
        }
    }
    queue->_n++;
    *last_entry(queue) = entry;
}

char *hc_outq_reserve(struct hc_outq *queue, size_t size) {
    if (queue->_copied_begin > MAX_SENT_SIZE) {
        hc_buf_consume(&queue->_copied, queue->_copied_begin);
        queue->_copied_begin = 0;
    }
    return hc_buf_reserve(&queue->_copied, size);
}

void hc_outq_commit(struct hc_outq *queue, size_t size) {
    struct hc_outq_entry *last = last_entry(queue);
    hc_buf_commit(&queue->_copied, size);
    queue->size += size;
    if (last != NULL && last->data == NULL) {
        last->size += size;
    } else if (size > 0) {
        add_entry(queue, (struct hc_outq_entry){.size = size});
    }
}

void hc_outq_copy(struct hc_outq *queue, const void *data, size_t size) {
    if (size > 0) {
        memcpy(hc_outq_reserve(queue, size), data, size);
        hc_outq_commit(queue, size);
    }
}

void hc_outq_add(struct hc_outq *queue, const struct hc_segment *segment) {
    if (segment->size > HC_SEGMENT_COPY_SIZE) {
        add_entry(queue, (struct hc_outq_entry){.data = segment->data,
                                                .size = segment->size,
                                                .release = segment->release,
                                                .context = segment->context});
        queue->size += segment->size;
        queue->n_references++;
        return;
    }
    hc_outq_copy(queue, segment->data, segment->size);
    if (segment->release != NULL) {
        segment->release(segment->context);
    }
}

size_t hc_outq_gather(const struct hc_outq *queue, struct iovec *iov, size_t n) {
    size_t copied = queue->_copied_begin;
    size_t n_used = n < queue->_n ? n : queue->_n;
    for (size_t i = 0; i < n_used; i++) {
        const struct hc_outq_entry *entry = &queue->_entries[queue->_first + i];
        const char *data = entry->data;
        if (data == NULL) {
            data = queue->_copied.data + copied;
            copied += entry->size;
        }
        iov[i] = (struct iovec){(void *)data, entry->size};
    }
    return n_used;
}

static void remove_first(struct hc_outq *queue) {
    struct hc_outq_entry entry = queue->_entries[queue->_first];
    queue->_n--;
    queue->_first = queue->_n > 0 ? queue->_first + 1 : 0;
    if (entry.data != NULL) {
        queue->n_references--;
        if (entry.release != NULL) {
            entry.release(entry.context);
        }
    }
}

static struct hc_outq_entry *first_entry(struct hc_outq *queue) {
    return queue->_n > 0 ? &queue->_entries[queue->_first] : NULL;
}

void hc_outq_take(struct hc_outq *queue, size_t size) {
    assert(size <= queue->size);
    queue->size -= size;
    struct hc_outq_entry *entry;
    while ((entry = first_entry(queue)) != NULL && (size > 0 || entry->size == 0)) {
        size_t part = size < entry->size ? size : entry->size;
        size -= part;
        entry->size -= part;
        if (entry->data != NULL) {
            entry->data += part;
        } else {
            queue->_copied_begin += part;
        }
        if (entry->size == 0) {
            remove_first(queue);
        }
    }
    if (queue->_copied_begin == queue->_copied.size) {
        hc_buf_clear(&queue->_copied);
        queue->_copied_begin = 0;
    }
}

/* Move a part of memory of others, and the duty to release it with the last part. */
static void move_reference(struct hc_outq *queue, struct hc_outq_entry *entry, size_t size) {
    bool all = size == entry->size;
    add_entry(queue, (struct hc_outq_entry){.data = entry->data,
                                            .size = size,
                                            .release = all ? entry->release : NULL,
                                            .context = entry->context});
    queue->size += size;
    queue->n_references++;
    entry->divided = true;
    if (all) {
        entry->release = NULL;
    }
}

void hc_outq_move(struct hc_outq *queue, struct hc_outq *from, size_t size) {
    assert(size <= from->size);
    while (size > 0) {
        struct hc_outq_entry *entry = first_entry(from);
        size_t part = size < entry->size ? size : entry->size;
        if (entry->data == NULL) {
            hc_outq_copy(queue, from->_copied.data + from->_copied_begin, part);
        } else {
            move_reference(queue, entry, part);
        }
        hc_outq_take(from, part);
        size -= part;
    }
}

void hc_outq_drop_after(struct hc_outq *from, struct hc_outq *queue) {
    struct hc_outq_entry *entry = first_entry(from);
    if (entry != NULL && entry->divided && queue->_n > 0) {
        add_entry(queue, (struct hc_outq_entry){.data = entry->data,
                                                .release = entry->release,
                                                .context = entry->context});
        queue->n_references++;
        entry->release = NULL;
    }
    hc_outq_drop(from);
}

void hc_outq_drop(struct hc_outq *queue) {
    hc_outq_take(queue, queue->size);
}

void hc_outq_trim(struct hc_outq *queue, size_t limit) {
    if (queue->size == 0 && queue->_copied.capacity > limit) {
        hc_outq_finish(queue);
    }
}

void hc_outq_finish(struct hc_outq *queue) {
    hc_outq_drop(queue);
    hc_buf_finish(&queue->_copied);
    free(queue->_entries);
    *queue = (struct hc_outq){0};
}
