/*
 * Metrics for Prometheus, over HTTP on a port of their own: every family of Triton's, under its
 * name, with its labels, and those that models make for themselves (metrics/metrics.h).
 *
 *     metrics_server.c   the port, and which families there are
 *     metrics_models.c   counters of models, from their statistics (core/stats.h)
 *     metrics_cache.c    the cache of responses
 *     metrics_machine.c  processors and memory, from /proc
 *     metrics_gpus.c     GPUs, by NVIDIA's management library when there is one
 *
 * Everything is read when somebody asks; nothing is done between two scrapes. What changes all the
 * time (utilization) is measured over at least the interval.
 */
#ifndef HC_API_METRICS_H
#define HC_API_METRICS_H

#include "core/server.h"

struct hc_metrics_api;

struct hc_metrics_api_options {
    const char *address;
    uint16_t port;
    bool cpu;
    bool gpu;
    uint64_t interval_ms;
};

/* Serve on the control loop. */
enum hc_code hc_metrics_api_create(struct hc_server *server,
                                   const struct hc_metrics_api_options *options,
                                   struct hc_metrics_api **api, struct hc_error *error);

uint16_t hc_metrics_api_port(const struct hc_metrics_api *api);

/* Close all connections, then call ON_STOPPED on the control loop. */
void hc_metrics_api_stop(struct hc_metrics_api *api, void (*on_stopped)(void *data), void *data);

void hc_metrics_api_destroy(struct hc_metrics_api *api);

#endif
