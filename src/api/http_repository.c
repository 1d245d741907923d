/* Managing models: the repository's index, loading and unloading. */
#include "base/json_escape.h"
#include "core/control.h"
#include "http_internal.h"
#include "wire/repository_json.h"

/* The body could not be read. */
static void fail_to_read(struct hc_http_exchange *exchange, const struct hc_error *error) {
    http_answer_error(exchange, error->code, hc_text_of(error->message));
}

static struct hc_server *server_of(struct hc_http_exchange *exchange) {
    return ((const struct http_call *)hc_http_data(exchange))->api->server;
}

/* ---- The index ---- */

static void append_member(struct hc_buf *body, const char *name, const char *value) {
    if (value != NULL && value[0] != '\0') {
        hc_buf_appendf(body, ",\"%s\":", name);
        hc_json_append_string(body, hc_text_of(value));
    }
}

static void on_index(void *user, const struct hc_control_model *models, size_t n_models,
                     const struct hc_error *error) {
    struct hc_http_exchange *exchange = user;
    if (error != NULL) {
        fail_to_read(exchange, error);
        return;
    }
    struct hc_buf body = {0};
    hc_buf_append_char(&body, '[');
    for (size_t i = 0; i < n_models; i++) {
        hc_buf_append_string(&body, i > 0 ? ",{\"name\":" : "{\"name\":");
        hc_json_append_string(&body, hc_text_of(models[i].name));
        append_member(&body, "version", models[i].version);
        append_member(&body, "state", models[i].state);
        append_member(&body, "reason", models[i].reason);
        hc_buf_append_char(&body, '}');
    }
    hc_buf_append_char(&body, ']');
    http_answer_json(exchange, 200, &body);
}

static void on_index_body(struct hc_http_exchange *exchange, struct hc_text bytes,
                          const struct hc_error *failure) {
    struct hc_error error;
    bool ready = false;
    if (failure != NULL) {
        fail_to_read(exchange, failure);
    } else if (hc_index_json_read(bytes, &ready, &error) != HC_OK) {
        fail_to_read(exchange, &error);
    } else {
        hc_control_index(server_of(exchange), ready, on_index, exchange);
    }
}

void http_repository_index(const struct http_call *call) {
    http_read_all(call, on_index_body);
}

/* ---- Loading and unloading ---- */

static bool refuse_repository(const struct http_call *call) {
    if (call->repository.size == 0) {
        return false;
    }
    http_answer_error(call->exchange, HC_UNIMPLEMENTED,
                      HC_TEXT("'repository_name' specification is not supported"));
    return true;
}

static void on_done(void *user, enum hc_code code, struct hc_text message) {
    if (code == HC_OK) {
        http_answer_json(user, 200, &(struct hc_buf){0});
    } else {
        http_answer_error(user, code, message);
    }
}

static void on_load_body(struct hc_http_exchange *exchange, struct hc_text bytes,
                         const struct hc_error *failure) {
    const struct http_call *call = hc_http_data(exchange);
    struct hc_pool *pool = hc_http_pool(exchange);
    struct hc_load_json json;
    struct hc_error error;
    if (failure != NULL) {
        fail_to_read(exchange, failure);
        return;
    }
    if (hc_load_json_read(bytes, pool, &json, &error) != HC_OK) {
        fail_to_read(exchange, &error);
        return;
    }
    struct hc_control_file *files = hc_pool_alloc(pool, (json.n_files + 1) * sizeof *files);
    for (size_t i = 0; i < json.n_files; i++) {
        files[i] = (struct hc_control_file){json.files[i].path, json.files[i].content};
    }
    struct hc_control_load *load = hc_pool_alloc(pool, sizeof *load);
    *load = (struct hc_control_load){
        .model = call->model,
        .config = json.config,
        .files = files,
        .n_files = json.n_files,
    };
    hc_control_load(server_of(exchange), load, on_done, exchange);
}

void http_model_load(const struct http_call *call) {
    if (!refuse_repository(call)) {
        http_read_all(call, on_load_body);
    }
}

static void on_unload_body(struct hc_http_exchange *exchange, struct hc_text bytes,
                           const struct hc_error *failure) {
    const struct http_call *call = hc_http_data(exchange);
    bool unload_dependents = false;
    struct hc_error error;
    if (failure != NULL) {
        fail_to_read(exchange, failure);
    } else if (hc_unload_json_read(bytes, &unload_dependents, &error) != HC_OK) {
        fail_to_read(exchange, &error);
    } else {
        hc_control_unload(server_of(exchange), call->model, unload_dependents, on_done, exchange);
    }
}

void http_model_unload(const struct http_call *call) {
    if (!refuse_repository(call)) {
        http_read_all(call, on_unload_body);
    }
}
