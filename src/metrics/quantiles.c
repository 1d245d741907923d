/* Quantiles from counts: a bucket for each value below 64, 64 for each doubling above. */
#include "metrics/quantiles.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

enum {
    FINE_BITS = 6,
    N_FINE = 1 << FINE_BITS,
    MAX_BITS = 40, /* larger values count as the largest: twelve days of microseconds */
    N_BUCKETS = (MAX_BITS - FINE_BITS + 1) * N_FINE,
    N_AGES = 5,
};

static const uint64_t age_ns = 12 * HC_NS_PER_S;

struct age {
    uint64_t number;  /* of the age since the clock's start, from 1 */
    uint32_t *counts; /* NULL: none yet */
};

struct hc_quantiles {
    struct age ages[N_AGES];
};

struct hc_quantiles *hc_quantiles_create(void) {
    return hc_new(struct hc_quantiles);
}

void hc_quantiles_destroy(struct hc_quantiles *quantiles) {
    for (size_t i = 0; quantiles != NULL && i < N_AGES; i++) {
        free(quantiles->ages[i].counts);
    }
    free(quantiles);
}

static size_t bucket_of(uint64_t value) {
    if (value < N_FINE) {
        return (size_t)value;
    }
    unsigned bits = 63 - (unsigned)__builtin_clzll(value);
    if (bits >= MAX_BITS) {
        return N_BUCKETS - 1;
    }
    unsigned shift = bits - FINE_BITS;
    return (size_t)(shift + 1) * N_FINE + ((value >> shift) - N_FINE);
}

/* The middle of what a bucket counts. */
static double value_of(size_t bucket) {
    if (bucket < 2 * N_FINE) {
        return (double)bucket;
    }
    unsigned shift = (unsigned)(bucket / N_FINE) - 1;
    uint64_t lowest = (uint64_t)(N_FINE + bucket % N_FINE) << shift;
    uint64_t half = (UINT64_C(1) << shift) / 2;
    return (double)(lowest + half);
}

static uint64_t number_of(uint64_t now_ns) {
    return now_ns / age_ns + 1;
}

/* The counts of the age of that number, emptied of what was counted a minute before. */
static uint32_t *counts_of(struct hc_quantiles *quantiles, uint64_t number) {
    struct age *age = &quantiles->ages[number % N_AGES];
    if (age->counts == NULL) {
        age->counts = hc_alloc_array(N_BUCKETS, sizeof *age->counts);
    } else if (age->number != number) {
        memset(age->counts, 0, N_BUCKETS * sizeof *age->counts);
    }
    age->number = number;
    return age->counts;
}

static bool is_current(const struct age *age, uint64_t now_ns) {
    return age->counts != NULL && age->number + N_AGES > number_of(now_ns);
}

void hc_quantiles_add(struct hc_quantiles *quantiles, uint64_t value, uint64_t now_ns) {
    counts_of(quantiles, number_of(now_ns))[bucket_of(value)]++;
}

void hc_quantiles_merge(struct hc_quantiles *quantiles, const struct hc_quantiles *other,
                        uint64_t now_ns) {
    for (size_t i = 0; i < N_AGES; i++) {
        const struct age *age = &other->ages[i];
        if (!is_current(age, now_ns)) {
            continue;
        }
        uint32_t *counts = counts_of(quantiles, age->number);
        for (size_t j = 0; j < N_BUCKETS; j++) {
            counts[j] += age->counts[j];
        }
    }
}

static uint64_t count_bucket(const struct hc_quantiles *quantiles, size_t bucket, uint64_t now_ns) {
    uint64_t n = 0;
    for (size_t i = 0; i < N_AGES; i++) {
        n += is_current(&quantiles->ages[i], now_ns) ? quantiles->ages[i].counts[bucket] : 0;
    }
    return n;
}

double hc_quantiles_read(const struct hc_quantiles *quantiles, double rank, uint64_t now_ns) {
    uint64_t total = 0;
    for (size_t i = 0; i < N_BUCKETS; i++) {
        total += count_bucket(quantiles, i, now_ns);
    }
    double wanted = fmax(1, ceil(rank * (double)total));
    uint64_t seen = 0;
    for (size_t i = 0; i < N_BUCKETS; i++) {
        seen += count_bucket(quantiles, i, now_ns);
        if (seen > 0 && (double)seen >= wanted) {
            return value_of(i);
        }
    }
    return NAN;
}
