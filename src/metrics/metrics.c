/* Metrics that models make for themselves. */
#include "metrics/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/list.h"
#include "metrics/text.h"

struct hc_metrics {
    pthread_mutex_t lock;
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
    double value; /* of a histogram: the sum */
    double *bounds;
    uint64_t *counts; /* a bucket's own; the last is without a bound */
    size_t n_bounds;
};

static const char *const kind_names[] = {
    [HC_METRIC_COUNTER] = "TRITONSERVER_METRIC_KIND_COUNTER",
    [HC_METRIC_GAUGE] = "TRITONSERVER_METRIC_KIND_GAUGE",
    [HC_METRIC_HISTOGRAM] = "TRITONSERVER_METRIC_KIND_HISTOGRAM",
};

struct hc_metrics *hc_metrics_create(void) {
    struct hc_metrics *metrics = hc_new(struct hc_metrics);
    pthread_mutex_init(&metrics->lock, NULL);
    hc_list_init(&metrics->families);
    return metrics;
}

void hc_metrics_destroy(struct hc_metrics *metrics) {
    if (metrics != NULL) {
        pthread_mutex_destroy(&metrics->lock);
        free(metrics);
    }
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
        return hc_error_set(error, HC_INVALID_ARGUMENT, "'%.*s' cannot be the name of a metric",
                            HC_TEXT_ARGS(name));
    }
    enum hc_code code = HC_OK;
    pthread_mutex_lock(&metrics->lock);
    struct hc_metric_family *family = find_family(metrics, name);
    if (family != NULL && family->kind != kind) {
        code =
            hc_error_set(error, HC_INVALID_ARGUMENT,
                         "a metric family of another kind has the name '%.*s'", HC_TEXT_ARGS(name));
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

static enum hc_code check_bounds(const struct hc_metric_family *family, const double *bounds,
                                 size_t n_bounds, struct hc_error *error) {
    if ((family->kind == HC_METRIC_HISTOGRAM) != (n_bounds > 0)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            n_bounds > 0 ? "%s has no buckets" : "%s must have buckets",
                            kind_names[family->kind]);
    }
    for (size_t i = 0; i < n_bounds; i++) {
        if (isnan(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1])) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "the buckets of a histogram must be ascending");
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

static struct hc_metric *add_metric(struct hc_metric_family *family, char *labels,
                                    const double *bounds, size_t n_bounds) {
    struct hc_metric *metric = hc_new(struct hc_metric);
    metric->family = family;
    metric->labels = labels;
    metric->n_bounds = n_bounds;
    metric->bounds = hc_alloc_array(n_bounds + 1, sizeof *bounds);
    metric->counts = hc_alloc_array(n_bounds + 1, sizeof *metric->counts);
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
    HC_TRY(check_bounds(family, bounds, n_bounds, error));
    hc_auto(text) text = write_labels(labels, n_labels);
    pthread_mutex_lock(&family->metrics->lock);
    struct hc_metric *metric = find_metric(family, text);
    if (metric == NULL) {
        metric = add_metric(family, hc_take(text), bounds, n_bounds);
    }
    metric->references++;
    pthread_mutex_unlock(&family->metrics->lock);
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
        unref_family(metric->family);
        free(metric->counts);
        free(metric->bounds);
        free(metric->labels);
        free(metric);
    }
    pthread_mutex_unlock(&metrics->lock);
}

/* ---- Values ---- */

static enum hc_code refuse(const struct hc_metric *metric, const char *what,
                           struct hc_error *error) {
    return hc_error_set(error, HC_UNIMPLEMENTED, "%s does not support %s",
                        kind_names[metric->family->kind], what);
}

static void lock(const struct hc_metric *metric) {
    pthread_mutex_lock(&metric->family->metrics->lock);
}

static void unlock(const struct hc_metric *metric) {
    pthread_mutex_unlock(&metric->family->metrics->lock);
}

enum hc_code hc_metric_increment(struct hc_metric *metric, double by, struct hc_error *error) {
    if (metric->family->kind == HC_METRIC_HISTOGRAM) {
        return refuse(metric, "Increment", error);
    }
    if (metric->family->kind == HC_METRIC_COUNTER && !(by >= 0)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "%s can only be incremented monotonically by non-negative values.",
                            kind_names[HC_METRIC_COUNTER]);
    }
    lock(metric);
    metric->value += by;
    unlock(metric);
    return HC_OK;
}

enum hc_code hc_metric_set(struct hc_metric *metric, double value, struct hc_error *error) {
    if (metric->family->kind != HC_METRIC_GAUGE) {
        return refuse(metric, "Set", error);
    }
    lock(metric);
    metric->value = value;
    unlock(metric);
    return HC_OK;
}

enum hc_code hc_metric_observe(struct hc_metric *metric, double value, struct hc_error *error) {
    if (metric->family->kind != HC_METRIC_HISTOGRAM) {
        return refuse(metric, "Observe", error);
    }
    size_t bucket = 0;
    while (bucket < metric->n_bounds && !(value <= metric->bounds[bucket])) {
        bucket++;
    }
    lock(metric);
    metric->counts[bucket]++;
    metric->value += value;
    unlock(metric);
    return HC_OK;
}

enum hc_code hc_metric_value(struct hc_metric *metric, double *value, struct hc_error *error) {
    if (metric->family->kind == HC_METRIC_HISTOGRAM) {
        return refuse(metric, "Value", error);
    }
    lock(metric);
    *value = metric->value;
    unlock(metric);
    return HC_OK;
}

/* ---- Writing ---- */

static void write_metric(const struct hc_metric *metric, struct hc_buf *text) {
    struct hc_text labels = hc_text_of(metric->labels);
    if (metric->family->kind == HC_METRIC_HISTOGRAM) {
        hc_metrics_text_histogram(text, metric->family->name, labels, metric->bounds,
                                  metric->counts, metric->n_bounds, metric->value);
    } else {
        hc_metrics_text_value(text, metric->family->name, labels, metric->value);
    }
}

void hc_metrics_write(struct hc_metrics *metrics, struct hc_buf *text) {
    static const char *const types[] = {
        [HC_METRIC_COUNTER] = "counter",
        [HC_METRIC_GAUGE] = "gauge",
        [HC_METRIC_HISTOGRAM] = "histogram",
    };
    pthread_mutex_lock(&metrics->lock);
    hc_list_each (link, &metrics->families) {
        struct hc_metric_family *family = hc_list_item(link, struct hc_metric_family, link);
        if (!hc_list_empty(&family->items)) {
            hc_metrics_text_head(text, family->name, family->help, types[family->kind]);
        }
        hc_list_each (item, &family->items) {
            write_metric(hc_list_item(item, struct hc_metric, link), text);
        }
    }
    pthread_mutex_unlock(&metrics->lock);
}
