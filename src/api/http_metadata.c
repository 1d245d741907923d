/* Metadata of the server and of models, and model configs. */
#include <inttypes.h>
#include <string.h>

#include "base/json_escape.h"
#include "core/server.h"
#include "http_internal.h"
#include "tensor/shape.h"

void http_server_metadata(const struct http_call *call) {
    struct hc_buf body = {0};
    hc_buf_append_string(&body, "{\"name\":");
    hc_json_append_string(&body, hc_text_of(call->api->server->options.id));
    hc_buf_append_string(&body, ",\"version\":\"" HC_TRITON_VERSION "\",\"extensions\":[");
    for (size_t i = 0; i < hc_server_n_extensions; i++) {
        hc_buf_appendf(&body, "%s\"%s\"", i > 0 ? "," : "", hc_server_extensions[i]);
    }
    hc_buf_append_string(&body, "]}");
    http_answer_json(call->exchange, 200, &body);
}

static void append_ios(struct hc_buf *body, const struct hc_model_io *ios, size_t n_ios,
                       bool batching) {
    for (size_t i = 0; i < n_ios; i++) {
        hc_buf_append_string(body, i > 0 ? ",{\"name\":" : "{\"name\":");
        hc_json_append_string(body, ios[i].name);
        hc_buf_appendf(body, ",\"datatype\":\"%s\",\"shape\":[%s", hc_dtype_name(ios[i].dtype),
                       batching ? "-1" : "");
        for (size_t j = 0; j < ios[i].n_dims; j++) {
            hc_buf_appendf(body, "%s%" PRId64, batching || j > 0 ? "," : "", ios[i].dims[j]);
        }
        hc_buf_append_string(body, "]}");
    }
}

/* The versions that are ready: all of them, or the one that was asked for. */
static void append_versions(struct hc_buf *body, const struct http_call *call,
                            const struct hc_model *model) {
    if (call->version.size > 0) {
        hc_buf_appendf(body, "\"%" PRId64 "\"", model->version);
        return;
    }
    const struct hc_catalog_entry *entry =
        hc_catalog_find(hc_server_catalog(call->context->server), hc_text_of(model->name));
    const char *separator = "";
    for (size_t i = 0; entry != NULL && i < entry->n_versions; i++) {
        if (entry->versions[i].model != NULL) {
            hc_buf_appendf(body, "%s\"%" PRId64 "\"", separator, entry->versions[i].number);
            separator = ",";
        }
    }
}

void http_model_metadata(const struct http_call *call) {
    struct hc_model *model;
    struct hc_error error;
    if (http_find_model(call, &model, &error) != HC_OK) {
        http_answer_error(call->exchange, error.code, hc_text_of(error.message));
        return;
    }
    struct hc_buf body = {0};
    bool batching = model->max_batch_size > 0;
    hc_buf_append_string(&body, "{\"name\":");
    hc_json_append_string(&body, hc_text_of(model->name));
    hc_buf_append_string(&body, ",\"versions\":[");
    append_versions(&body, call, model);
    hc_buf_append_string(&body, "],\"platform\":");
    hc_json_append_string(&body, hc_text_of(model->platform));
    hc_buf_append_string(&body, ",\"inputs\":[");
    append_ios(&body, model->inputs, model->n_inputs, batching);
    hc_buf_append_string(&body, "],\"outputs\":[");
    append_ios(&body, model->outputs, model->n_outputs, batching);
    hc_buf_append_string(&body, "]}");
    http_answer_json(call->exchange, 200, &body);
}

void http_model_config(const struct http_call *call) {
    struct hc_model *model;
    struct hc_error error;
    if (http_find_model(call, &model, &error) != HC_OK) {
        http_answer_error(call->exchange, error.code, hc_text_of(error.message));
        return;
    }
    struct hc_buf body = {0};
    hc_buf_append_string(&body, model->config_json);
    http_answer_json(call->exchange, 200, &body);
}
