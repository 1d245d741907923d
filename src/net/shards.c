/* A server's listener, its connections on each loop, and how they come to an end. */
#include "shards.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* After the last of these the server may be gone. */
static void finish_one(struct hc_shards *shards) {
    if (atomic_fetch_sub(&shards->_n_unfinished, 1) == 1) {
        shards->_on_stopped(shards->_data);
    }
}

static void finish_if_stopped(struct hc_shard *shard) {
    if (shard->stopping && hc_list_empty(&shard->conns)) {
        finish_one(shard->shards);
    }
}

void hc_shard_freed_conn(struct hc_shard *shard) {
    hc_loop_add_load(shard->loop, -1);
    atomic_fetch_sub_explicit(&shard->shards->_n_conns, 1, memory_order_relaxed);
    finish_if_stopped(shard);
}

static struct hc_shard *shard_on(struct hc_shards *shards, const struct hc_loop *loop) {
    size_t i = 0;
    while (shards->shard[i].loop != loop) {
        i++;
    }
    return &shards->shard[i];
}

static void on_accept(void *data, struct hc_loop *loop, int fd, const struct hc_address *peer) {
    struct hc_shards *shards = data;
    atomic_fetch_add_explicit(&shards->_n_conns, 1, memory_order_relaxed);
    shards->handler->on_accept(shard_on(shards, loop), fd, peer);
}

static void run_shard_stop(struct hc_task *task) {
    struct hc_shard *shard = hc_list_item(task, struct hc_shard, _stop_task);
    shard->stopping = true;
    hc_list_each (link, &shard->conns) {
        shard->shards->handler->on_stop(link);
    }
    finish_if_stopped(shard);
}

static void run_shard_abort(struct hc_task *task) {
    struct hc_shard *shard = hc_list_item(task, struct hc_shard, _abort_task);
    hc_list_each (link, &shard->conns) {
        shard->shards->handler->on_abort(link);
    }
    finish_one(shard->shards);
}

/* The listener goes first, so that the connections that it has handed over arrive before. */
static void run_stop(struct hc_task *task) {
    struct hc_shards *shards = hc_list_item(task, struct hc_shards, _stop_task);
    size_t n = shards->n;
    hc_listener_destroy(hc_take(shards->_listener));
    for (size_t i = 0; i < n; i++) {
        hc_loop_post(shards->shard[i].loop, &shards->shard[i]._stop_task);
    }
}

static void init_shard(struct hc_shard *shard, struct hc_shards *shards, struct hc_loop *loop) {
    *shard = (struct hc_shard){.shards = shards,
                               .loop = loop,
                               ._stop_task.run = run_shard_stop,
                               ._abort_task.run = run_shard_abort};
    hc_list_init(&shard->conns);
}

enum hc_code hc_shards_init(struct hc_shards *shards, const struct hc_shards_config *config,
                            const struct hc_shards_handler *handler, void *server,
                            struct hc_error *error) {
    *shards = (struct hc_shards){.handler = handler, .server = server, .n = config->n_loops};
    shards->_stop_task.run = run_stop;
    shards->_n_unfinished = config->n_loops;
    shards->shard = hc_alloc_array(config->n_loops, sizeof shards->shard[0]);
    for (size_t i = 0; i < config->n_loops; i++) {
        init_shard(&shards->shard[i], shards, config->loops[i]);
    }
    struct hc_listener_config listening = {.address = config->address,
                                           .port = config->port,
                                           .reuse_port = config->reuse_port,
                                           .loops = config->loops,
                                           .n_loops = config->n_loops,
                                           .on_accept = on_accept,
                                           .data = shards};
    enum hc_code code = hc_listener_create(&listening, &shards->_listener, error);
    if (code != HC_OK) {
        free(hc_take(shards->shard));
        return code;
    }
    shards->port = hc_listener_port(shards->_listener);
    return HC_OK;
}

void hc_shards_finish(struct hc_shards *shards) {
    hc_listener_destroy(hc_take(shards->_listener));
    free(hc_take(shards->shard));
}

void hc_shards_adopt(struct hc_shards *shards, int fd) {
    struct hc_address peer = {0};
    socklen_t size = sizeof peer;
    getpeername(fd, &peer.any, &size);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    hc_listener_adopt(shards->_listener, fd, &peer);
}

size_t hc_shards_count(const struct hc_shards *shards) {
    return atomic_load_explicit(&shards->_n_conns, memory_order_relaxed);
}

void hc_shards_stop(struct hc_shards *shards, void (*on_stopped)(void *data), void *data) {
    shards->_on_stopped = on_stopped;
    shards->_data = data;
    hc_loop_post(shards->shard[0].loop, &shards->_stop_task);
}

void hc_shards_abort(struct hc_shards *shards) {
    size_t n = atomic_load(&shards->_n_unfinished);
    do {
        if (n == 0) {
            return; /* it has stopped meanwhile */
        }
    } while (!atomic_compare_exchange_weak(&shards->_n_unfinished, &n, n + shards->n));
    for (size_t i = 0; i < shards->n; i++) {
        hc_loop_post(shards->shard[i].loop, &shards->shard[i]._abort_task);
    }
}
