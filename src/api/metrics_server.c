/* The port that metrics are scraped from. */
#include <stdlib.h>

#include "api/metrics.h"
#include "base/alloc.h"
#include "base/log.h"
#include "core/server.h"
#include "metrics/metrics.h"
#include "metrics/text.h"
#include "metrics_internal.h"
#include "net/http_server.h"

struct hc_metrics_api {
    struct hc_server *server;
    struct hc_metrics_api_options options;
    struct hc_http_server *http;
    struct metrics_machine machine;
    struct metrics_gpus *gpus;
};

/* No memory is pinned here, but the pool that was asked for is told of, as in Triton. */
static void write_pinned_memory(const struct hc_metrics_api *api, struct hc_buf *text) {
    const struct hc_text none = {0};
    hc_metrics_text_head(text, "nv_pinned_memory_pool_total_bytes",
                         "Pinned memory pool total memory size, in bytes", "gauge");
    hc_metrics_text_count(text, "nv_pinned_memory_pool_total_bytes", none,
                          api->server->options.pinned_pool_size);
    hc_metrics_text_head(text, "nv_pinned_memory_pool_used_bytes",
                         "Pinned memory pool used memory size, in bytes", "gauge");
    hc_metrics_text_count(text, "nv_pinned_memory_pool_used_bytes", none, 0);
}

static void write_all(struct hc_metrics_api *api, struct hc_buf *text) {
    struct hc_context *context = hc_server_context(api->server);
    metrics_write_models(api->server, hc_server_catalog(context->server), text);
    if (api->server->cache != NULL) {
        metrics_write_cache(api->server, hc_server_catalog(context->server), text);
    }
    write_pinned_memory(api, text);
    if (api->options.cpu) {
        metrics_write_machine(&api->machine, text);
    }
    if (api->gpus != NULL) {
        metrics_write_gpus(api->gpus, text);
    }
    hc_metrics_write(api->server->metrics, text);
}

static void answer(struct hc_http_exchange *exchange, int status, struct hc_buf *text) {
    static const struct hc_http_header header = {
        HC_TEXT("Content-Type"),
        HC_TEXT("text/plain; charset=utf-8"),
    };
    const struct hc_segment segment = {text->data, text->size, free, text->data};
    *text = (struct hc_buf){0};
    hc_http_respond(exchange, status, &header, 1, &segment, 1);
}

/* Paths without metrics are empty, as in Triton: whoever probes the port finds it open. */
static void on_request(void *app, struct hc_http_exchange *exchange) {
    const struct hc_http_request *request = hc_http_request(exchange);
    struct hc_buf text = {0};
    bool get = hc_text_is(request->method, "GET");
    if (get && (hc_text_is(request->path, "/metrics") || hc_text_is(request->path, "/metrics/"))) {
        write_all(app, &text);
    }
    answer(exchange, get ? 200 : 405, &text);
}

enum hc_code hc_metrics_api_create(struct hc_server *server,
                                   const struct hc_metrics_api_options *options,
                                   struct hc_metrics_api **api_out, struct hc_error *error) {
    struct hc_metrics_api *api = hc_new(struct hc_metrics_api);
    api->server = server;
    api->options = *options;
    api->machine.interval_ns = options->interval_ms * UINT64_C(1000000);
    struct hc_http_config config = hc_http_default_config;
    config.address = options->address;
    config.port = options->port;
    config.on_request = on_request;
    config.app = api;
    config.server_name = "hippocamp/" HC_VERSION;
    enum hc_code code = hc_http_server_create(&config, &server->control, 1, &api->http, error);
    if (code != HC_OK) {
        free(api);
        return code;
    }
    if (options->cpu) {
        hc_log_info("Collecting CPU metrics");
    }
    api->gpus = options->gpu ? metrics_gpus_create() : NULL;
    *api_out = api;
    return HC_OK;
}

uint16_t hc_metrics_api_port(const struct hc_metrics_api *api) {
    return hc_http_server_port(api->http);
}

void hc_metrics_api_stop(struct hc_metrics_api *api, void (*on_stopped)(void *data), void *data) {
    hc_http_server_stop(api->http, on_stopped, data);
    hc_http_server_abort(api->http);
}

void hc_metrics_api_destroy(struct hc_metrics_api *api) {
    if (api != NULL) {
        hc_http_server_destroy(api->http);
        metrics_gpus_destroy(api->gpus);
        free(api);
    }
}
