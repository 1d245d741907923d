/* Which handler a path belongs to. */
#include "http_route.h"

#include <string.h>

/* In each table, the methods of one path follow each other. */
static const struct http_route server_routes[] = {
    {"", "GET", HC_API_METADATA, http_server_metadata},
    {"/health/live", "GET", HC_API_HEALTH, http_live},
    {"/health/ready", "GET", HC_API_HEALTH, http_ready},
    {"/logging", "GET", HC_API_LOGGING, http_log_settings},
    {"/logging", "POST", HC_API_LOGGING, http_change_log_settings},
    {"/models/stats", "GET", HC_API_STATISTICS, http_statistics},
    {"/trace/setting", "GET", HC_API_TRACE, http_trace_settings},
    {"/trace/setting", "POST", HC_API_TRACE, http_trace_settings},
};

/* Behind "/v2/models/", the model and perhaps its version. */
static const struct http_route model_routes[] = {
    {"", "GET", HC_API_METADATA, http_model_metadata},
    {"/config", "GET", HC_API_MODEL_CONFIG, http_model_config},
    {"/generate", "POST", HC_API_INFERENCE, http_generate},
    {"/generate_stream", "POST", HC_API_INFERENCE, http_generate_stream},
    {"/infer", "POST", HC_API_INFERENCE, http_infer},
    {"/ready", "GET", HC_API_HEALTH, http_model_ready},
    {"/stats", "GET", HC_API_STATISTICS, http_statistics},
};

/* For a model without a version only. */
static const struct http_route trace_routes[] = {
    {"/trace/setting", "GET", HC_API_TRACE, http_trace_settings},
    {"/trace/setting", "POST", HC_API_TRACE, http_trace_settings},
};

/* Behind "/v2/repository", a repository's name and, but for the index, the model. */
static const struct http_route index_route = {"/index", "POST", HC_API_MODEL_REPOSITORY,
                                              http_repository_index};
static const struct http_route control_routes[] = {
    {"/load", "POST", HC_API_MODEL_REPOSITORY, http_model_load},
    {"/unload", "POST", HC_API_MODEL_REPOSITORY, http_model_unload},
};

/* Behind "/v2/systemsharedmemory" or "/v2/cudasharedmemory", and perhaps a region. */
static const struct http_route system_memory_routes[] = {
    {"/register", "POST", HC_API_SHARED_MEMORY, http_register_system_memory},
    {"/status", "GET", HC_API_SHARED_MEMORY, http_system_memory_status},
    {"/unregister", "POST", HC_API_SHARED_MEMORY, http_unregister_system_memory},
};
static const struct http_route cuda_memory_routes[] = {
    {"/register", "POST", HC_API_SHARED_MEMORY, http_register_cuda_memory},
    {"/status", "GET", HC_API_SHARED_MEMORY, http_cuda_memory_status},
    {"/unregister", "POST", HC_API_SHARED_MEMORY, http_unregister_cuda_memory},
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

static struct hc_text take_name(struct hc_text *path, const struct http_call *call) {
    return decode_percent(take_part(path), hc_http_pool(call->exchange));
}

static bool all_digits(struct hc_text text) {
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    return text.size > 0;
}

bool http_route_accepts(const struct http_route *route, struct hc_text method) {
    return hc_text_is(method, route->method) ||
           (hc_text_is(method, "HEAD") && strcmp(route->method, "GET") == 0);
}

/* The route for PATH and METHOD; if there is none for the method, one for another. */
static const struct http_route *find_route(const struct http_route *routes, size_t n_routes,
                                           struct hc_text path, struct hc_text method) {
    const struct http_route *found = NULL;
    for (size_t i = 0; i < n_routes; i++) {
        if (hc_text_is(path, routes[i].path) &&
            (found == NULL || http_route_accepts(&routes[i], method))) {
            found = &routes[i];
        }
    }
    return found;
}

#define FIND_ROUTE(routes, path)                                                                   \
    find_route((routes), sizeof(routes) / sizeof((routes)[0]), (path),                             \
               hc_http_request(call->exchange)->method)

/* "index" or "models/M/load", or those two with the name of a repository before them. */
static const struct http_route *route_repository(struct hc_text path, struct http_call *call) {
    struct hc_text whole = {path.data - 1, path.size + 1};
    struct hc_text name = take_part(&path);
    if (!hc_text_starts(whole, "/models/") && !hc_text_is(whole, index_route.path)) {
        call->repository = name;
        whole = path;
    }
    if (!take_prefix(&whole, "/models/")) {
        return hc_text_is(whole, index_route.path) ? &index_route : NULL;
    }
    call->model = take_name(&whole, call);
    return call->model.size > 0 ? FIND_ROUTE(control_routes, whole) : NULL;
}

static const struct http_route *route_memory(struct hc_text path, bool cuda,
                                             struct http_call *call) {
    if (take_prefix(&path, "/region/")) {
        call->region = take_name(&path, call);
        if (call->region.size == 0) {
            return NULL;
        }
    }
    return cuda ? FIND_ROUTE(cuda_memory_routes, path) : FIND_ROUTE(system_memory_routes, path);
}

static const struct http_route *route_model(struct hc_text path, struct http_call *call) {
    call->model = take_name(&path, call);
    if (call->model.size == 0) {
        return NULL;
    }
    if (!take_prefix(&path, "/versions/")) {
        const struct http_route *route = FIND_ROUTE(trace_routes, path);
        return route != NULL ? route : FIND_ROUTE(model_routes, path);
    }
    call->version = take_part(&path);
    return all_digits(call->version) ? FIND_ROUTE(model_routes, path) : NULL;
}

const struct http_route *http_route_find(struct hc_text path, struct http_call *call) {
    if (!take_prefix(&path, "/v2")) {
        return NULL;
    }
    const struct http_route *route = FIND_ROUTE(server_routes, path);
    if (route != NULL) {
        return route;
    }
    if (take_prefix(&path, "/models/")) {
        return route_model(path, call);
    }
    if (take_prefix(&path, "/repository/")) {
        return route_repository(path, call);
    }
    if (take_prefix(&path, "/systemsharedmemory")) {
        return route_memory(path, false, call);
    }
    return take_prefix(&path, "/cudasharedmemory") ? route_memory(path, true, call) : NULL;
}
