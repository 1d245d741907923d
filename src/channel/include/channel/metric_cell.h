/*
 * The value of a metric that models make for themselves, in memory that the server shares with all
 * pyhosts (metrics/metrics.h): whoever holds the metric changes it there without asking anybody,
 * and the server reads it when metrics are scraped.
 *
 * Any thread of any process may call, children that a model has forked included. A histogram's
 * buckets and sum are each exact; a reader may see one of them a moment before the other.
 */
#ifndef HC_CHANNEL_METRIC_CELL_H
#define HC_CHANNEL_METRIC_CELL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hc_metric_cell {
    _Atomic uint64_t value;    /* the bits of a double; of a histogram: the sum */
    _Atomic uint64_t counts[]; /* of a histogram: each bucket's own; the last is without a bound */
};

/* What a cell takes with N_BOUNDS bounds; the number is known to be sane. */
static inline size_t hc_metric_cell_size(size_t n_bounds) {
    return sizeof(struct hc_metric_cell) + (n_bounds + 1) * sizeof(uint64_t);
}

static inline uint64_t hc_metric_cell_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double hc_metric_cell_double(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline double hc_metric_cell_value(const struct hc_metric_cell *cell) {
    return hc_metric_cell_double(atomic_load_explicit(&cell->value, memory_order_relaxed));
}

static inline void hc_metric_cell_set(struct hc_metric_cell *cell, double value) {
    atomic_store_explicit(&cell->value, hc_metric_cell_bits(value), memory_order_relaxed);
}

static inline void hc_metric_cell_add(struct hc_metric_cell *cell, double by) {
    uint64_t before = atomic_load_explicit(&cell->value, memory_order_relaxed);
    uint64_t after;
    do {
        after = hc_metric_cell_bits(hc_metric_cell_double(before) + by);
    } while (!atomic_compare_exchange_weak_explicit(&cell->value, &before, after,
                                                    memory_order_relaxed, memory_order_relaxed));
}

/* BOUNDS are the upper ones of the histogram's buckets, ascending. */
static inline void hc_metric_cell_observe(struct hc_metric_cell *cell, const double *bounds,
                                          size_t n_bounds, double value) {
    size_t bucket = 0;
    while (bucket < n_bounds && !(value <= bounds[bucket])) {
        bucket++;
    }
    atomic_fetch_add_explicit(&cell->counts[bucket], 1, memory_order_relaxed);
    hc_metric_cell_add(cell, value);
}

#endif
