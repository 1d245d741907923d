/*
 * A server's listener, its connections on each loop, and how they come to an end: what servers have
 * in common, whatever they speak.
 *
 * A shard is the part of a server that lives on one loop and is used by its thread only. Stopping
 * closes the listener and asks every connection to end when it can; aborting breaks those that are
 * left.
 */
#ifndef HC_NET_SHARDS_H
#define HC_NET_SHARDS_H

#include <stdatomic.h>

#include "net/listener.h"

struct hc_shards;

struct hc_shard {
    struct hc_shards *shards;
    struct hc_loop *loop;
    struct hc_list conns; /* kept by the handler */
    bool stopping;
    struct hc_task _stop_task;
    struct hc_task _abort_task;
};

struct hc_shards_handler {
    /* A new connection: to be put into `conns`; hc_shard_freed_conn() when it is no more. */
    void (*on_accept)(struct hc_shard *shard, int fd, const struct hc_address *peer);
    /* End when it can; end now. Neither frees it: that is for the end of the turn. */
    void (*on_stop)(struct hc_list *link);
    void (*on_abort)(struct hc_list *link);
};

struct hc_shards {
    const struct hc_shards_handler *handler;
    void *server;
    uint16_t port;
    struct hc_listener *_listener;
    atomic_size_t _n_conns;
    atomic_size_t _n_unfinished; /* shards that have not stopped, aborts that have not run */
    struct hc_task _stop_task;   /* on the first loop, whose thread the listener is for */
    void (*_on_stopped)(void *data);
    void *_data;
    size_t n;
    struct hc_shard *shard; /* n of them */
};

/* Listen; connections are accepted as soon as the loops run. Any thread. */
struct hc_shards_config {
    const char *address;
    uint16_t port;
    bool reuse_port;
    struct hc_loop *const *loops;
    size_t n_loops;
};
enum hc_code hc_shards_init(struct hc_shards *shards, const struct hc_shards_config *config,
                            const struct hc_shards_handler *handler, void *server,
                            struct hc_error *error);
void hc_shards_finish(struct hc_shards *shards);

/* A connection that came about in another way. Any thread. */
void hc_shards_adopt(struct hc_shards *shards, int fd);

/* Any thread. */
size_t hc_shards_count(const struct hc_shards *shards);
void hc_shards_stop(struct hc_shards *shards, void (*on_stopped)(void *data), void *data);
void hc_shards_abort(struct hc_shards *shards);

/* On the shard's loop: a connection is gone. After the last one the server may be, too. */
void hc_shard_freed_conn(struct hc_shard *shard);

#endif
