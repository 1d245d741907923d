/* An HTTP/1.1 server: its listener, its part on each loop, and how it stops. */
#include "net/http_server.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "http1_conn.h"
#include "net/listener.h"

const struct hc_http_config hc_http_default_config = {
    .limits = HC_HTTP1_DEFAULT_LIMITS,
    .drain_limit = 64 << 10,
    .idle_timeout_ns = 3600 * HC_NS_PER_S,
    .head_timeout_ns = 60 * HC_NS_PER_S,
    .body_timeout_ns = 60 * HC_NS_PER_S,
    .body_rate = 500,
    .send_timeout_ns = 120 * HC_NS_PER_S,
};

struct hc_http_server {
    struct hc_http_config config;
    struct hc_listener *listener;
    uint16_t port;
    atomic_size_t n_conns;
    atomic_size_t n_unfinished; /* shards that have not stopped, aborts that have not run */
    struct hc_task stop_task;   /* on the first loop, whose thread the listener is for */
    void (*on_stopped)(void *data);
    void *data;
    size_t n_shards;
    struct hc_http_shard shards[];
};

/* After the last of these the server may be gone. */
static void finish_one(struct hc_http_server *server) {
    if (atomic_fetch_sub(&server->n_unfinished, 1) == 1) {
        server->on_stopped(server->data);
    }
}

static void finish_if_stopped(struct hc_http_shard *shard) {
    if (shard->stopping && hc_list_empty(&shard->conns)) {
        finish_one(shard->server);
    }
}

void hc_http_shard_freed_conn(struct hc_http_shard *shard) {
    atomic_fetch_sub_explicit(&shard->server->n_conns, 1, memory_order_relaxed);
    finish_if_stopped(shard);
}

static struct hc_http_shard *shard_on(struct hc_http_server *server, const struct hc_loop *loop) {
    size_t i = 0;
    while (server->shards[i].loop != loop) {
        i++;
    }
    return &server->shards[i];
}

static void on_accept(void *data, struct hc_loop *loop, int fd, const struct hc_address *peer) {
    struct hc_http_server *server = data;
    struct hc_http_shard *shard = shard_on(server, loop);
    atomic_fetch_add_explicit(&server->n_conns, 1, memory_order_relaxed);
    hc_http1_conn_accept(shard, fd, peer);
}

static struct hc_http1_conn *conn_of(struct hc_list *link) {
    return hc_list_item(link, struct hc_http1_conn, link);
}

static void run_shard_stop(struct hc_task *task) {
    struct hc_http_shard *shard = hc_list_item(task, struct hc_http_shard, stop_task);
    shard->stopping = true;
    hc_list_each (link, &shard->conns) {
        hc_http1_conn_stop(conn_of(link)); /* they are freed later */
    }
    finish_if_stopped(shard);
}

static void run_shard_abort(struct hc_task *task) {
    struct hc_http_shard *shard = hc_list_item(task, struct hc_http_shard, abort_task);
    hc_list_each (link, &shard->conns) {
        hc_http1_break(conn_of(link));
    }
    finish_one(shard->server);
}

/* The listener goes first, so that the connections that it has handed over arrive before. */
static void run_stop(struct hc_task *task) {
    struct hc_http_server *server = hc_list_item(task, struct hc_http_server, stop_task);
    size_t n_shards = server->n_shards;
    hc_listener_destroy(hc_take(server->listener));
    for (size_t i = 0; i < n_shards; i++) {
        hc_loop_post(server->shards[i].loop, &server->shards[i].stop_task);
    }
}

static void init_shard(struct hc_http_shard *shard, struct hc_http_server *server,
                       struct hc_loop *loop) {
    *shard = (struct hc_http_shard){.server = server,
                                    .config = &server->config,
                                    .loop = loop,
                                    .stop_task.run = run_shard_stop,
                                    .abort_task.run = run_shard_abort};
    hc_list_init(&shard->conns);
    hc_list_init(&shard->spares);
}

enum hc_code hc_http_server_create(const struct hc_http_config *config,
                                   struct hc_loop *const *loops, size_t n_loops,
                                   struct hc_http_server **server, struct hc_error *error) {
    struct hc_http_server *created =
        hc_alloc(sizeof *created + n_loops * sizeof created->shards[0]);
    created->config = *config;
    created->stop_task.run = run_stop;
    created->n_shards = n_loops;
    created->n_unfinished = n_loops;
    for (size_t i = 0; i < n_loops; i++) {
        init_shard(&created->shards[i], created, loops[i]);
    }
    struct hc_listener_config listening = {.address = config->address,
                                           .port = config->port,
                                           .reuse_port = config->reuse_port,
                                           .loops = loops,
                                           .n_loops = n_loops,
                                           .on_accept = on_accept,
                                           .data = created};
    enum hc_code code = hc_listener_create(&listening, &created->listener, error);
    if (code != HC_OK) {
        hc_http_server_destroy(created);
        return code;
    }
    created->port = hc_listener_port(created->listener);
    *server = created;
    return HC_OK;
}

uint16_t hc_http_server_port(const struct hc_http_server *server) {
    return server->port;
}

void hc_http_server_adopt(struct hc_http_server *server, int fd) {
    struct hc_address peer = {0};
    socklen_t size = sizeof peer;
    getpeername(fd, &peer.any, &size);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    hc_listener_adopt(server->listener, fd, &peer);
}

size_t hc_http_server_count(const struct hc_http_server *server) {
    return atomic_load_explicit(&server->n_conns, memory_order_relaxed);
}

void hc_http_server_stop(struct hc_http_server *server, void (*on_stopped)(void *data),
                         void *data) {
    server->on_stopped = on_stopped;
    server->data = data;
    hc_loop_post(server->shards[0].loop, &server->stop_task);
}

void hc_http_server_abort(struct hc_http_server *server) {
    size_t n = atomic_load(&server->n_unfinished);
    do {
        if (n == 0) {
            return; /* it has stopped meanwhile */
        }
    } while (!atomic_compare_exchange_weak(&server->n_unfinished, &n, n + server->n_shards));
    for (size_t i = 0; i < server->n_shards; i++) {
        hc_loop_post(server->shards[i].loop, &server->shards[i].abort_task);
    }
}

void hc_http_server_destroy(struct hc_http_server *server) {
    if (server == NULL) {
        return;
    }
    hc_listener_destroy(server->listener);
    for (size_t i = 0; i < server->n_shards; i++) {
        struct hc_list *link;
        while ((link = hc_list_pop(&server->shards[i].spares)) != NULL) {
            hc_http1_exchange_destroy(hc_list_item(link, struct hc_http_exchange, link));
        }
    }
    free(server);
}
