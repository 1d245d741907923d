/*
 * Quantiles of durations over the last minute: of 100 of them, which one is longer than 99?
 *
 * Durations are counted by their size, exactly below 64 and to 1.6 % above, apart for each fifth of
 * the minute, so that old ones leave as new ones come. A few thousand bytes for each fifth with
 * any. Not thread-safe; several can be added up.
 */
#ifndef HC_METRICS_QUANTILES_H
#define HC_METRICS_QUANTILES_H

#include <stdint.h>

struct hc_quantiles;

struct hc_quantiles *hc_quantiles_create(void);
void hc_quantiles_destroy(struct hc_quantiles *quantiles); /* NULL is fine */

/* NOW_NS is hc_clock_ns()'s. */
void hc_quantiles_add(struct hc_quantiles *quantiles, uint64_t value, uint64_t now_ns);

/* Add all of another one's to these. */
void hc_quantiles_merge(struct hc_quantiles *quantiles, const struct hc_quantiles *other,
                        uint64_t now_ns);

/* The value at RANK, from 0 to 1, of those in the minute before NOW_NS; NaN when there are none. */
double hc_quantiles_read(const struct hc_quantiles *quantiles, double rank, uint64_t now_ns);

#endif
