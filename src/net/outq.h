/*
 * What a connection has yet to send: bytes that were copied, and segments of others' memory, in the
 * order in which they were added. Plain data, zeroed is empty; knows no socket.
 */
#ifndef HC_NET_OUTQ_H
#define HC_NET_OUTQ_H

#include <sys/uio.h>

#include "base/buf.h"
#include "net/segment.h"

struct hc_outq_entry;

struct hc_outq {
    size_t size;         /* bytes unsent */
    size_t n_references; /* entries that refer to others' memory */
    struct hc_buf _copied;
    size_t _copied_begin; /* of what is unsent in _copied */
    struct hc_outq_entry *_entries;
    size_t _first, _n, _capacity;
};

/* Room for SIZE bytes; hc_outq_commit() adds what was written there. */
char *hc_outq_reserve(struct hc_outq *queue, size_t size);
void hc_outq_commit(struct hc_outq *queue, size_t size);

void hc_outq_copy(struct hc_outq *queue, const void *data, size_t size);

/* By reference, or copied and released at once when it is small. */
void hc_outq_add(struct hc_outq *queue, const struct hc_segment *segment);

/*
 * Move the first SIZE bytes of FROM to the end of QUEUE. Memory of others that was moved in part
 * belongs to FROM until the rest of it follows, or hc_outq_drop_after().
 */
void hc_outq_move(struct hc_outq *queue, struct hc_outq *from, size_t size);

/* Drop FROM; memory of which QUEUE has a part is released behind that part. */
void hc_outq_drop_after(struct hc_outq *from, struct hc_outq *queue);

/* Describe what comes first in at most N vectors; returns how many were used. */
size_t hc_outq_gather(const struct hc_outq *queue, struct iovec *iov, size_t n);

/* SIZE bytes were sent. */
void hc_outq_take(struct hc_outq *queue, size_t size);

/*
 * Forget everything unsent. The memory for more is kept; hc_outq_trim() gives it back when the
 * queue is empty and has room for more than LIMIT copied bytes, hc_outq_finish() in any case.
 */
void hc_outq_drop(struct hc_outq *queue);
void hc_outq_trim(struct hc_outq *queue, size_t limit);
void hc_outq_finish(struct hc_outq *queue);

#endif
