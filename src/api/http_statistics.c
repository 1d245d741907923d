/* The statistics extension: counters of models as JSON. */
#include <inttypes.h>

#include "base/json_escape.h"
#include "core/server.h"
#include "core/stats.h"
#include "http_internal.h"

static void append_number(struct hc_buf *body, const char *name, uint64_t value) {
    hc_buf_appendf(body, "\"%s\":%" PRIu64 ",", name, value);
}

static void append_duration(struct hc_buf *body, const char *name,
                            const struct hc_stats_duration *duration) {
    hc_buf_appendf(body, "\"%s\":{\"count\":%" PRIu64 ",\"ns\":%" PRIu64 "},", name,
                   duration->count, duration->ns);
}

/* The list of members ends here: their last comma gives way to END. */
static void end_members(struct hc_buf *body, const char *end) {
    body->size--;
    hc_buf_append_string(body, end);
}

static void append_inferences(struct hc_buf *body, const struct hc_stats *stats) {
    hc_buf_append_string(body, "\"inference_stats\":{");
    append_duration(body, "success", &stats->success);
    append_duration(body, "fail", &stats->fail);
    append_duration(body, "queue", &stats->queue);
    append_duration(body, "compute_input", &stats->compute_input);
    append_duration(body, "compute_infer", &stats->compute_infer);
    append_duration(body, "compute_output", &stats->compute_output);
    append_duration(body, "cache_hit", &stats->cache_hit);
    append_duration(body, "cache_miss", &stats->cache_miss);
    end_members(body, "},");
}

static void append_responses(struct hc_buf *body, const struct hc_stats *stats) {
    hc_buf_append_string(body, "\"response_stats\":{");
    for (size_t i = 0; i < stats->n_responses; i++) {
        const struct hc_stats_response *response = &stats->responses[i];
        hc_buf_appendf(body, "%s\"%zu\":{", i > 0 ? "," : "", i);
        append_duration(body, "compute_infer", &response->compute_infer);
        append_duration(body, "compute_output", &response->compute_output);
        append_duration(body, "success", &response->success);
        append_duration(body, "fail", &response->fail);
        append_duration(body, "empty_response", &response->empty_response);
        append_duration(body, "cancel", &response->cancel);
        end_members(body, "}");
    }
    hc_buf_append_string(body, "},");
}

static void append_batches(struct hc_buf *body, const struct hc_stats *stats) {
    hc_buf_append_string(body, "\"batch_stats\":[");
    for (size_t i = 0; i < stats->n_batches; i++) {
        const struct hc_stats_batch *batch = &stats->batches[i];
        hc_buf_append_string(body, i > 0 ? ",{" : "{");
        append_number(body, "batch_size", batch->batch_size);
        append_duration(body, "compute_input", &batch->compute_input);
        append_duration(body, "compute_infer", &batch->compute_infer);
        append_duration(body, "compute_output", &batch->compute_output);
        end_members(body, "}");
    }
    hc_buf_append_string(body, "],");
}

static void append_model(struct hc_buf *body, struct hc_model *model) {
    struct hc_stats stats;
    hc_stats_read(model, &stats);
    hc_buf_append_string(body, "{\"name\":");
    hc_json_append_string(body, hc_text_of(model->name));
    hc_buf_appendf(body, ",\"version\":\"%" PRId64 "\",", model->version);
    append_number(body, "last_inference", stats.last_inference_ms);
    append_number(body, "inference_count", stats.inference_count);
    append_number(body, "execution_count", stats.execution_count);
    append_inferences(body, &stats);
    append_responses(body, &stats);
    append_batches(body, &stats);
    hc_buf_append_string(body, "\"memory_usage\":[]}");
    hc_stats_finish(&stats);
}

void http_statistics(const struct http_call *call) {
    struct hc_error error;
    int64_t version;
    struct hc_model **models;
    size_t n_models;
    if (http_read_version(call, &version, &error) != HC_OK ||
        hc_stats_select(hc_server_catalog(call->context->server), call->model, version, &models,
                        &n_models, &error) != HC_OK) {
        http_answer_error(call->exchange, error.code, hc_text_of(error.message));
        return;
    }
    struct hc_buf body = {0};
    hc_buf_append_string(&body, "{\"model_stats\":[");
    for (size_t i = 0; i < n_models; i++) {
        hc_buf_append_string(&body, i > 0 ? "," : "");
        append_model(&body, models[i]);
    }
    hc_buf_append_string(&body, "]}");
    free(models);
    http_answer_json(call->exchange, 200, &body);
}
