/* The response cache: looked at before a request is queued, filled when it is answered. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cache/cache.h"
#include "cached_internal.h"
#include "core/context.h"
#include "core/model.h"

/* ---- Options ---- */

static enum hc_code local_start(struct hc_server *server, struct hc_error *error) {
    const struct hc_server_cache *options = &server->options.cache;
    uint64_t size = 0;
    for (size_t i = 0; i < options->n_settings; i++) {
        const struct hc_cache_setting *setting = &options->settings[i];
        if (strcmp(setting->name, "size") != 0 ||
            !hc_text_number(hc_text_of(setting->value), SIZE_MAX, &size)) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "--cache-config is 'local,size=<bytes>', got 'local,%s=%s'",
                                setting->name, setting->value);
        }
    }
    server->cache = hc_cache_create((size_t)size);
    return HC_OK;
}

enum hc_code hc_cached_start(struct hc_server *server, struct hc_error *error) {
    const char *kind = server->options.cache.kind;
    if (kind == NULL) {
        return HC_OK;
    }
    if (strcmp(kind, "local") == 0) {
        return local_start(server, error);
    }
    if (strcmp(kind, "redis") == 0) {
        return cached_redis_start(server, error);
    }
    return hc_error_set(error, HC_INVALID_ARGUMENT, "there is no cache '%s', only local and redis",
                        kind);
}

void hc_cached_finish(struct hc_server *server) {
    cached_redis_finish(server);
    hc_cache_destroy(server->cache);
}

/* ---- Hits in memory ---- */

struct cached_response {
    struct hc_response base;
    struct hc_cache_entry *entry;
};

static void release_response(struct hc_response *base) {
    struct cached_response *response = hc_list_item(base, struct cached_response, base);
    hc_cache_release(response->entry);
    hc_pool_finish(&base->pool);
    free(response);
}

static struct hc_response *make_response(struct hc_cache_entry *entry) {
    struct cached_response *response = hc_new(struct cached_response);
    response->base.on_release = release_response;
    response->entry = entry;
    cached_read_value(hc_cache_value(entry), &response->base); /* which is as it was written */
    return &response->base;
}

static void deliver(struct hc_task *task) {
    struct hc_request *request = hc_list_item(task, struct hc_request, _task);
    struct hc_response *response = request->_response;
    request->_response = NULL;
    hc_request_answer(request, response, true);
}

/* ---- Requests ---- */

void cached_hit(struct hc_request *request, uint64_t begin_ns) {
    request->queued_ns = begin_ns;
    hc_stats_count_cache_hit(request, hc_clock_ns() - begin_ns);
}

bool hc_cached_answer(struct hc_request *request) {
    const struct hc_server *server = request->context->server;
    uint64_t begin_ns = hc_clock_ns();
    hc_auto_buf key = {0};
    cached_make_key(&key, request, server->shared_cache != NULL);
    struct hc_cache_entry *entry =
        server->cache == NULL ? NULL : hc_cache_find(server->cache, hc_buf_text(&key));
    if (entry != NULL) {
        cached_hit(request, begin_ns);
        request->_response = make_response(entry);
        request->_task.run = deliver;
        hc_loop_post(request->context->loop, &request->_task);
        return true;
    }
    request->_cache_key_size = key.size;
    request->_cache_key = hc_buf_take(&key);
    if (server->shared_cache != NULL) {
        return cached_redis_ask(request);
    }
    request->_cache_ns = hc_clock_ns() - begin_ns;
    return false;
}

void hc_cached_keep(struct hc_request *request, const struct hc_response *response) {
    const struct hc_server *server = request->context->server;
    hc_auto(text) bytes = hc_take(request->_cache_key);
    if (response == NULL || response->code != HC_OK || response->n_parameters > 0) {
        return;
    }
    uint64_t begin_ns = hc_clock_ns();
    struct hc_text key = {bytes, request->_cache_key_size};
    hc_auto_buf value = {0};
    cached_make_value(&value, response);
    if (server->cache != NULL) {
        hc_cache_insert(server->cache, key, hc_buf_text(&value));
    } else {
        cached_redis_keep(request, key, hc_buf_text(&value));
    }
    hc_stats_count_cache_miss(request, request->_cache_ns + hc_clock_ns() - begin_ns);
}
