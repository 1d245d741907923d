/*
 * Metrics as text, in the format that Prometheus scrapes
 * (https://prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4).
 *
 * A family is its head, then its samples. Labels are written beforehand, as `model="m",version="1"`
 * without braces, so that the many samples of a model need it once.
 */
#ifndef HC_METRICS_TEXT_H
#define HC_METRICS_TEXT_H

#include "base/buf.h"

/* TYPE is "counter", "gauge", "histogram" or "summary". */
void hc_metrics_text_head(struct hc_buf *text, const char *name, const char *help,
                          const char *type);

/*
 * Add SAMPLES to the family NAME in TEXT, behind its own, or a family with them to the end. They
 * are left out when the family that is there has another type: no reader could tell them apart.
 */
void hc_metrics_text_join(struct hc_buf *text, const char *name, const char *help, const char *type,
                          struct hc_text samples);

/* `,name="value"`, without the comma when LABELS is empty; the value is escaped, and the bytes of
 * the name that no label may have become underscores. */
void hc_metrics_text_label(struct hc_buf *labels, struct hc_text name, struct hc_text value);

/* `NAME{LABELS} value` and the end of the line; no braces without labels. */
void hc_metrics_text_count(struct hc_buf *text, const char *name, struct hc_text labels,
                           uint64_t value);
void hc_metrics_text_value(struct hc_buf *text, const char *name, struct hc_text labels,
                           double value);

/*
 * A histogram: N buckets with their upper BOUNDS, ascending, and one more without; each of COUNTS
 * is of that bucket alone.
 */
void hc_metrics_text_histogram(struct hc_buf *text, const char *name, struct hc_text labels,
                               const double *bounds, const uint64_t *counts, size_t n, double sum);

#endif
