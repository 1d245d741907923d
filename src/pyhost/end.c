/* The pyhost's end of the channel. */
#include "end.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "channel/bell.h"
#include "channel/spin.h"

enum {
    FD_CHANNEL,
    FD_REQUEST_ARENA,
    FD_RESPONSE_ARENA,
    FD_BOARD,
    FD_EVENTS,
    FD_METRICS,
    N_FIXED_FDS
};

/* Between two offers of its core to others, a spinning thread looks at the rings this often. */
enum { LOOKS_PER_YIELD = 32 };

/* After so long without work, memory that nobody needs is given back. */
static const uint64_t idle_ns = 10 * HC_NS_PER_S;

struct end_link {
    struct hc_link rings;
    pthread_mutex_t reply_lock;
    int event_fd; /* wakes the server's loop */
};

struct hc_end {
    struct hc_memfile channel;
    struct hc_memfile request_arena;
    struct hc_memfile response_arena;
    struct hc_memfile board;
    struct hc_memfile metrics;
    struct hc_channel_header *header;
    int events_fd;
    pthread_t main_thread;
    struct hc_spinner spinner;          /* the main thread's, when it waits for work */
    struct hc_spinner response_spinner; /* the same, for a response to a call */
    pthread_mutex_t arena_lock;
    struct hc_blocks *blocks; /* of the response arena */
    bool idle;                /* the last wait was long */
    pthread_mutex_t events_lock;
    uint32_t next_link; /* where the search for work begins, so that every link gets its turn */
    uint32_t n_links;
    struct end_link *links;
    struct hc_end *before; /* that of the process which this one was forked from */
    bool disowned;         /* this process is a fork of the one that opened it */
};

static struct hc_end *newest;
static bool forked; /* since the first was opened */

static void disown(void) {
    forked = true;
    newest->disowned = true;
}

static enum hc_code open_files(struct hc_end *end, const int *fds, struct hc_error *error) {
    HC_TRY(hc_memfile_open(fds[FD_CHANNEL], &end->channel, error));
    HC_TRY(hc_channel_check(&end->channel, error));
    HC_TRY(hc_memfile_open(fds[FD_REQUEST_ARENA], &end->request_arena, error));
    HC_TRY(hc_memfile_open(fds[FD_RESPONSE_ARENA], &end->response_arena, error));
    HC_TRY(hc_memfile_open(fds[FD_METRICS], &end->metrics, error));
    return hc_memfile_open(fds[FD_BOARD], &end->board, error);
}

enum hc_code hc_end_open(const int *fds, size_t n_fds, struct hc_end **end_out,
                         struct hc_error *error) {
    if (n_fds < N_FIXED_FDS) {
        return hc_error_set(error, HC_INTERNAL, "the server sent %zu descriptors", n_fds);
    }
    struct hc_end *end = hc_new(struct hc_end);
    HC_TRY(open_files(end, fds, error)); /* the process ends on failure: nothing to undo */
    end->header = hc_channel_header(&end->channel);
    end->events_fd = fds[FD_EVENTS];
    end->main_thread = pthread_self();
    end->n_links = end->header->n_links;
    if (n_fds - N_FIXED_FDS != end->n_links) {
        return hc_error_set(error, HC_INTERNAL, "%zu event descriptors for %u links",
                            n_fds - N_FIXED_FDS, end->n_links);
    }
    end->spinner = (struct hc_spinner){.board = (struct hc_spin_board *)(void *)end->board.base,
                                       .seat = &end->header->spinning};
    end->response_spinner = end->spinner;
    end->blocks = hc_blocks_create(end->response_arena.size);
    pthread_mutex_init(&end->arena_lock, NULL);
    pthread_mutex_init(&end->events_lock, NULL);
    end->links = hc_alloc_array(end->n_links, sizeof *end->links);
    for (uint32_t i = 0; i < end->n_links; i++) {
        hc_channel_attach(&end->channel, i, &end->links[i].rings);
        pthread_mutex_init(&end->links[i].reply_lock, NULL);
        end->links[i].event_fd = fds[N_FIXED_FDS + i];
    }
    end->before = newest;
    if (newest == NULL) {
        pthread_atfork(NULL, NULL, disown);
    }
    newest = end;
    *end_out = end;
    return HC_OK;
}

bool hc_end_next_work(struct hc_end *end, struct hc_entry *entry, uint32_t *link) {
    for (uint32_t i = 0; i < end->n_links; i++) {
        uint32_t index = (end->next_link + i) % end->n_links;
        if (hc_ring_pop(&end->links[index].rings.work, entry) == HC_RING_ENTRY) {
            end->next_link = index + 1;
            *link = index;
            atomic_store_explicit(&end->header->core, (uint32_t)sched_getcpu(),
                                  memory_order_relaxed);
            return true;
        }
    }
    return false;
}

static bool has_work(const struct hc_end *end) {
    for (uint32_t i = 0; i < end->n_links; i++) {
        if (hc_ring_readable(&end->links[i].rings.work)) {
            return true;
        }
    }
    return false;
}

/* Look for work until END_NS; true when there is some. */
static bool spin(const struct hc_end *end, uint64_t end_ns) {
    do {
        for (int i = 0; i < LOOKS_PER_YIELD; i++) {
            if (has_work(end)) {
                return true;
            }
            hc_spin_pause();
        }
        sched_yield();
    } while (hc_clock_ns() < end_ns);
    return false;
}

static void release_range(uint64_t offset, uint64_t size, void *user) {
    hc_memfile_release_pages(user, offset, size);
}

/* Give pages of the response arena that are in no block back to the system. */
static void trim(struct hc_end *end) {
    pthread_mutex_lock(&end->arena_lock);
    hc_blocks_trim(end->blocks, release_range, &end->response_arena);
    pthread_mutex_unlock(&end->arena_lock);
}

/*
 * Sleep until the bell rings. A sleep that gets long is broken off once, so that the caller can
 * drain what has been released in the meantime; the next one trims, and then lasts.
 */
static void sleep_on_bell(struct hc_end *end) {
    if (end->idle) {
        trim(end);
    }
    end->idle = !hc_bell_wait(&end->header->bell, end->idle ? 0 : idle_ns);
}

/* The bell was rung, and there is no work yet: it is on its way. */
static bool spin_for_announced(struct hc_end *end) {
    bool found =
        hc_spin_begin_announced(&end->spinner) && spin(end, hc_clock_ns() + 2 * HC_BELL_NOTICE_NS);
    hc_spin_stop(&end->spinner);
    return found;
}

bool hc_end_wait(struct hc_end *end) {
    uint64_t now_ns = hc_clock_ns();
    uint64_t budget_ns = hc_spin_begin(&end->spinner, now_ns);
    bool found = budget_ns > 0 && spin(end, now_ns + budget_ns);
    hc_spin_stop(&end->spinner);
    if (!found) {
        hc_bell_prepare(&end->header->bell);
        found = has_work(end);
        if (found) {
            hc_bell_cancel(&end->header->bell);
        } else {
            sleep_on_bell(end);
            found = has_work(end) || (!end->idle && spin_for_announced(end));
        }
    }
    if (found) {
        end->idle = false;
        hc_spin_end(&end->spinner, hc_clock_ns());
    }
    return found;
}

static void wake_loop(struct end_link *link) {
    if (hc_ring_disarm(&link->rings.replies)) {
        uint64_t one = 1;
        ssize_t n = write(link->event_fd, &one, sizeof one);
        (void)n; /* fails only when the counter is full, and then the loop is awake */
    }
}

void hc_end_reply(struct hc_end *end, uint32_t loop, const struct hc_entry *entry, bool wake) {
    if (end->disowned || loop >= end->n_links) {
        return;
    }
    struct end_link *link = &end->links[loop];
    pthread_mutex_lock(&link->reply_lock);
    while (!hc_ring_write(&link->rings.replies, entry)) {
        wake_loop(link);
        nanosleep(&(struct timespec){.tv_nsec = 50 * HC_NS_PER_US}, NULL);
    }
    hc_ring_publish(&link->rings.replies);
    if (wake) {
        wake_loop(link);
    }
    pthread_mutex_unlock(&link->reply_lock);
}

void hc_end_release(struct hc_end *end, uint32_t loop, uint32_t block, uint32_t generation) {
    const struct hc_entry entry = {
        .kind = HC_REPLY_RELEASE,
        .arena = HC_ARENA_REQUEST,
        .block = block,
        .generation = generation,
    };
    if (end->disowned) {
        return;
    }
    struct end_link *link = &end->links[loop];
    pthread_mutex_lock(&link->reply_lock);
    bool written = hc_ring_write(&link->rings.replies, &entry);
    if (written) {
        hc_ring_publish(&link->rings.replies);
    }
    pthread_mutex_unlock(&link->reply_lock);
    if (!written) { /* nobody may be listening there */
        hc_end_reply(end, hc_end_control_link(end), &entry, true);
    }
}

uint32_t hc_end_control_link(const struct hc_end *end) {
    return end->n_links - 1;
}

bool hc_end_is_owned(const struct hc_end *end) {
    return !end->disowned;
}

bool hc_end_is_forked(void) {
    return forked;
}

struct hc_end *hc_end_before(const struct hc_end *end) {
    return end->before;
}

char *hc_end_request_memory(struct hc_end *end, uint64_t offset) {
    return end->request_arena.base + offset;
}

struct hc_block *hc_end_alloc(struct hc_end *end, size_t size) {
    if (end->disowned) {
        return NULL;
    }
    pthread_mutex_lock(&end->arena_lock);
    struct hc_block *block = hc_blocks_alloc(end->blocks, size);
    pthread_mutex_unlock(&end->arena_lock);
    return block;
}

void hc_end_free(struct hc_end *end, struct hc_block *block) {
    if (end->disowned) {
        return;
    }
    pthread_mutex_lock(&end->arena_lock);
    hc_blocks_free(end->blocks, block);
    pthread_mutex_unlock(&end->arena_lock);
}

struct hc_metric_cell *hc_end_metric_cell(struct hc_end *end, uint64_t offset) {
    return (void *)(end->metrics.base + offset);
}

uint64_t hc_end_free_memory(struct hc_end *end) {
    pthread_mutex_lock(&end->arena_lock);
    uint64_t used = hc_blocks_used(end->blocks);
    pthread_mutex_unlock(&end->arena_lock);
    return end->response_arena.size - used;
}

char *hc_end_block_memory(struct hc_end *end, const struct hc_block *block) {
    return end->response_arena.base + block->offset;
}

bool hc_end_in_response_arena(struct hc_end *end, const void *memory) {
    const char *place = memory;
    return place >= end->response_arena.base &&
           place < end->response_arena.base + end->response_arena.size;
}

/* The next event, and the link that it came on; false when there is none. */
static bool next_event(struct hc_end *end, struct hc_entry *entry, uint32_t *link) {
    bool found = false;
    pthread_mutex_lock(&end->events_lock);
    for (uint32_t i = 0; i < end->n_links && !found; i++) {
        found = hc_ring_pop(&end->links[i].rings.events, entry) == HC_RING_ENTRY;
        *link = i;
    }
    pthread_mutex_unlock(&end->events_lock);
    return found;
}

static struct hc_block *find_block(struct hc_end *end, const struct hc_entry *entry) {
    pthread_mutex_lock(&end->arena_lock);
    struct hc_block *block = hc_blocks_find(end->blocks, entry->block, entry->generation);
    pthread_mutex_unlock(&end->arena_lock);
    return block;
}

void hc_end_drain(struct hc_end *end, const struct hc_end_events *events) {
    struct hc_entry entry;
    uint32_t link;
    while (!end->disowned && next_event(end, &entry, &link)) {
        if (entry.kind == HC_EVENT_RESPONSE) {
            events->on_response(link, &entry);
            continue;
        }
        struct hc_block *block = find_block(end, &entry);
        if (block != NULL) {
            events->on_release(block);
        }
    }
}

uint32_t hc_end_n_responses(struct hc_end *end) {
    return atomic_load(&end->header->event_count);
}

/* Look for a response until END_NS. */
static bool spin_for_response(struct hc_end *end, uint32_t seen, uint64_t end_ns) {
    do {
        for (int i = 0; i < LOOKS_PER_YIELD; i++) {
            if (hc_end_n_responses(end) != seen) {
                return true;
            }
            hc_spin_pause();
        }
        sched_yield();
    } while (hc_clock_ns() < end_ns);
    return false;
}

static void await_on_main_thread(struct hc_end *end, uint32_t seen) {
    uint64_t now_ns = hc_clock_ns();
    uint64_t budget_ns = hc_spin_begin(&end->response_spinner, now_ns);
    bool found = budget_ns > 0 && spin_for_response(end, seen, now_ns + budget_ns);
    hc_spin_stop(&end->response_spinner);
    if (!found) {
        hc_bell_await(&end->header->event_count, &end->header->n_event_waiters, seen);
    }
    hc_spin_end(&end->response_spinner, hc_clock_ns());
}

void hc_end_await(struct hc_end *end, uint32_t seen) {
    if (pthread_equal(pthread_self(), end->main_thread)) {
        await_on_main_thread(end, seen);
    } else {
        hc_bell_await(&end->header->event_count, &end->header->n_event_waiters, seen);
    }
}

int hc_end_watch_responses(struct hc_end *end) {
    uint64_t count;
    ssize_t n = read(end->events_fd, &count, sizeof count);
    (void)n; /* it does not block: nothing to read is as good */
    atomic_store(&end->header->event_fd_armed, 1);
    return end->events_fd;
}
