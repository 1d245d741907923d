/* Which handler a path belongs to; the front end's start and end. */
#include <stdlib.h>

#include "base/alloc.h"
#include "http_internal.h"

struct route {
    const char *path; /* behind "/v2", or behind the model and its version */
    const char *method;
    void (*handle)(const struct http_call *call);
};

static const struct route server_routes[] = {
    {"", "GET", http_server_metadata},
    {"/health/live", "GET", http_live},
    {"/health/ready", "GET", http_ready},
    {"/models/stats", "GET", http_statistics},
};

static const struct route model_routes[] = {
    {"", "GET", http_model_metadata},
    {"/config", "GET", http_model_config},
    {"/generate", "POST", http_generate},
    {"/generate_stream", "POST", http_generate_stream},
    {"/infer", "POST", http_infer},
    {"/ready", "GET", http_model_ready},
    {"/stats", "GET", http_statistics},
};

/* Behind "/v2/repository", a repository's name and, but for the index, the model. */
static const struct route index_route = {"/index", "POST", http_repository_index};
static const struct route control_routes[] = {
    {"/load", "POST", http_model_load},
    {"/unload", "POST", http_model_unload},
};

/* Take what stands before the next slash, or all there is. */
static struct hc_text take_part(struct hc_text *path) {
    size_t size = 0;
    while (size < path->size && path->data[size] != '/') {
        size++;
    }
    struct hc_text part = {path->data, size};
    *path = (struct hc_text){path->data + size, path->size - size};
    return part;
}

static bool take_prefix(struct hc_text *path, const char *prefix) {
    if (!hc_text_starts(*path, prefix)) {
        return false;
    }
    size_t size = strlen(prefix);
    *path = (struct hc_text){path->data + size, path->size - size};
    return true;
}

static int hex_value(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* TEXT with its %XX decoded, in memory of POOL when there are any; others stay as they are. */
static struct hc_text decode_percent(struct hc_text text, struct hc_pool *pool) {
    if (text.size == 0 || memchr(text.data, '%', text.size) == NULL) {
        return text;
    }
    char *decoded = hc_pool_alloc(pool, text.size);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        bool escape = text.data[i] == '%' && text.size - i > 2 &&
                      hex_value(text.data[i + 1]) >= 0 && hex_value(text.data[i + 2]) >= 0;
        if (escape) {
            decoded[size++] =
                (char)(hex_value(text.data[i + 1]) * 16 + hex_value(text.data[i + 2]));
            i += 2;
        } else {
            decoded[size++] = text.data[i];
        }
    }
    return (struct hc_text){decoded, size};
}

static bool all_digits(struct hc_text text) {
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    return text.size > 0;
}

static const struct route *find_route(const struct route *routes, size_t n_routes,
                                      struct hc_text path) {
    for (size_t i = 0; i < n_routes; i++) {
        if (hc_text_is(path, routes[i].path)) {
            return &routes[i];
        }
    }
    return NULL;
}

#define FIND_ROUTE(routes, path) find_route((routes), sizeof(routes) / sizeof((routes)[0]), (path))

/* "index" or "models/M/load", or those two with the name of a repository before them. */
static const struct route *route_repository(struct hc_text path, struct http_call *call) {
    struct hc_text whole = {path.data - 1, path.size + 1};
    struct hc_text name = take_part(&path);
    if (!hc_text_starts(whole, "/models/") && !hc_text_is(whole, index_route.path)) {
        call->repository = name;
        whole = path;
    }
    if (!take_prefix(&whole, "/models/")) {
        return hc_text_is(whole, index_route.path) ? &index_route : NULL;
    }
    call->model = decode_percent(take_part(&whole), hc_http_pool(call->exchange));
    return call->model.size > 0 ? FIND_ROUTE(control_routes, whole) : NULL;
}

/* The route for a path; fills in what it says of the model. NULL: there is none. */
static const struct route *route_path(struct hc_text path, struct http_call *call) {
    if (!take_prefix(&path, "/v2")) {
        return NULL;
    }
    if (take_prefix(&path, "/repository/")) {
        return route_repository(path, call);
    }
    const struct route *route = FIND_ROUTE(server_routes, path);
    if (route != NULL || !take_prefix(&path, "/models/")) {
        return route;
    }
    call->model = decode_percent(take_part(&path), hc_http_pool(call->exchange));
    if (take_prefix(&path, "/versions/")) {
        call->version = take_part(&path);
        if (!all_digits(call->version)) {
            return NULL;
        }
    }
    return call->model.size > 0 ? FIND_ROUTE(model_routes, path) : NULL;
}

static void on_request(void *app, struct hc_http_exchange *exchange) {
    struct hc_http_api *api = app;
    const struct hc_http_request *request = hc_http_request(exchange);
    struct http_call call = {
        .api = api,
        .exchange = exchange,
        .context = hc_server_context(api->server),
    };
    const struct route *route = route_path(request->path, &call);
    if (route == NULL) {
        http_answer_status(exchange, 404, HC_TEXT("Not Found"));
    } else if (!hc_text_is(request->method, route->method)) {
        http_answer_status(exchange, 405, HC_TEXT("Method Not Allowed"));
    } else {
        route->handle(&call);
    }
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
