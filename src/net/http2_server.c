/* An HTTP/2 server: what its connections share. */
#include "net/http2_server.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "http2_conn.h"

const struct hc_http2_config hc_http2_default_config = {
    .max_streams = 4096,
    .max_headers_size = 64 << 10,
    .stream_window = 8 << 20,
    .conn_window = 64 << 20,
    .greeting_timeout_ns = 20 * HC_NS_PER_S,
    .send_timeout_ns = 120 * HC_NS_PER_S,
    .keepalive_ns = 7200 * HC_NS_PER_S,
    .keepalive_timeout_ns = 20 * HC_NS_PER_S,
    .max_pings = 2,
    .min_ping_interval_ns = 300 * HC_NS_PER_S,
    .max_ping_strikes = 2,
};

static const struct hc_shards_handler handler = {
    hc_http2_conn_accept,
    hc_http2_conn_stop,
    hc_http2_conn_abort,
};

static enum hc_code out_of_memory(struct hc_error *error) {
    return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for an HTTP/2 server");
}

static enum hc_code prepare_nghttp2(struct hc_http2_server *server, struct hc_error *error) {
    if (nghttp2_session_callbacks_new(&server->callbacks) != 0 ||
        nghttp2_option_new(&server->options) != 0) {
        return out_of_memory(error);
    }
    hc_http2_set_receive_callbacks(server->callbacks);
    hc_http2_set_transmit_callbacks(server->callbacks);
    nghttp2_option_set_no_auto_window_update(server->options, 1);
    nghttp2_option_set_no_closed_streams(server->options, 1);
    return HC_OK;
}

static void prepare_loop_sides(struct hc_http2_server *server, size_t n) {
    server->loop_sides = hc_alloc_array(n, sizeof server->loop_sides[0]);
    for (size_t i = 0; i < n; i++) {
        server->loop_sides[i].server = server;
        hc_list_init(&server->loop_sides[i].spares);
    }
}

enum hc_code hc_http2_server_create(const struct hc_http2_config *config,
                                    struct hc_loop *const *loops, size_t n_loops,
                                    struct hc_http2_server **server, struct hc_error *error) {
    struct hc_http2_server *created = hc_new(struct hc_http2_server);
    created->config = *config;
    prepare_loop_sides(created, n_loops);
    struct hc_shards_config listening = {.address = config->address,
                                         .port = config->port,
                                         .reuse_port = config->reuse_port,
                                         .loops = loops,
                                         .n_loops = n_loops};
    enum hc_code code = prepare_nghttp2(created, error);
    if (code == HC_OK) {
        code = hc_shards_init(&created->shards, &listening, &handler, created, error);
    }
    if (code != HC_OK) {
        hc_http2_server_destroy(created);
        return code;
    }
    *server = created;
    return HC_OK;
}

uint16_t hc_http2_server_port(const struct hc_http2_server *server) {
    return server->shards.port;
}

void hc_http2_server_adopt(struct hc_http2_server *server, int fd) {
    hc_shards_adopt(&server->shards, fd);
}

size_t hc_http2_server_count(const struct hc_http2_server *server) {
    return hc_shards_count(&server->shards);
}

void hc_http2_server_stop(struct hc_http2_server *server, void (*on_stopped)(void *data),
                          void *data) {
    hc_shards_stop(&server->shards, on_stopped, data);
}

void hc_http2_server_abort(struct hc_http2_server *server) {
    hc_shards_abort(&server->shards);
}

static void free_spares(struct hc_http2_loop_side *side) {
    struct hc_list *link;
    while ((link = hc_list_pop(&side->spares)) != NULL) {
        hc_http2_stream_destroy(hc_list_item(link, struct hc_http2_stream, link));
    }
}

void hc_http2_server_destroy(struct hc_http2_server *server) {
    if (server == NULL) {
        return;
    }
    for (size_t i = 0; i < server->shards.n; i++) {
        free_spares(&server->loop_sides[i]);
    }
    hc_shards_finish(&server->shards);
    nghttp2_session_callbacks_del(server->callbacks);
    nghttp2_option_del(server->options);
    free(server->loop_sides);
    free(server);
}
