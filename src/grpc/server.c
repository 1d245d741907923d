/* The front end's start and end. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "call.h"
#include "core/forward.h"

static void configure_keepalive(const struct hc_grpc_api_options *options,
                                struct hc_http2_config *config) {
    config->keepalive_ns = options->keepalive_ms * HC_NS_PER_MS;
    config->keepalive_timeout_ns = options->keepalive_timeout_ms * HC_NS_PER_MS;
    config->keepalive_without_streams = options->keepalive_without_calls;
    config->max_pings = options->max_pings;
    config->min_ping_interval_ns = options->min_ping_interval_ms * HC_NS_PER_MS;
    config->max_ping_strikes = options->max_ping_strikes;
    config->max_age_ns = options->max_age_ms * HC_NS_PER_MS;
    config->age_grace_ns = options->age_grace_ms * HC_NS_PER_MS;
}

static enum hc_code listen_on_loops(struct hc_grpc_api *api, struct hc_error *error) {
    const struct hc_grpc_api_options *options = &api->options;
    struct hc_http2_config config = hc_http2_default_config;
    config.address = options->address;
    config.port = options->port;
    config.reuse_port = options->reuse_port;
    config.tls = api->tls;
    config.on_request = grpc_call_begin;
    config.app = api;
    configure_keepalive(options, &config);
    size_t n_loops = api->server->n_contexts - 1;
    struct hc_loop **loops = hc_alloc_array(n_loops, sizeof(struct hc_loop *));
    for (size_t i = 0; i < n_loops; i++) {
        loops[i] = api->server->contexts[i].loop;
    }
    enum hc_code code = hc_http2_server_create(&config, loops, n_loops, &api->http, error);
    free(loops);
    return code;
}

static enum hc_code start(struct hc_grpc_api *api, struct hc_error *error) {
    const struct hc_grpc_api_options *options = &api->options;
    HC_TRY(hc_forward_create(options->forward_pattern, &api->forward, error));
    if (options->use_tls) {
        HC_TRY(hc_tls_create(&options->tls, &api->tls, error));
    }
    return listen_on_loops(api, error);
}

enum hc_code hc_grpc_api_create(struct hc_server *server, const struct hc_grpc_api_options *options,
                                struct hc_grpc_api **api_out, struct hc_error *error) {
    struct hc_grpc_api *api = hc_new(struct hc_grpc_api);
    api->server = server;
    api->options = *options;
    enum hc_code code = start(api, error);
    if (code != HC_OK) {
        hc_grpc_api_destroy(api);
        return code;
    }
    *api_out = api;
    return HC_OK;
}

uint16_t hc_grpc_api_port(const struct hc_grpc_api *api) {
    return hc_http2_server_port(api->http);
}

void hc_grpc_api_stop(struct hc_grpc_api *api, void (*on_stopped)(void *data), void *data) {
    hc_http2_server_stop(api->http, on_stopped, data);
}

void hc_grpc_api_abort(struct hc_grpc_api *api) {
    hc_http2_server_abort(api->http);
}

void hc_grpc_api_destroy(struct hc_grpc_api *api) {
    if (api != NULL) {
        hc_http2_server_destroy(api->http);
        hc_tls_destroy(api->tls);
        hc_forward_destroy(api->forward);
        free(api);
    }
}
