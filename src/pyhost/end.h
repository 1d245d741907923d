/*
 * The pyhost's end of the channel: taking work, sending replies, memory in the response arena.
 *
 * It knows nothing of Python and needs no GIL: hc_end_next_work() and hc_end_wait() belong to the
 * main thread, everything else may be called by any thread, also where NumPy frees memory.
 *
 * There is one end a process. After fork() the child owns nothing of it: its allocations fail
 * (callers fall back to the heap), what it frees and replies is ignored. It may be given an end of
 * its own, for calls alone (guest.h).
 */
#ifndef HC_PYHOST_END_H
#define HC_PYHOST_END_H

#include <stdbool.h>

#include "channel/blocks.h"
#include "channel/channel.h"
#include "channel/metric_cell.h"

struct hc_end;

/*
 * FDS, taken over: channel file, request arena, response arena, spin board, the descriptor that the
 * server writes to when there are events, file of metrics, then the descriptors of the server's
 * loops, one for each of the channel's links.
 */
enum hc_code hc_end_open(const int *fds, size_t n_fds, struct hc_end **end, struct hc_error *error);

/* The next execution or stop, and the link that it came on; false when there is none now. */
bool hc_end_next_work(struct hc_end *end, struct hc_entry *entry, uint32_t *link);

/*
 * Wait, spinning and then sleeping, until there is work; false when there is none yet: a signal
 * came in between, or time to drain, since the model is idle. Then drain, and wait again: that
 * gives memory back to the system.
 */
bool hc_end_wait(struct hc_end *end);

/*
 * Send ENTRY on link LOOP. It is visible at once; with WAKE a sleeping server is woken, without it
 * sees the entry when it next looks. Waits while the ring is full.
 */
void hc_end_reply(struct hc_end *end, uint32_t loop, const struct hc_entry *entry, bool wake);

/* Python let go of that block of the request arena, which came on link LOOP. Wakes nobody. */
void hc_end_release(struct hc_end *end, uint32_t loop, uint32_t block, uint32_t generation);

/* The link for calls of threads that run no execution. */
uint32_t hc_end_control_link(const struct hc_end *end);

/* Whether it is this process's: false after fork(). */
bool hc_end_is_owned(const struct hc_end *end);

/* Whether this process is not the model's own, but a child of that. */
bool hc_end_is_forked(void);

/* That of the process which this one was forked from, whose memory it may still hold; or NULL. */
struct hc_end *hc_end_before(const struct hc_end *end);

/* Bytes of a request: OFFSET in the request arena. */
char *hc_end_request_memory(struct hc_end *end, uint64_t offset);

/* A block of the response arena, or NULL when it has no room. */
struct hc_block *hc_end_alloc(struct hc_end *end, size_t size);
void hc_end_free(struct hc_end *end, struct hc_block *block);

/* The bytes of the response arena that are in no block. */
uint64_t hc_end_free_memory(struct hc_end *end);

char *hc_end_block_memory(struct hc_end *end, const struct hc_block *block);

/* The value of a metric: OFFSET in the file of metrics, which children may write to as well. */
struct hc_metric_cell *hc_end_metric_cell(struct hc_end *end, uint64_t offset);

/* Where MEMORY lies: in a block of the response arena that is in use, or false. */
bool hc_end_in_response_arena(struct hc_end *end, const void *memory);

/* What becomes of events; called on the draining thread without any lock of the end held. */
struct hc_end_events {
    void (*on_release)(struct hc_block *block); /* the server has let go of it: frees it */
    void (*on_response)(uint32_t link, const struct hc_entry *entry);
};

/* Handle all events that have arrived. */
void hc_end_drain(struct hc_end *end, const struct hc_end_events *events);

/* How many responses to calls there have been; for hc_end_await(). */
uint32_t hc_end_n_responses(struct hc_end *end);

/* Wait, spinning and then sleeping, until there were more than SEEN, or a signal arrives. */
void hc_end_await(struct hc_end *end, uint32_t seen);

/* Have the server write to the descriptor, which is readable then, at the next response. */
int hc_end_watch_responses(struct hc_end *end);

#endif
