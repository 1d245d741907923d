/* Counting what becomes of requests: a part for each loop, added up when somebody reads. */
#include "core/stats.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "core/catalog.h"
#include "core/context.h"
#include "metrics/quantiles.h"

enum { CACHE_LINE = 64 };

/* Written by one loop; the lock makes readers wait for whole numbers. */
struct stats_part {
    _Alignas(CACHE_LINE) pthread_mutex_t lock;
    struct hc_stats counters;
};

const char hc_first_response_family[] = "nv_inference_first_response_histogram_ms";

struct hc_first_response_bounds hc_first_response_bounds(const Inference__ModelConfig *config) {
    static const double usual[] = {100, 500, 2000, 5000};
    struct hc_first_response_bounds bounds = {sizeof usual / sizeof usual[0], usual};
    const double *own = hc_config_buckets(config, hc_first_response_family, &bounds.n);
    bounds.ms = own != NULL ? own : bounds.ms;
    return bounds;
}

struct hc_model_stats {
    bool with_quantiles;
    size_t n_parts;
    struct stats_part *parts;
};

struct hc_model_stats *hc_model_stats_create(size_t n_loops, bool with_quantiles) {
    struct hc_model_stats *stats = hc_new(struct hc_model_stats);
    stats->with_quantiles = with_quantiles;
    stats->n_parts = n_loops;
    stats->parts = aligned_alloc(CACHE_LINE, n_loops * sizeof *stats->parts);
    if (stats->parts == NULL) {
        abort();
    }
    for (size_t i = 0; i < n_loops; i++) {
        stats->parts[i] = (struct stats_part){0};
        pthread_mutex_init(&stats->parts[i].lock, NULL);
    }
    return stats;
}

void hc_model_stats_destroy(struct hc_model_stats *stats) {
    if (stats == NULL) {
        return;
    }
    for (size_t i = 0; i < stats->n_parts; i++) {
        hc_stats_finish(&stats->parts[i].counters);
        pthread_mutex_destroy(&stats->parts[i].lock);
    }
    free(stats->parts);
    free(stats);
}

static struct hc_stats *lock_part(struct hc_model_stats *stats, unsigned index) {
    pthread_mutex_lock(&stats->parts[index].lock);
    return &stats->parts[index].counters;
}

static void unlock_part(struct hc_model_stats *stats, unsigned index) {
    pthread_mutex_unlock(&stats->parts[index].lock);
}

/* ---- Counting ---- */

static void add(struct hc_stats_duration *duration, uint64_t ns) {
    duration->count++;
    duration->ns += ns;
}

/* Times come from other processes: none lies before the one that it follows. */
static uint64_t since(uint64_t start_ns, uint64_t end_ns) {
    return end_ns > start_ns ? end_ns - start_ns : 0;
}

/* A zeroed item at INDEX of an array of N, which grows to hold it. */
static void *make_room(void *items, size_t n, size_t index, size_t item_size) {
    char *bytes = hc_realloc(items, (n + 1) * item_size);
    memmove(bytes + (index + 1) * item_size, bytes + index * item_size, (n - index) * item_size);
    memset(bytes + index * item_size, 0, item_size);
    return bytes;
}

static struct hc_stats_batch *find_batch(struct hc_stats *stats, uint64_t batch_size) {
    size_t low = 0;
    size_t high = stats->n_batches;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (stats->batches[middle].batch_size < batch_size) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == stats->n_batches || stats->batches[low].batch_size != batch_size) {
        stats->batches = make_room(stats->batches, stats->n_batches++, low, sizeof *stats->batches);
        stats->batches[low].batch_size = batch_size;
    }
    return &stats->batches[low];
}

static struct hc_stats_response *find_response(struct hc_stats *stats, size_t index) {
    while (stats->n_responses <= index) {
        stats->responses = make_room(stats->responses, stats->n_responses, stats->n_responses,
                                     sizeof *stats->responses);
        stats->n_responses++;
    }
    return &stats->responses[index];
}

/* Note a duration among those that quantiles are drawn from. */
static void note(struct hc_stats *stats, enum hc_summary summary, uint64_t ns, uint64_t now_ns) {
    if (stats->quantiles[summary] == NULL) {
        stats->quantiles[summary] = hc_quantiles_create();
    }
    hc_quantiles_add(stats->quantiles[summary], ns / HC_NS_PER_US, now_ns);
}

static void note_success(struct hc_stats *stats, const struct hc_request *request,
                         uint64_t queue_ns, uint64_t now_ns) {
    const struct hc_stats_times *times = &request->times;
    note(stats, HC_SUMMARY_REQUEST, since(request->start_ns, now_ns), now_ns);
    note(stats, HC_SUMMARY_QUEUE, queue_ns, now_ns);
    if (!request->cached) {
        note(stats, HC_SUMMARY_COMPUTE_INPUT,
             since(times->compute_start_ns, times->compute_input_end_ns), now_ns);
        note(stats, HC_SUMMARY_COMPUTE_INFER,
             since(times->compute_input_end_ns, times->compute_output_start_ns), now_ns);
        note(stats, HC_SUMMARY_COMPUTE_OUTPUT,
             since(times->compute_output_start_ns, times->compute_end_ns), now_ns);
    }
}

static void count_success(struct hc_stats *stats, const struct hc_request *request,
                          uint64_t now_ns) {
    const struct hc_stats_times *times = &request->times;
    uint64_t queue_end_ns = request->cached ? now_ns : times->compute_start_ns;
    uint64_t queue_ns = since(request->queued_ns, queue_end_ns);
    add(&stats->success, since(request->start_ns, now_ns));
    add(&stats->queue, queue_ns);
    if (request->model->stats->with_quantiles) {
        note_success(stats, request, queue_ns, now_ns);
    }
    if (request->cached) {
        return;
    }
    stats->inference_count += request->batch_size;
    add(&stats->compute_input, since(times->compute_start_ns, times->compute_input_end_ns));
    add(&stats->compute_infer, since(times->compute_input_end_ns, times->compute_output_start_ns));
    add(&stats->compute_output, since(times->compute_output_start_ns, times->compute_end_ns));
}

static void count_first_response(struct hc_stats *stats, const struct hc_model *model,
                                 uint64_t ms) {
    struct hc_first_response_bounds bounds = hc_first_response_bounds(model->config);
    size_t bucket = 0;
    while (bucket < bounds.n && (double)ms > bounds.ms[bucket]) {
        bucket++;
    }
    stats->first_responses[bucket]++;
    stats->first_responses_ms += ms;
}

static void count_failure(struct hc_stats *stats, const struct hc_request *request, bool cancelled,
                          uint64_t now_ns) {
    stats->failures[cancelled ? HC_FAILURE_CANCELED : request->failure]++;
    add(&stats->fail, since(request->start_ns, now_ns));
}

/* One of a decoupled model's responses, or its end without one. */
static void count_one_of_many(struct hc_stats *stats, const struct hc_request *request,
                              const struct hc_response *response) {
    const struct hc_stats_times *times = &request->times;
    struct hc_stats_response *counters = find_response(stats, request->n_responses);
    uint64_t infer_ns = since(times->compute_input_end_ns, times->compute_output_start_ns);
    uint64_t output_ns = since(times->compute_output_start_ns, times->compute_end_ns);
    if (response == NULL) {
        add(&counters->empty_response, infer_ns);
    } else if (response->code == HC_CANCELLED) {
        add(&counters->cancel, infer_ns + output_ns);
    } else if (response->code != HC_OK) {
        add(&counters->compute_infer, infer_ns);
        add(&counters->compute_output, output_ns);
        add(&counters->fail, infer_ns + output_ns);
    } else {
        add(&counters->compute_infer, infer_ns);
        add(&counters->compute_output, output_ns);
        add(&counters->success, infer_ns + output_ns);
    }
}

void hc_stats_count_response(struct hc_request *request, const struct hc_response *response,
                             bool final) {
    struct hc_model *model = request->model;
    bool error = response != NULL && response->code != HC_OK;
    request->failed = request->failed || error;
    if (model->stats == NULL || (!final && !model->decoupled)) {
        return;
    }
    uint64_t now_ns = hc_clock_ns();
    struct hc_stats *stats = lock_part(model->stats, request->context->index);
    if (model->decoupled) {
        count_one_of_many(stats, request, response);
        if (request->n_responses == 0) {
            count_first_response(stats, request->model,
                                 since(request->start_ns, now_ns) / HC_NS_PER_MS);
        }
        request->n_responses++;
    }
    if (final && request->failed) {
        count_failure(stats, request, error && response->code == HC_CANCELLED, now_ns);
    } else if (final) {
        count_success(stats, request, now_ns);
    }
    unlock_part(model->stats, request->context->index);
}

void hc_stats_count_execution(struct hc_model *model, uint64_t batch_size,
                              const struct hc_stats_times *times) {
    if (model->stats == NULL) {
        return;
    }
    unsigned index = hc_loop_index(hc_loop_current());
    uint64_t now_ms = hc_clock_wall_ns() / HC_NS_PER_MS;
    struct hc_stats *stats = lock_part(model->stats, index);
    stats->execution_count++;
    stats->last_inference_ms = now_ms;
    struct hc_stats_batch *batch = find_batch(stats, batch_size);
    add(&batch->compute_input, since(times->compute_start_ns, times->compute_input_end_ns));
    add(&batch->compute_infer, since(times->compute_input_end_ns, times->compute_output_start_ns));
    add(&batch->compute_output, since(times->compute_output_start_ns, times->compute_end_ns));
    unlock_part(model->stats, index);
}

void hc_stats_count_cache_hit(struct hc_request *request, uint64_t lookup_ns) {
    struct hc_model_stats *all = request->model->stats;
    request->cached = true;
    if (all != NULL) {
        struct hc_stats *stats = lock_part(all, request->context->index);
        add(&stats->cache_hit, lookup_ns);
        if (all->with_quantiles) {
            note(stats, HC_SUMMARY_CACHE_HIT, lookup_ns, hc_clock_ns());
        }
        unlock_part(all, request->context->index);
    }
}

void hc_stats_count_cache_miss(struct hc_request *request, uint64_t lookup_and_insert_ns) {
    struct hc_model_stats *all = request->model->stats;
    if (all != NULL) {
        struct hc_stats *stats = lock_part(all, request->context->index);
        add(&stats->cache_miss, lookup_and_insert_ns);
        if (all->with_quantiles) {
            note(stats, HC_SUMMARY_CACHE_MISS, lookup_and_insert_ns, hc_clock_ns());
        }
        unlock_part(all, request->context->index);
    }
}

/* ---- Reading ---- */

static void sum(struct hc_stats_duration *total, const struct hc_stats_duration *part) {
    total->count += part->count;
    total->ns += part->ns;
}

static void sum_batch(struct hc_stats *total, const struct hc_stats_batch *part) {
    struct hc_stats_batch *batch = find_batch(total, part->batch_size);
    sum(&batch->compute_input, &part->compute_input);
    sum(&batch->compute_infer, &part->compute_infer);
    sum(&batch->compute_output, &part->compute_output);
}

static void sum_response(struct hc_stats *total, size_t index,
                         const struct hc_stats_response *part) {
    struct hc_stats_response *response = find_response(total, index);
    sum(&response->compute_infer, &part->compute_infer);
    sum(&response->compute_output, &part->compute_output);
    sum(&response->success, &part->success);
    sum(&response->fail, &part->fail);
    sum(&response->empty_response, &part->empty_response);
    sum(&response->cancel, &part->cancel);
}

static void sum_quantiles(struct hc_stats *total, const struct hc_stats *part) {
    uint64_t now_ns = hc_clock_ns();
    for (size_t i = 0; i < HC_N_SUMMARIES; i++) {
        if (part->quantiles[i] == NULL) {
            continue;
        }
        if (total->quantiles[i] == NULL) {
            total->quantiles[i] = hc_quantiles_create();
        }
        hc_quantiles_merge(total->quantiles[i], part->quantiles[i], now_ns);
    }
}

static void sum_part(struct hc_stats *total, const struct hc_stats *part) {
    if (part->last_inference_ms > total->last_inference_ms) {
        total->last_inference_ms = part->last_inference_ms;
    }
    total->inference_count += part->inference_count;
    total->execution_count += part->execution_count;
    sum(&total->success, &part->success);
    sum(&total->fail, &part->fail);
    sum(&total->queue, &part->queue);
    sum(&total->compute_input, &part->compute_input);
    sum(&total->compute_infer, &part->compute_infer);
    sum(&total->compute_output, &part->compute_output);
    sum(&total->cache_hit, &part->cache_hit);
    sum(&total->cache_miss, &part->cache_miss);
    for (size_t i = 0; i < HC_N_FAILURES; i++) {
        total->failures[i] += part->failures[i];
    }
    for (size_t i = 0; i <= HC_CONFIG_MAX_BUCKETS; i++) {
        total->first_responses[i] += part->first_responses[i];
    }
    total->first_responses_ms += part->first_responses_ms;
    sum_quantiles(total, part);
    for (size_t i = 0; i < part->n_batches; i++) {
        sum_batch(total, &part->batches[i]);
    }
    for (size_t i = 0; i < part->n_responses; i++) {
        sum_response(total, i, &part->responses[i]);
    }
}

void hc_stats_read(struct hc_model *model, struct hc_stats *total) {
    *total = (struct hc_stats){0};
    for (unsigned i = 0; model->stats != NULL && i < model->stats->n_parts; i++) {
        sum_part(total, lock_part(model->stats, i));
        unlock_part(model->stats, i);
    }
}

void hc_stats_finish(struct hc_stats *stats) {
    for (size_t i = 0; i < HC_N_SUMMARIES; i++) {
        hc_quantiles_destroy(stats->quantiles[i]);
    }
    free(stats->batches);
    free(stats->responses);
    *stats = (struct hc_stats){0};
}

/* ---- Choosing ---- */

struct selection {
    struct hc_model **models;
    size_t n;
};

static void select_versions(const struct hc_catalog_entry *entry, int64_t version,
                            struct selection *selection) {
    for (size_t i = 0; i < entry->n_versions; i++) {
        struct hc_model *model = entry->versions[i].model;
        if (model != NULL && (version < 0 || model->version == version)) {
            selection->models =
                hc_realloc(selection->models, (selection->n + 1) * sizeof(struct hc_model *));
            selection->models[selection->n++] = model;
        }
    }
}

static enum hc_code select_one(const struct hc_catalog *catalog, struct hc_text name,
                               int64_t version, struct selection *selection,
                               struct hc_error *error) {
    const struct hc_catalog_entry *entry = hc_catalog_find(catalog, name);
    bool known = entry != NULL && entry->n_versions > 0;
    if (known) {
        select_versions(entry, version, selection);
    }
    if (!known || (selection->n == 0 && version < 0)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "requested model '%.*s' is not available",
                            HC_TEXT_ARGS(name));
    }
    if (selection->n == 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "requested model version is not available for model '%s'", entry->name);
    }
    return HC_OK;
}

enum hc_code hc_stats_select(const struct hc_catalog *catalog, struct hc_text name, int64_t version,
                             struct hc_model ***models, size_t *n_models, struct hc_error *error) {
    struct selection selection = {0};
    if (name.size > 0) {
        HC_TRY(select_one(catalog, name, version, &selection, error));
    }
    for (size_t i = 0; name.size == 0 && i < catalog->n_entries; i++) {
        select_versions(&catalog->entries[i], -1, &selection);
    }
    *models = selection.models;
    *n_models = selection.n;
    return HC_OK;
}
