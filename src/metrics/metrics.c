/* Metrics that models make for themselves. */
#include "metrics/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/list.h"
#include "channel/blocks.h"
#include "metrics/text.h"

/* Sparse, and enough for a million of them. */
enum { FILE_SIZE = 64 << 20 };

struct hc_metrics {
    pthread_mutex_t lock;
    struct hc_memfile file;
    struct hc_blocks *blocks; /* of the file */
    struct hc_list families;
};

/* There while it is open or has metrics. */
struct hc_metric_family {
    struct hc_metrics *metrics;
    struct hc_list link;
    unsigned references; /* of those who opened it, and one a metric */
    enum hc_metric_kind kind;
    char *name;
    char *help;
    struct hc_list items;
};

struct hc_metric {
    struct hc_metric_family *family;
    struct hc_list link;
    unsigned references;
    char *labels; /* as text; it tells metrics apart */
    struct hc_block *block;
    struct hc_metric_cell *cell;
    double *bounds;
    size_t n_bounds;
};

enum hc_code hc_metrics_create(struct hc_metrics **metrics_out, struct hc_error *error) {
    struct hc_memfile file;
    HC_TRY(hc_memfile_create("hippocamp-metrics", FILE_SIZE, &file, error));
    struct hc_metrics *metrics = hc_new(struct hc_metrics);
    pthread_mutex_init(&metrics->lock, NULL);
    hc_list_init(&metrics->families);
    metrics->file = file;
    metrics->blocks = hc_blocks_create(file.size);
    *metrics_out = metrics;
    return HC_OK;
}

void hc_metrics_destroy(struct hc_metrics *metrics) {
    if (metrics != NULL) {
        hc_blocks_destroy(metrics->blocks);
        hc_memfile_close(&metrics->file);
        pthread_mutex_destroy(&metrics->lock);
        free(metrics);
    }
}

const struct hc_memfile *hc_metrics_file(const struct hc_metrics *metrics) {
    return &metrics->file;
}

/* ---- Families ---- */

static bool is_name(struct hc_text name) {
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
        if (!letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return name.size > 0;
}

static struct hc_metric_family *find_family(struct hc_metrics *metrics, struct hc_text name) {
    hc_list_each (link, &metrics->families) {
        struct hc_metric_family *family = hc_list_item(link, struct hc_metric_family, link);
        if (hc_text_is(name, family->name)) {
            return family;
        }
    }
    return NULL;
}

static struct hc_metric_family *add_family(struct hc_metrics *metrics, enum hc_metric_kind kind,
                                           struct hc_text name, struct hc_text help) {
    struct hc_metric_family *family = hc_new(struct hc_metric_family);
    family->metrics = metrics;
    family->kind = kind;
    family->name = hc_strndup(name.data, name.size);
    family->help = hc_strndup(help.size > 0 ? help.data : "", help.size);
    hc_list_init(&family->items);
    hc_list_append(&metrics->families, &family->link);
    return family;
}

enum hc_code hc_metric_family_open(struct hc_metrics *metrics, enum hc_metric_kind kind,
                                   struct hc_text name, struct hc_text help,
                                   struct hc_metric_family **family_out, struct hc_error *error) {
    if (!is_name(name)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "Invalid metric name");
    }
    enum hc_code code = HC_OK;
    pthread_mutex_lock(&metrics->lock);
    struct hc_metric_family *family = find_family(metrics, name);
    if (family != NULL && family->kind != kind) {
        code = hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Family name already exists with different type");
    } else {
        family = family != NULL ? family : add_family(metrics, kind, name, help);
        family->references++;
        *family_out = family;
    }
    pthread_mutex_unlock(&metrics->lock);
    return code;
}

static void unref_family(struct hc_metric_family *family) {
    if (--family->references == 0) {
        hc_list_remove(&family->link);
        free(family->help);
        free(family->name);
        free(family);
    }
}

void hc_metric_family_close(struct hc_metric_family *family) {
    if (family != NULL) {
        struct hc_metrics *metrics = family->metrics;
        pthread_mutex_lock(&metrics->lock);
        unref_family(family);
        pthread_mutex_unlock(&metrics->lock);
    }
}

/* ---- Metrics ---- */

static enum hc_code check_bounds(const double *bounds, size_t n_bounds, struct hc_error *error) {
    for (size_t i = 0; i < n_bounds; i++) {
        if (isnan(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1])) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "Bucket Boundaries must be strictly sorted");
        }
    }
    return HC_OK;
}

/* As Prometheus has it: a colon is for metrics alone, two underscores are for Prometheus itself. */
static enum hc_code check_labels(const struct hc_metric_label *labels, size_t n,
                                 struct hc_error *error) {
    for (size_t i = 0; i < n; i++) {
        struct hc_text name = labels[i].name;
        bool own = name.size >= 2 && memcmp(name.data, "__", 2) == 0;
        if (!is_name(name) || own || memchr(name.data, ':', name.size) != NULL) {
            return hc_error_set(error, HC_INVALID_ARGUMENT, "Invalid label name");
        }
    }
    return HC_OK;
}

static int compare_labels(const void *a, const void *b) {
    struct hc_text first = ((const struct hc_metric_label *)a)->name;
    struct hc_text second = ((const struct hc_metric_label *)b)->name;
    size_t size = first.size < second.size ? first.size : second.size;
    int order = size == 0 ? 0 : memcmp(first.data, second.data, size);
    return order != 0 ? order : (first.size > second.size) - (first.size < second.size);
}

/* The labels as text, in the order of their names. */
static char *write_labels(const struct hc_metric_label *labels, size_t n) {
    hc_auto(memory) sorted = hc_alloc_array(n + 1, sizeof *labels);
    hc_auto_buf text = {0};
    if (n > 0) {
        memcpy(sorted, labels, n * sizeof *labels);
        qsort(sorted, n, sizeof *labels, compare_labels);
    }
    for (size_t i = 0; i < n; i++) {
        const struct hc_metric_label *label = (const struct hc_metric_label *)sorted + i;
        hc_metrics_text_label(&text, label->name, label->value);
    }
    return hc_buf_take(&text);
}

static struct hc_metric *find_metric(struct hc_metric_family *family, const char *labels) {
    hc_list_each (link, &family->items) {
        struct hc_metric *metric = hc_list_item(link, struct hc_metric, link);
        if (strcmp(metric->labels, labels) == 0) {
            return metric;
        }
    }
    return NULL;
}

/* NULL when the file has no room for its value. */
static struct hc_metric *add_metric(struct hc_metric_family *family, char *labels,
                                    const double *bounds, size_t n_bounds) {
    struct hc_metrics *metrics = family->metrics;
    struct hc_block *block = hc_blocks_alloc(metrics->blocks, hc_metric_cell_size(n_bounds));
    if (block == NULL) {
        free(labels);
        return NULL;
    }
    struct hc_metric *metric = hc_new(struct hc_metric);
    metric->family = family;
    metric->labels = labels;
    metric->block = block;
    metric->cell = (void *)(metrics->file.base + block->offset);
    memset(metric->cell, 0, hc_metric_cell_size(n_bounds));
    metric->n_bounds = n_bounds;
    metric->bounds = hc_alloc_array(n_bounds + 1, sizeof *bounds);
    if (n_bounds > 0) {
        memcpy(metric->bounds, bounds, n_bounds * sizeof *bounds);
    }
    family->references++;
    hc_list_append(&family->items, &metric->link);
    return metric;
}

enum hc_code hc_metric_open(struct hc_metric_family *family, const struct hc_metric_label *labels,
                            size_t n_labels, const double *bounds, size_t n_bounds,
                            struct hc_metric **metric_out, struct hc_error *error) {
    HC_TRY(check_labels(labels, n_labels, error));
    HC_TRY(check_bounds(bounds, n_bounds, error));
    hc_auto(text) text = write_labels(labels, n_labels);
    pthread_mutex_lock(&family->metrics->lock);
    struct hc_metric *metric = find_metric(family, text);
    if (metric == NULL) {
        metric = add_metric(family, hc_take(text), bounds, n_bounds);
    }
    if (metric != NULL) {
        metric->references++;
    }
    pthread_mutex_unlock(&family->metrics->lock);
    if (metric == NULL) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "there are too many metrics");
    }
    *metric_out = metric;
    return HC_OK;
}

void hc_metric_close(struct hc_metric *metric) {
    if (metric == NULL) {
        return;
    }
    struct hc_metrics *metrics = metric->family->metrics;
    pthread_mutex_lock(&metrics->lock);
    if (--metric->references == 0) {
        hc_list_remove(&metric->link);
        hc_blocks_free(metrics->blocks, metric->block);
        unref_family(metric->family);
        free(metric->bounds);
        free(metric->labels);
        free(metric);
    }
    pthread_mutex_unlock(&metrics->lock);
}

uint64_t hc_metric_offset(const struct hc_metric *metric) {
    return metric->block->offset;
}

struct hc_metric_cell *hc_metric_cell(const struct hc_metric *metric) {
    return metric->cell;
}

const double *hc_metric_bounds(const struct hc_metric *metric, size_t *n_bounds) {
    *n_bounds = metric->n_bounds;
    return metric->bounds;
}

/* ---- Writing ---- */

static void write_histogram(const struct hc_metric *metric, struct hc_text labels,
                            struct hc_buf *text) {
    hc_auto(memory) counts = hc_alloc_array(metric->n_bounds + 1, sizeof(uint64_t));
    for (size_t i = 0; i <= metric->n_bounds; i++) {
        ((uint64_t *)counts)[i] =
            atomic_load_explicit(&metric->cell->counts[i], memory_order_relaxed);
    }
    hc_metrics_text_histogram(text, metric->family->name, labels, metric->bounds, counts,
                              metric->n_bounds, hc_metric_cell_value(metric->cell));
}

static void write_metric(const struct hc_metric *metric, struct hc_buf *text) {
    struct hc_text labels = hc_text_of(metric->labels);
    if (metric->family->kind == HC_METRIC_HISTOGRAM) {
        write_histogram(metric, labels, text);
    } else {
        hc_metrics_text_value(text, metric->family->name, labels,
                              hc_metric_cell_value(metric->cell));
    }
}

static void write_family(const struct hc_metric_family *family, struct hc_buf *text) {
    static const char *const types[] = {
        [HC_METRIC_COUNTER] = "counter",
        [HC_METRIC_GAUGE] = "gauge",
        [HC_METRIC_HISTOGRAM] = "histogram",
    };
    hc_auto_buf samples = {0};
    hc_list_each (item, &family->items) {
        write_metric(hc_list_item(item, struct hc_metric, link), &samples);
    }
    if (samples.size > 0) {
        hc_metrics_text_join(text, family->name, family->help, types[family->kind],
                             hc_buf_text(&samples));
    }
}

void hc_metrics_write(struct hc_metrics *metrics, struct hc_buf *text) {
    pthread_mutex_lock(&metrics->lock);
    hc_list_each (link, &metrics->families) {
        write_family(hc_list_item(link, struct hc_metric_family, link), text);
    }
    pthread_mutex_unlock(&metrics->lock);
}
