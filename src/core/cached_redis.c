/* The response cache in Redis, which several servers may share. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cached_internal.h"
#include "core/context.h"
#include "core/infer.h"
#include "core/model.h"
#include "redis/redis.h"

struct hc_shared_cache {
    struct hc_redis_options options;
    char *address;
    char *user;
    char *password;
    struct hc_redis **clients; /* by loop */
};

/* ---- Options ---- */

static enum hc_code wrong(const struct hc_cache_setting *setting, struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "'%s=%s' is no setting of the cache 'redis': it has host, port, user, "
                        "password, db and socket_timeout (milliseconds)",
                        setting->name, setting->value);
}

/* Settings of NVIDIA's cache for pools of connections, of which there is one for each loop here. */
static bool is_about_pools(const char *name) {
    static const char *const names[] = {"connect_timeout", "conn_lifetime", "keep_alive",
                                        "num_threads",     "pool_size",     "wait_timeout"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum hc_code take_setting(struct hc_shared_cache *cache, const char **host,
                                 const struct hc_cache_setting *setting, struct hc_error *error) {
    const char *name = setting->name;
    uint64_t number = 0;
    bool is_number = hc_text_number(hc_text_of(setting->value), UINT32_MAX, &number);
    if (strcmp(name, "host") == 0) {
        *host = setting->value;
    } else if (strcmp(name, "port") == 0 && is_number && number <= UINT16_MAX) {
        cache->options.port = (uint16_t)number;
    } else if (strcmp(name, "db") == 0 && is_number) {
        cache->options.database = (unsigned)number;
    } else if (strcmp(name, "socket_timeout") == 0 && is_number && number > 0) {
        cache->options.timeout_ns = number * HC_NS_PER_MS;
    } else if (strcmp(name, "user") == 0 || strcmp(name, "username") == 0) {
        cache->user = hc_strdup(setting->value);
    } else if (strcmp(name, "password") == 0) {
        cache->password = hc_strdup(setting->value);
    } else if (!is_about_pools(name)) {
        return wrong(setting, error);
    }
    return HC_OK;
}

/* What is better not on a command line. */
static char *from_environment(char *given, const char *variable) {
    const char *value = getenv(variable);
    return given != NULL || value == NULL ? given : hc_strdup(value);
}

enum hc_code cached_redis_start(struct hc_server *server, struct hc_error *error) {
    const struct hc_server_cache *options = &server->options.cache;
    struct hc_shared_cache *cache = hc_new(struct hc_shared_cache);
    const char *host = "localhost";
    server->shared_cache = cache;
    cache->options = (struct hc_redis_options){.port = 6379, .timeout_ns = 250 * HC_NS_PER_MS};
    for (size_t i = 0; i < options->n_settings; i++) {
        HC_TRY(take_setting(cache, &host, &options->settings[i], error));
    }
    HC_TRY(hc_redis_resolve(host, &cache->address, error));
    cache->user = from_environment(cache->user, "TRITONREDIS_USERNAME");
    cache->password = from_environment(cache->password, "TRITONREDIS_PASSWORD");
    cache->options.address = cache->address;
    cache->options.user = cache->user;
    cache->options.password = cache->password;
    cache->clients = hc_alloc_array(server->n_contexts, sizeof(struct hc_redis *));
    for (size_t i = 0; i < server->n_contexts; i++) {
        cache->clients[i] = hc_redis_create(server->contexts[i].loop, &cache->options);
    }
    return HC_OK;
}

void cached_redis_finish(struct hc_server *server) {
    struct hc_shared_cache *cache = server->shared_cache;
    if (cache == NULL) {
        return;
    }
    for (size_t i = 0; cache->clients != NULL && i < server->n_contexts; i++) {
        hc_redis_destroy(cache->clients[i]);
    }
    free(cache->clients);
    free(cache->address);
    free(cache->user);
    free(cache->password);
    free(cache);
}

/* ---- Keys and values ---- */

enum { NAME_SIZE = 64 };

/* FNV-1a. Two keys with the same name are told apart by what is stored in front of the value. */
static uint64_t hash(struct hc_text key, uint64_t from) {
    for (size_t i = 0; i < key.size; i++) {
        from = (from ^ (unsigned char)key.data[i]) * UINT64_C(0x100000001b3);
    }
    return from;
}

static struct hc_text name_of(struct hc_text key, char name[NAME_SIZE]) {
    int size =
        snprintf(name, NAME_SIZE, "hippocamp:%016" PRIx64 "%016" PRIx64,
                 hash(key, UINT64_C(0xcbf29ce484222325)), hash(key, UINT64_C(0x9ae16a3b2f90404f)));
    return (struct hc_text){name, (size_t)size};
}

static struct hc_text key_of(const struct hc_request *request) {
    return (struct hc_text){request->_cache_key, request->_cache_key_size};
}

static struct hc_redis *client_of(const struct hc_request *request) {
    return request->context->server->shared_cache->clients[request->context->index];
}

void cached_redis_keep(struct hc_request *request, struct hc_text key, struct hc_text value) {
    char name[NAME_SIZE];
    hc_auto_buf bytes = {0};
    uint64_t key_size = key.size;
    hc_buf_append(&bytes, &key_size, sizeof key_size);
    hc_buf_append_text(&bytes, key);
    hc_buf_append_text(&bytes, value);
    hc_redis_set(client_of(request), name_of(key, name), hc_buf_text(&bytes));
}

static void free_response(struct hc_response *response) {
    hc_pool_finish(&response->pool);
    free(response);
}

/* The response that STORED, which came from elsewhere, is for that key; NULL when it is none. */
static struct hc_response *read_stored(struct hc_text key, struct hc_text stored) {
    uint64_t key_size;
    size_t head = sizeof key_size + key.size;
    if (stored.size < head) {
        return NULL;
    }
    memcpy(&key_size, stored.data, sizeof key_size);
    if (key_size != key.size || memcmp(stored.data + sizeof key_size, key.data, key.size) != 0) {
        return NULL;
    }
    struct hc_response *response = hc_new(struct hc_response);
    response->on_release = free_response;
    size_t size = stored.size - head;
    char *memory = hc_pool_alloc(&response->pool, size);
    memcpy(memory, stored.data + head, size);
    if (!cached_read_value((struct hc_text){memory, size}, response)) {
        free_response(response);
        return NULL;
    }
    return response;
}

/* ---- Requests ---- */

static void run(struct hc_request *request) {
    struct hc_error error;
    if (request->_cancelled) {
        hc_request_answer(request, hc_response_error(HC_CANCELLED, HC_TEXT("")), true);
    } else if (hc_infer_run(request, &error) != HC_OK) {
        hc_request_answer(request, hc_response_error(error.code, hc_text_of(error.message)), true);
    }
}

static void on_value(void *user, struct hc_text value) {
    struct hc_request *request = user;
    struct hc_response *response = read_stored(key_of(request), value);
    uint64_t begin_ns = request->_cache_ns;
    if (response == NULL || request->_cancelled) {
        hc_response_release(response);
        request->_cache_ns = hc_clock_ns() - begin_ns;
        run(request);
        return;
    }
    free(hc_take(request->_cache_key));
    cached_hit(request, begin_ns);
    hc_request_answer(request, response, true);
}

bool cached_redis_ask(struct hc_request *request) {
    char name[NAME_SIZE];
    request->_cache_ns = hc_clock_ns(); /* until the answer has come: when it was asked */
    if (hc_redis_get(client_of(request), name_of(key_of(request), name), on_value, request)) {
        return true;
    }
    request->_cache_ns = 0;
    return false;
}
