/*
 * Metrics that models make for themselves: families of counters, gauges and histograms, each with
 * any number of metrics that differ by their labels.
 *
 * Any thread may call; one lock guards a registry and all that is in it but the values: these lie
 * in a memory file that pyhosts map too (channel/metric_cell.h), so that changing one needs nobody
 * else. Families and metrics are shared: whoever opens a family that is there, or a metric with the
 * labels of one that is there, gets that one, and it goes when the last of those who opened it has
 * closed it. What is kept for a client that may end at any time (a pyhost) is closed by whoever
 * keeps it.
 *
 * Codes and messages are those of Triton's custom metrics.
 */
#ifndef HC_METRICS_METRICS_H
#define HC_METRICS_METRICS_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "channel/memfile.h"
#include "channel/metric_cell.h"

enum hc_metric_kind { HC_METRIC_COUNTER, HC_METRIC_GAUGE, HC_METRIC_HISTOGRAM };

struct hc_metric_label {
    struct hc_text name;
    struct hc_text value;
};

struct hc_metrics;
struct hc_metric_family;
struct hc_metric;

enum hc_code hc_metrics_create(struct hc_metrics **metrics, struct hc_error *error);

/* Nothing may be open any more; NULL is fine. */
void hc_metrics_destroy(struct hc_metrics *metrics);

/* Where the values lie; for those who map it. */
const struct hc_memfile *hc_metrics_file(const struct hc_metrics *metrics);

/* HC_INVALID_ARGUMENT for a name that none can be, and for one that is taken by another kind. */
enum hc_code hc_metric_family_open(struct hc_metrics *metrics, enum hc_metric_kind kind,
                                   struct hc_text name, struct hc_text help,
                                   struct hc_metric_family **family, struct hc_error *error);

/* NULL is fine. Its metrics must be closed by those who opened them, before or after. */
void hc_metric_family_close(struct hc_metric_family *family);

/*
 * BOUNDS are the upper ones of a histogram's buckets, ascending; other kinds have none. One that is
 * there keeps its own. HC_RESOURCE_EXHAUSTED: no room for more values.
 */
enum hc_code hc_metric_open(struct hc_metric_family *family, const struct hc_metric_label *labels,
                            size_t n_labels, const double *bounds, size_t n_bounds,
                            struct hc_metric **metric, struct hc_error *error);

/* NULL is fine. */
void hc_metric_close(struct hc_metric *metric);

/* Where its value lies in the file, and what its bounds are: for as long as it is open. */
uint64_t hc_metric_offset(const struct hc_metric *metric);
struct hc_metric_cell *hc_metric_cell(const struct hc_metric *metric);
const double *hc_metric_bounds(const struct hc_metric *metric, size_t *n_bounds);

/* Add all families that have metrics to TEXT, to those of their names that are there
 * (metrics/text.h). */
void hc_metrics_write(struct hc_metrics *metrics, struct hc_buf *text);

#endif
