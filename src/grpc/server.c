/* The front end's start and end. */
#include <stdlib.h>

#include "base/alloc.h"
#include "call.h"

enum hc_code hc_grpc_api_create(struct hc_server *server, const struct hc_grpc_api_options *options,
                                struct hc_grpc_api **api_out, struct hc_error *error) {
    struct hc_grpc_api *api = hc_new(struct hc_grpc_api);
    api->server = server;
    api->options = *options;
    struct hc_http2_config config = hc_http2_default_config;
    config.address = options->address;
    config.port = options->port;
    config.reuse_port = options->reuse_port;
    config.on_request = grpc_call_begin;
    config.app = api;
    size_t n_loops = server->n_contexts - 1;
    struct hc_loop **loops = hc_alloc_array(n_loops, sizeof(struct hc_loop *));
    for (size_t i = 0; i < n_loops; i++) {
        loops[i] = server->contexts[i].loop;
    }
    enum hc_code code = hc_http2_server_create(&config, loops, n_loops, &api->http, error);
    free(loops);
    if (code != HC_OK) {
        free(api);
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
        free(api);
    }
}
