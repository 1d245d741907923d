/* Clients' shared memory: registering and forgetting regions, and what is registered. */
#include <inttypes.h>

#include "base/json_escape.h"
#include "http_internal.h"
#include "shm/shm.h"
#include "wire/base64.h"
#include "wire/json_pick.h"

enum { CUDA_HANDLE_SIZE = 64 }; /* sizeof(cudaIpcMemHandle_t) */

static struct hc_shm *registry_of(const struct http_call *call) {
    return call->api->server->shm;
}

/* ---- Status ---- */

static void answer_status(const struct http_call *call, enum hc_shm_kind kind) {
    hc_auto_shm_list list = {0};
    struct hc_error error;
    if (hc_shm_list(registry_of(call), kind, call->region, &list, &error) != HC_OK) {
        http_answer_error(call->exchange, error.code, hc_text_of(error.message));
        return;
    }
    struct hc_buf body = {0};
    hc_buf_append_char(&body, '[');
    for (size_t i = 0; i < list.n; i++) {
        const struct hc_shm_info *info = &list.items[i];
        hc_buf_append_string(&body, i > 0 ? ",{\"name\":" : "{\"name\":");
        hc_json_append_string(&body, hc_text_of(info->name));
        if (kind == HC_SHM_CUDA) {
            hc_buf_appendf(&body, ",\"device_id\":%d", info->device);
        } else {
            hc_buf_append_string(&body, ",\"key\":");
            hc_json_append_string(&body, hc_text_of(info->key));
            hc_buf_appendf(&body, ",\"offset\":%" PRIu64, info->offset);
        }
        hc_buf_appendf(&body, ",\"byte_size\":%" PRIu64 "}", info->size);
    }
    hc_buf_append_char(&body, ']');
    http_answer_json(call->exchange, 200, &body);
}

void http_system_memory_status(const struct http_call *call) {
    answer_status(call, HC_SHM_SYSTEM);
}

void http_cuda_memory_status(const struct http_call *call) {
    answer_status(call, HC_SHM_CUDA);
}

/* ---- Unregistering ---- */

static void unregister(const struct http_call *call, enum hc_shm_kind kind) {
    hc_shm_unregister(registry_of(call), kind, call->region);
    http_answer_json(call->exchange, 200, &(struct hc_buf){0});
}

void http_unregister_system_memory(const struct http_call *call) {
    unregister(call, HC_SHM_SYSTEM);
}

void http_unregister_cuda_memory(const struct http_call *call) {
    unregister(call, HC_SHM_CUDA);
}

/* ---- Registering ---- */

static enum hc_code no_field(const char *name, struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "Shared memory register request has no '%s' field", name);
}

static enum hc_code no_member(const char *name, struct hc_error *error) {
    return hc_error_set(error, HC_INTERNAL, "attempt to access non-existing object member '%s'",
                        name);
}

static enum hc_code read_text(const struct hc_json_member *member, struct hc_pool *pool,
                              struct hc_text *text, struct hc_error *error) {
    struct hc_json_string string;
    HC_TRY(hc_json_as_string(&member->value, &string, error));
    return hc_json_string_text(string, pool, text)
               ? HC_OK
               : hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for the request");
}

/* Register what the JSON text says of system memory. */
static enum hc_code register_system(const struct http_call *call, struct hc_text json,
                                    struct hc_error *error) {
    enum { KEY, OFFSET, SIZE, N };
    struct hc_json_member members[N] = {{.name = "key"}, {.name = "offset"}, {.name = "byte_size"}};
    struct hc_text key;
    uint64_t offset = 0;
    uint64_t size;
    HC_TRY(hc_json_pick(json, members, N, error));
    if (members[KEY].value.kind == HC_JSON_NONE) {
        return no_field("key", error);
    }
    HC_TRY(read_text(&members[KEY], hc_http_pool(call->exchange), &key, error));
    if (members[OFFSET].value.kind != HC_JSON_NONE) {
        HC_TRY(hc_json_as_uint64(&members[OFFSET].value, &offset, error));
    }
    if (members[SIZE].value.kind == HC_JSON_NONE) {
        return no_field("byte_size", error);
    }
    HC_TRY(hc_json_as_uint64(&members[SIZE].value, &size, error));
    return hc_shm_register(registry_of(call), call->region, key, offset, size, error);
}

/* The handle, which is base64 in an object of its own. */
static enum hc_code read_handle(const struct hc_json_member *outer, struct hc_pool *pool,
                                struct hc_text *handle, struct hc_error *error) {
    struct hc_json_member inner = {.name = "b64"};
    struct hc_text encoded;
    HC_TRY(hc_json_pick(outer->text, &inner, 1, error));
    if (inner.value.kind == HC_JSON_NONE) {
        return no_member("b64", error);
    }
    HC_TRY(read_text(&inner, pool, &encoded, error));
    char *place = hc_pool_alloc_try(pool, hc_base64_max_size(encoded.size), 1);
    handle->data = place;
    if (place == NULL || !hc_base64_decode(encoded, place, &handle->size) ||
        handle->size != CUDA_HANDLE_SIZE) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "'raw_handle' must be a valid base64 encoded cudaIpcMemHandle_t");
    }
    return HC_OK;
}

static enum hc_code register_cuda(const struct http_call *call, struct hc_text json,
                                  struct hc_error *error) {
    enum { HANDLE, DEVICE, SIZE, N };
    struct hc_json_member members[N] = {
        {.name = "raw_handle"}, {.name = "device_id"}, {.name = "byte_size"}};
    struct hc_text handle;
    int64_t device;
    uint64_t size;
    HC_TRY(hc_json_pick(json, members, N, error));
    if (members[HANDLE].value.kind == HC_JSON_NONE) {
        return no_field("raw_handle", error);
    }
    if (members[SIZE].value.kind == HC_JSON_NONE) {
        return no_member("byte_size", error);
    }
    HC_TRY(hc_json_as_uint64(&members[SIZE].value, &size, error));
    if (members[DEVICE].value.kind == HC_JSON_NONE) {
        return no_member("device_id", error);
    }
    HC_TRY(hc_json_as_int64(&members[DEVICE].value, &device, error));
    HC_TRY(read_handle(&members[HANDLE], hc_http_pool(call->exchange), &handle, error));
    return hc_shm_register_cuda(registry_of(call), call->region, handle, device, size, error);
}

/* The body has come: register what it says, and answer. */
static void finish_register(struct hc_http_exchange *exchange, struct hc_text bytes,
                            const struct hc_error *failure,
                            enum hc_code (*add)(const struct http_call *call, struct hc_text json,
                                                struct hc_error *error)) {
    const struct http_call *call = hc_http_data(exchange);
    struct hc_error error;
    if (failure != NULL) {
        http_answer_error(exchange, failure->code, hc_text_of(failure->message));
    } else if (add(call, bytes, &error) != HC_OK) {
        http_answer_error(exchange, error.code, hc_text_of(error.message));
    } else {
        http_answer_json(exchange, 200, &(struct hc_buf){0});
    }
}

static void on_system(struct hc_http_exchange *exchange, struct hc_text bytes,
                      const struct hc_error *failure) {
    finish_register(exchange, bytes, failure, register_system);
}

static void on_cuda(struct hc_http_exchange *exchange, struct hc_text bytes,
                    const struct hc_error *failure) {
    finish_register(exchange, bytes, failure, register_cuda);
}

static bool refuse_nameless(const struct http_call *call, const char *kind) {
    struct hc_error error;
    if (call->region.size > 0) {
        return false;
    }
    hc_error_set(&error, HC_INVALID_ARGUMENT,
                 "'region name' is necessary to register %s shared memory region", kind);
    http_answer_error(call->exchange, error.code, hc_text_of(error.message));
    return true;
}

void http_register_system_memory(const struct http_call *call) {
    if (!refuse_nameless(call, "system")) {
        http_read_all(call, on_system);
    }
}

void http_register_cuda_memory(const struct http_call *call) {
    if (!refuse_nameless(call, "cuda")) {
        http_read_all(call, on_cuda);
    }
}
