/*
 * Statistics of a loaded version of a model: how many requests, how they ended, how long they took,
 * with the counters and the meaning of Triton's statistics extension.
 *
 * Counting happens on the loops, each in its own part of the model's statistics, so that no two of
 * them write the same memory; a lock that only readers contend for makes each part's numbers fit
 * together. A reader adds the parts up.
 *
 * Who counts: hc_request_answer() (core/request.h) counts requests and responses, whoever the
 * backend is; dispatch counts executions, the response cache hits and misses. Times are those of
 * hc_clock_ns().
 */
#ifndef HC_CORE_STATS_H
#define HC_CORE_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "model/config.h"

struct hc_catalog;
struct hc_model;
struct hc_quantiles;
struct hc_request;
struct hc_response;

/* Why a request failed, as metrics tell them apart; held by the request. */
enum hc_failure {
    HC_FAILURE_BACKEND,  /* the model, or the instance that ran it */
    HC_FAILURE_REJECTED, /* by a queue policy */
    HC_FAILURE_CANCELED,
    HC_FAILURE_OTHER,
    HC_N_FAILURES,
};

/* When the parts of an execution happened. All 0: there was none. */
struct hc_stats_times {
    uint64_t compute_start_ns;        /* an instance took it up */
    uint64_t compute_input_end_ns;    /* the inputs are ready, the model's code begins */
    uint64_t compute_output_start_ns; /* the model's code has ended */
    uint64_t compute_end_ns;          /* the outputs are there */
};

/* A model's statistics: one part for each of the server's loops. Quantiles cost some memory. */
struct hc_model_stats;
struct hc_model_stats *hc_model_stats_create(size_t n_loops, bool with_quantiles);
void hc_model_stats_destroy(struct hc_model_stats *stats);

/* ---- Counting ---- */

/*
 * On the request's loop, just before its RESPONSE (NULL: none) is delivered; hc_request_answer()
 * does it. Sees from the request how it went: its times, failure, cached and batch_size.
 */
void hc_stats_count_response(struct hc_request *request, const struct hc_response *response,
                             bool final);

/* On any loop: an execution of requests whose batch sizes add up to BATCH_SIZE has ended. */
void hc_stats_count_execution(struct hc_model *model, uint64_t batch_size,
                              const struct hc_stats_times *times);

/* On the request's loop: it was, or was not, in the response cache; the time that it took to look
 * for the response and, for a miss, to insert it. */
void hc_stats_count_cache_hit(struct hc_request *request, uint64_t lookup_ns);
void hc_stats_count_cache_miss(struct hc_request *request, uint64_t lookup_and_insert_ns);

/* ---- Reading; any thread ---- */

struct hc_stats_duration {
    uint64_t count;
    uint64_t ns;
};

/* Executions with one batch size. */
struct hc_stats_batch {
    uint64_t batch_size;
    struct hc_stats_duration compute_input;
    struct hc_stats_duration compute_infer;
    struct hc_stats_duration compute_output;
};

/* Responses of a decoupled model with the same index in their requests. */
struct hc_stats_response {
    struct hc_stats_duration compute_infer;
    struct hc_stats_duration compute_output;
    struct hc_stats_duration success;
    struct hc_stats_duration fail;
    struct hc_stats_duration empty_response;
    struct hc_stats_duration cancel;
};

/* Of which durations quantiles are kept, when they are wanted; in microseconds. */
enum hc_summary {
    HC_SUMMARY_REQUEST,
    HC_SUMMARY_QUEUE,
    HC_SUMMARY_COMPUTE_INPUT,
    HC_SUMMARY_COMPUTE_INFER,
    HC_SUMMARY_COMPUTE_OUTPUT,
    HC_SUMMARY_CACHE_HIT,
    HC_SUMMARY_CACHE_MISS,
    HC_N_SUMMARIES,
};

/* How long the first responses of decoupled models took: upper bounds, above which is one more. */
extern const char hc_first_response_family[];
struct hc_first_response_bounds {
    size_t n;
    const double *ms;
};

/* The bounds that CONFIG says, or else those of Triton; they stay as long as CONFIG does. */
struct hc_first_response_bounds hc_first_response_bounds(const Inference__ModelConfig *config);

struct hc_stats {
    uint64_t last_inference_ms; /* since 1970; 0: never */
    uint64_t inference_count;
    uint64_t execution_count;
    struct hc_stats_duration success;
    struct hc_stats_duration fail;
    struct hc_stats_duration queue;
    struct hc_stats_duration compute_input;
    struct hc_stats_duration compute_infer;
    struct hc_stats_duration compute_output;
    struct hc_stats_duration cache_hit;
    struct hc_stats_duration cache_miss;
    uint64_t failures[HC_N_FAILURES];
    struct hc_quantiles *quantiles[HC_N_SUMMARIES]; /* NULL: nothing was counted */
    uint64_t first_responses[HC_CONFIG_MAX_BUCKETS + 1];
    uint64_t first_responses_ms;    /* the sum */
    struct hc_stats_batch *batches; /* ascending by size */
    size_t n_batches;
    struct hc_stats_response *responses; /* by index; none for models that are not decoupled */
    size_t n_responses;
};

void hc_stats_read(struct hc_model *model, struct hc_stats *total);
void hc_stats_finish(struct hc_stats *stats);

/*
 * The ready models that a request for statistics means, borrowed from CATALOG, ascending by name
 * and version: all when NAME is empty; one with all its versions when VERSION is -1.
 * HC_INVALID_ARGUMENT in Triton's words when there is none. The list is to be freed.
 */
enum hc_code hc_stats_select(const struct hc_catalog *catalog, struct hc_text name, int64_t version,
                             struct hc_model ***models, size_t *n_models, struct hc_error *error);

#endif
