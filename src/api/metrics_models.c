/* Counters of models, from their statistics. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "core/dispatch.h"
#include "core/stats.h"
#include "metrics/quantiles.h"
#include "metrics/text.h"
#include "metrics_internal.h"

struct row {
    struct hc_model *model;
    struct hc_stats stats;
    struct hc_buf before; /* labels up to where "reason" stands, in the order of their names */
    struct hc_buf labels;
};

struct table {
    const struct hc_server_metrics *config;
    struct row *rows;
    size_t n_rows;
    struct hc_buf *text;
};

/* ---- The rows ---- */

static void add_tags(struct hc_buf *labels, const Inference__ModelConfig *config) {
    for (size_t i = 0; i < config->n_metric_tags; i++) {
        hc_auto_buf name = {0};
        hc_buf_appendf(&name, "_%s", config->metric_tags[i]->key);
        hc_metrics_text_label(labels, hc_buf_text(&name),
                              hc_text_of(config->metric_tags[i]->value));
    }
}

static void fill_row(struct row *row, struct hc_model *model) {
    row->model = model;
    hc_stats_read(model, &row->stats);
    add_tags(&row->before, model->config);
    hc_metrics_text_label(&row->before, HC_TEXT("model"), hc_text_of(model->name));
    if (model->namespace_ != NULL) {
        hc_metrics_text_label(&row->before, HC_TEXT("namespace"), hc_text_of(model->namespace_));
    }
    hc_buf_append_text(&row->labels, hc_buf_text(&row->before));
    hc_buf_appendf(&row->labels, ",version=\"%" PRId64 "\"", model->version);
}

static void finish_row(struct row *row) {
    hc_stats_finish(&row->stats);
    hc_buf_finish(&row->before);
    hc_buf_finish(&row->labels);
}

static bool is_cached(const struct row *row) {
    return row->model->caches;
}

static bool is_decoupled(const struct row *row) {
    return row->model->decoupled;
}

static bool is_any(const struct row *row) {
    (void)row;
    return true;
}

/* Whether the family has samples; if so, its head is written. */
static bool begin_family(const struct table *table, const char *name, const char *help,
                         const char *type, bool (*has)(const struct row *row)) {
    for (size_t i = 0; i < table->n_rows; i++) {
        if (has(&table->rows[i])) {
            hc_metrics_text_head(table->text, name, help, type);
            return true;
        }
    }
    return false;
}

/* ---- Counters ---- */

enum unit { COUNT, MICROSECONDS };

static const struct counter {
    const char *name;
    const char *help;
    bool (*has)(const struct row *row);
    size_t offset; /* of a uint64_t in struct hc_stats */
    enum unit unit;
} counters[] = {
    {"nv_inference_count", "Number of inferences performed (does not include cached requests)",
     is_any, offsetof(struct hc_stats, inference_count), COUNT},
    {"nv_inference_exec_count",
     "Number of model executions performed (does not include cached requests)", is_any,
     offsetof(struct hc_stats, execution_count), COUNT},
    {"nv_inference_request_duration_us",
     "Cumulative inference request duration in microseconds (includes cached requests)", is_any,
     offsetof(struct hc_stats, success.ns), MICROSECONDS},
    {"nv_inference_queue_duration_us",
     "Cumulative inference queuing duration in microseconds (includes cached requests)", is_any,
     offsetof(struct hc_stats, queue.ns), MICROSECONDS},
    {"nv_inference_compute_input_duration_us",
     "Cumulative compute input duration in microseconds (does not include cached requests)", is_any,
     offsetof(struct hc_stats, compute_input.ns), MICROSECONDS},
    {"nv_inference_compute_infer_duration_us",
     "Cumulative compute inference duration in microseconds (does not include cached requests)",
     is_any, offsetof(struct hc_stats, compute_infer.ns), MICROSECONDS},
    {"nv_inference_compute_output_duration_us",
     "Cumulative inference compute output duration in microseconds (does not include cached "
     "requests)",
     is_any, offsetof(struct hc_stats, compute_output.ns), MICROSECONDS},
    {"nv_cache_num_hits_per_model", "Number of cache hits per model", is_cached,
     offsetof(struct hc_stats, cache_hit.count), COUNT},
    {"nv_cache_hit_duration_per_model", "Total cache hit duration per model, in microseconds",
     is_cached, offsetof(struct hc_stats, cache_hit.ns), MICROSECONDS},
    {"nv_cache_num_misses_per_model", "Number of cache misses per model", is_cached,
     offsetof(struct hc_stats, cache_miss.count), COUNT},
    {"nv_cache_miss_duration_per_model",
     "Total cache miss (insert+lookup) duration per model, in microseconds", is_cached,
     offsetof(struct hc_stats, cache_miss.ns), MICROSECONDS},
};

static void write_counter(const struct table *table, const struct counter *counter) {
    if (!begin_family(table, counter->name, counter->help, "counter", counter->has)) {
        return;
    }
    for (size_t i = 0; i < table->n_rows; i++) {
        const struct row *row = &table->rows[i];
        uint64_t value;
        memcpy(&value, (const char *)&row->stats + counter->offset, sizeof value);
        value = counter->unit == MICROSECONDS ? value / HC_NS_PER_US : value;
        if (counter->has(row)) {
            hc_metrics_text_count(table->text, counter->name, hc_buf_text(&row->labels),
                                  table->config->counters ? value : 0);
        }
    }
}

static void write_successes(const struct table *table) {
    const char *name = "nv_inference_request_success";
    if (!begin_family(table, name, "Number of successful inference requests, all batch sizes",
                      "counter", is_any)) {
        return;
    }
    for (size_t i = 0; i < table->n_rows; i++) {
        const struct row *row = &table->rows[i];
        hc_metrics_text_count(table->text, name, hc_buf_text(&row->labels),
                              table->config->counters ? row->stats.success.count : 0);
    }
}

static void write_failures(const struct table *table) {
    static const char *const reasons[] = {
        [HC_FAILURE_BACKEND] = "BACKEND",
        [HC_FAILURE_REJECTED] = "REJECTED",
        [HC_FAILURE_CANCELED] = "CANCELED",
        [HC_FAILURE_OTHER] = "OTHER",
    };
    const char *name = "nv_inference_request_failure";
    if (!begin_family(table, name, "Number of failed inference requests, all batch sizes",
                      "counter", is_any)) {
        return;
    }
    for (size_t i = 0; i < table->n_rows * HC_N_FAILURES; i++) {
        const struct row *row = &table->rows[i / HC_N_FAILURES];
        enum hc_failure reason = i % HC_N_FAILURES;
        hc_auto_buf labels = {0};
        hc_buf_append_text(&labels, hc_buf_text(&row->before));
        hc_buf_appendf(&labels, ",reason=\"%s\",version=\"%" PRId64 "\"", reasons[reason],
                       row->model->version);
        hc_metrics_text_count(table->text, name, hc_buf_text(&labels),
                              table->config->counters ? row->stats.failures[reason] : 0);
    }
}

/* ---- Gauges ---- */

static void write_gauges(const struct table *table) {
    const char *pending = "nv_inference_pending_request_count";
    const char *load = "nv_model_load_duration_secs";
    if (begin_family(table, pending,
                     "Instantaneous number of pending requests awaiting execution per-model.",
                     "gauge", is_any)) {
        for (size_t i = 0; i < table->n_rows; i++) {
            hc_metrics_text_count(table->text, pending, hc_buf_text(&table->rows[i].labels),
                                  hc_dispatch_pending(table->rows[i].model));
        }
    }
    if (begin_family(table, load, "Model load time in seconds", "gauge", is_any)) {
        for (size_t i = 0; i < table->n_rows; i++) {
            hc_metrics_text_value(table->text, load, hc_buf_text(&table->rows[i].labels),
                                  (double)table->rows[i].model->load_ns / (double)HC_NS_PER_S);
        }
    }
}

/* ---- Summaries and histograms ---- */

/* With a cache, requests differ too much for one summary, says Triton, and has none. */
static bool is_not_cached(const struct row *row) {
    return !is_cached(row);
}

static const struct summary {
    const char *name;
    const char *help;
    bool (*has)(const struct row *row);
    size_t offset; /* of a struct hc_stats_duration in struct hc_stats */
} summaries[] = {
    [HC_SUMMARY_REQUEST] = {"nv_inference_request_summary_us",
                            "Summary of inference request duration in microseconds (includes "
                            "cached requests)",
                            is_not_cached, offsetof(struct hc_stats, success)},
    [HC_SUMMARY_QUEUE] = {"nv_inference_queue_summary_us",
                          "Summary of inference queuing duration in microseconds (includes cached "
                          "requests)",
                          is_any, offsetof(struct hc_stats, queue)},
    [HC_SUMMARY_COMPUTE_INPUT] = {"nv_inference_compute_input_summary_us",
                                  "Cumulative compute input duration in microseconds (does not "
                                  "include cached requests)",
                                  is_any, offsetof(struct hc_stats, compute_input)},
    [HC_SUMMARY_COMPUTE_INFER] = {"nv_inference_compute_infer_summary_us",
                                  "Cumulative compute inference duration in microseconds (does "
                                  "not include cached requests)",
                                  is_any, offsetof(struct hc_stats, compute_infer)},
    [HC_SUMMARY_COMPUTE_OUTPUT] = {"nv_inference_compute_output_summary_us",
                                   "Cumulative inference compute output duration in microseconds "
                                   "(does not include cached requests)",
                                   is_any, offsetof(struct hc_stats, compute_output)},
    [HC_SUMMARY_CACHE_HIT] = {"nv_cache_hit_summary_per_model",
                              "Summary of cache hit counts/durations per model, in microseconds.",
                              is_cached, offsetof(struct hc_stats, cache_hit)},
    [HC_SUMMARY_CACHE_MISS] = {"nv_cache_miss_summary_per_model",
                               "Summary of cache miss counts/durations per model, in "
                               "microseconds.",
                               is_cached, offsetof(struct hc_stats, cache_miss)},
};

static void write_quantiles(const struct table *table, const struct row *row,
                            const struct summary *summary, const struct hc_quantiles *quantiles) {
    uint64_t now_ns = hc_clock_ns();
    for (size_t i = 0; i < table->config->n_quantiles; i++) {
        hc_auto_buf labels = {0};
        double rank = table->config->quantiles[i];
        double value =
            quantiles == NULL ? __builtin_nan("") : hc_quantiles_read(quantiles, rank, now_ns);
        hc_buf_append_text(&labels, hc_buf_text(&row->labels));
        hc_buf_appendf(&labels, ",quantile=\"%g\"", rank);
        hc_metrics_text_value(table->text, summary->name, hc_buf_text(&labels), value);
    }
}

static void write_summary(const struct table *table, enum hc_summary kind) {
    const struct summary *summary = &summaries[kind];
    if (!begin_family(table, summary->name, summary->help, "summary", summary->has)) {
        return;
    }
    hc_auto_buf count = {0};
    hc_auto_buf sum = {0};
    hc_buf_appendf(&count, "%s_count", summary->name);
    hc_buf_appendf(&sum, "%s_sum", summary->name);
    for (size_t i = 0; i < table->n_rows; i++) {
        const struct row *row = &table->rows[i];
        struct hc_stats_duration duration;
        if (!summary->has(row)) {
            continue;
        }
        memcpy(&duration, (const char *)&row->stats + summary->offset, sizeof duration);
        hc_metrics_text_count(table->text, hc_buf_string(&count), hc_buf_text(&row->labels),
                              duration.count);
        hc_metrics_text_count(table->text, hc_buf_string(&sum), hc_buf_text(&row->labels),
                              duration.ns / HC_NS_PER_US);
        write_quantiles(table, row, summary, row->stats.quantiles[kind]);
    }
}

static void write_first_responses(const struct table *table) {
    const char *name = hc_first_response_family;
    if (!begin_family(table, name, "Duration from request to first response in milliseconds",
                      "histogram", is_decoupled)) {
        return;
    }
    for (size_t i = 0; i < table->n_rows; i++) {
        const struct row *row = &table->rows[i];
        if (is_decoupled(row)) {
            struct hc_first_response_bounds bounds = hc_first_response_bounds(row->model->config);
            hc_metrics_text_histogram(table->text, name, hc_buf_text(&row->labels), bounds.ms,
                                      row->stats.first_responses, bounds.n,
                                      (double)row->stats.first_responses_ms);
        }
    }
}

/* ---- All ---- */

static void write_table(const struct table *table) {
    write_successes(table);
    write_failures(table);
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        write_counter(table, &counters[i]);
    }
    write_gauges(table);
    for (int kind = 0; table->config->summaries && kind < HC_N_SUMMARIES; kind++) {
        write_summary(table, (enum hc_summary)kind);
    }
    if (table->config->histograms) {
        write_first_responses(table);
    }
}

void metrics_write_models(const struct hc_server *server, const struct hc_catalog *catalog,
                          struct hc_buf *text) {
    struct hc_model **models;
    struct table table = {.config = &server->options.metrics, .text = text};
    if (hc_stats_select(catalog, HC_TEXT(""), -1, &models, &table.n_rows, NULL) != HC_OK) {
        return;
    }
    table.rows = hc_alloc_array(table.n_rows, sizeof *table.rows);
    for (size_t i = 0; i < table.n_rows; i++) {
        fill_row(&table.rows[i], models[i]);
    }
    write_table(&table);
    for (size_t i = 0; i < table.n_rows; i++) {
        finish_row(&table.rows[i]);
    }
    free(table.rows);
    free(models);
}
