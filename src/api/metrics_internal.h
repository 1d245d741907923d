/*
 * What the files of the metrics' front end know of each other.
 */
#ifndef HC_API_METRICS_INTERNAL_H
#define HC_API_METRICS_INTERNAL_H

#include "base/buf.h"
#include "core/server.h"

/* ---- metrics_models.c ---- */

void metrics_write_models(const struct hc_server *server, const struct hc_catalog *catalog,
                          struct hc_buf *text);

/* ---- metrics_cache.c ---- */

/* There is a cache. */
void metrics_write_cache(const struct hc_server *server, const struct hc_catalog *catalog,
                         struct hc_buf *text);

/* ---- metrics_machine.c ---- */

struct metrics_machine {
    uint64_t interval_ns;
    uint64_t measured_ns; /* when; 0: never */
    uint64_t busy_ticks;
    uint64_t total_ticks;
    double utilization;
};

void metrics_write_machine(struct metrics_machine *machine, struct hc_buf *text);

/* ---- metrics_gpus.c ---- */

struct metrics_gpus;

/* NULL where there are none, or no library that tells of them. */
struct metrics_gpus *metrics_gpus_create(void);
void metrics_gpus_destroy(struct metrics_gpus *gpus);
void metrics_write_gpus(struct metrics_gpus *gpus, struct hc_buf *text);

#endif
