/* The front end's start and end, and what comes first with every request. */
#include <stdlib.h>

#include "base/alloc.h"
#include "http_route.h"

static void on_request(void *app, struct hc_http_exchange *exchange) {
    struct hc_http_api *api = app;
    const struct hc_http_request *request = hc_http_request(exchange);
    struct http_call call = {
        .api = api,
        .exchange = exchange,
        .context = hc_server_context(api->server),
    };
    const struct http_route *route = http_route_find(request->path, &call);
    if (route == NULL) {
        http_answer_status(exchange, 404, HC_TEXT("Not Found"));
    } else if (!http_route_accepts(route, request->method)) {
        http_answer_status(exchange, 405, HC_TEXT("Method Not Allowed"));
    } else {
        route->handle(&call);
    }
}

void http_read_all(const struct http_call *call, hc_http_body_fn on_body) {
    struct http_call *kept = hc_pool_alloc(hc_http_pool(call->exchange), sizeof *kept);
    *kept = *call;
    hc_http_set_data(call->exchange, kept);
    hc_http_read_all(call->exchange, call->api->options.max_input_size, on_body);
}

enum hc_code http_read_version(const struct http_call *call, int64_t *version,
                               struct hc_error *error) {
    uint64_t number = 0;
    if (call->version.size > 0 && !hc_text_number(call->version, INT64_MAX, &number)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "failed to get model version from specified version string '%.*s' "
                            "(details: stol), version should be an integral value > 0",
                            HC_TEXT_ARGS(call->version));
    }
    *version = call->version.size > 0 ? (int64_t)number : -1;
    return HC_OK;
}

enum hc_code http_find_model(const struct http_call *call, struct hc_model **model,
                             struct hc_error *error) {
    int64_t version;
    HC_TRY(http_read_version(call, &version, error));
    return hc_catalog_model(call->context->catalog, call->model, version, model, error);
}

enum hc_code hc_http_api_create(struct hc_server *server, const struct hc_http_api_options *options,
                                struct hc_http_api **api_out, struct hc_error *error) {
    struct hc_http_api *api = hc_new(struct hc_http_api);
    api->server = server;
    api->options = *options;
    struct hc_http_config config = hc_http_default_config;
    config.address = options->address;
    config.port = options->port;
    config.reuse_port = options->reuse_port;
    config.on_request = on_request;
    config.app = api;
    config.server_name = "hippocamp/" HC_VERSION;
    size_t n_loops = server->n_contexts - 1;
    struct hc_loop **loops = hc_alloc_array(n_loops, sizeof(struct hc_loop *));
    for (size_t i = 0; i < n_loops; i++) {
        loops[i] = server->contexts[i].loop;
    }
    enum hc_code code = hc_http_server_create(&config, loops, n_loops, &api->http, error);
    free(loops);
    if (code != HC_OK) {
        free(api);
        return code;
    }
    *api_out = api;
    return HC_OK;
}

uint16_t hc_http_api_port(const struct hc_http_api *api) {
    return hc_http_server_port(api->http);
}

void hc_http_api_stop(struct hc_http_api *api, void (*on_stopped)(void *data), void *data) {
    hc_http_server_stop(api->http, on_stopped, data);
}

size_t hc_http_api_count(const struct hc_http_api *api) {
    return hc_http_server_count(api->http);
}

void hc_http_api_abort(struct hc_http_api *api) {
    hc_http_server_abort(api->http);
}

void hc_http_api_destroy(struct hc_http_api *api) {
    if (api != NULL) {
        hc_http_server_destroy(api->http);
        free(api);
    }
}
