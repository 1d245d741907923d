/* The cache of responses as a whole; what each model has of it is with the models. */
#include <stdlib.h>

#include "base/clock.h"
#include "cache/cache.h"
#include "core/stats.h"
#include "metrics/text.h"
#include "metrics_internal.h"

/* Lookups of all models that are loaded. */
static void add_up(const struct hc_catalog *catalog, struct hc_stats_duration *hits,
                   struct hc_stats_duration *misses) {
    struct hc_model **models;
    size_t n_models;
    if (hc_stats_select(catalog, HC_TEXT(""), -1, &models, &n_models, NULL) != HC_OK) {
        return;
    }
    for (size_t i = 0; i < n_models; i++) {
        struct hc_stats stats;
        hc_stats_read(models[i], &stats);
        hits->count += stats.cache_hit.count;
        hits->ns += stats.cache_hit.ns;
        misses->count += stats.cache_miss.count;
        misses->ns += stats.cache_miss.ns;
        hc_stats_finish(&stats);
    }
    free(models);
}

void metrics_write_cache(const struct hc_server *server, const struct hc_catalog *catalog,
                         struct hc_buf *text) {
    const struct hc_text none = {0};
    struct hc_stats_duration hits = {0};
    struct hc_stats_duration misses = {0};
    struct hc_cache_usage usage = hc_cache_usage(server->cache);
    add_up(catalog, &hits, &misses);
    hc_metrics_text_head(text, "nv_cache_util", "Cache utilization [0.0 - 1.0]", "gauge");
    hc_metrics_text_value(text, "nv_cache_util", none,
                          usage.capacity > 0 ? (double)usage.size / (double)usage.capacity : 0);
    const struct {
        const char *name;
        const char *help;
        uint64_t value;
    } rows[] = {
        {"nv_cache_num_entries", "Number of responses stored in response cache", usage.n_entries},
        {"nv_cache_num_hits", "Number of cache hits in response cache", hits.count},
        {"nv_cache_num_misses", "Number of cache misses in response cache", misses.count},
        {"nv_cache_num_lookups", "Number of cache lookups in response cache",
         hits.count + misses.count},
        {"nv_cache_num_evictions", "Number of cache evictions in response cache",
         usage.n_evictions},
        {"nv_cache_lookup_duration", "Total cache lookup duration (hit and miss), in microseconds",
         hits.ns / HC_NS_PER_US},
        {"nv_cache_insertion_duration", "Total cache insertion duration, in microseconds",
         misses.ns / HC_NS_PER_US},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hc_metrics_text_head(text, rows[i].name, rows[i].help, "gauge");
        hc_metrics_text_count(text, rows[i].name, none, rows[i].value);
    }
}
