/* The front end's start and end, and what comes first with every request. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "core/forward.h"
#include "core/server.h"
#include "http_route.h"

/* Whether the client may use what ROUTE belongs to; if not it is told so. */
static bool is_allowed(const struct http_call *call, const struct http_route *route) {
    const struct hc_restrictions *restrictions = call->api->options.restrictions;
    const struct hc_http_request *request = hc_http_request(call->exchange);
    if (restrictions == NULL || restrictions->apis[route->api].header == NULL) {
        return true;
    }
    const struct hc_restriction *restriction = &restrictions->apis[route->api];
    const struct hc_http_header *header =
        hc_http_find(request->headers, request->n_headers, restriction->header);
    if (header != NULL && hc_text_is(header->value, restriction->value)) {
        return true;
    }
    struct hc_error error;
    hc_error_set(&error, HC_PERMISSION_DENIED, "This API is restricted, expecting header '%s'",
                 restriction->header);
    http_answer_error(call->exchange, error.code, hc_text_of(error.message));
    return false;
}

static void on_request(void *app, struct hc_http_exchange *exchange) {
    struct hc_http_api *api = app;
    const struct hc_http_request *request = hc_http_request(exchange);
    struct http_call call = {
        .api = api,
        .exchange = exchange,
        .context = hc_server_context(api->server),
    };
    const struct http_route *route = http_route_find(request->path, &call);
    if (api->n_cors > 0 && hc_text_is(request->method, "OPTIONS")) {
        http_answer_preflight(exchange);
    } else if (route == NULL) {
        http_answer_status(exchange, 404, HC_TEXT("Not Found"));
    } else if (!is_allowed(&call, route)) {
        return;
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
    return hc_catalog_model(hc_server_catalog(call->context->server), call->model, version, model,
                            error);
}

static void set_cors(struct hc_http_api *api) {
    const char *origin = api->options.cors_origin;
    if (origin == NULL || origin[0] == '\0') {
        return;
    }
    api->cors[api->n_cors++] =
        (struct hc_http_header){HC_TEXT("Access-Control-Allow-Origin"), hc_text_of(origin)};
    api->cors[api->n_cors++] =
        (struct hc_http_header){HC_TEXT("Access-Control-Expose-Headers"),
                                HC_TEXT("Inference-Header-Content-Length, Content-Encoding")};
    if (strcmp(origin, "*") != 0) {
        api->cors[api->n_cors++] = (struct hc_http_header){HC_TEXT("Vary"), HC_TEXT("Origin")};
    }
}

static enum hc_code listen_on_loops(struct hc_http_api *api, struct hc_error *error) {
    const struct hc_http_api_options *options = &api->options;
    struct hc_http_config config = hc_http_default_config;
    config.address = options->address;
    config.port = options->port;
    config.reuse_port = options->reuse_port;
    config.tls = api->tls;
    config.on_request = on_request;
    config.app = api;
    config.server_name = "hippocamp/" HC_VERSION;
    config.headers = api->cors;
    config.n_headers = api->n_cors;
    size_t n_loops = api->server->n_contexts - 1;
    hc_auto(memory) memory = hc_alloc_array(n_loops, sizeof(struct hc_loop *));
    struct hc_loop **loops = memory;
    for (size_t i = 0; i < n_loops; i++) {
        loops[i] = api->server->contexts[i].loop;
    }
    return hc_http_server_create(&config, loops, n_loops, &api->http, error);
}

HC_CLEANUP(http_api, struct hc_http_api *, hc_http_api_destroy);

enum hc_code hc_http_api_create(struct hc_server *server, const struct hc_http_api_options *options,
                                struct hc_http_api **api_out, struct hc_error *error) {
    hc_auto(http_api) api = hc_new(struct hc_http_api);
    api->server = server;
    api->options = *options;
    set_cors(api);
    HC_TRY(hc_forward_create(options->forward_pattern, &api->forward, error));
    if (options->use_tls) {
        HC_TRY(hc_tls_create(&options->tls, &api->tls, error));
    }
    HC_TRY(listen_on_loops(api, error));
    *api_out = hc_take(api);
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
        hc_tls_destroy(api->tls);
        hc_forward_destroy(api->forward);
        free(api);
    }
}
