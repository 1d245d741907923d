/* The statistics extension: counters of models. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/server.h"
#include "core/stats.h"
#include "grpc_service.pb-c.h"
#include "unary.h"

enum { NUMBER_ROOM = 24 };

typedef Inference__StatisticDuration duration_message;
typedef Inference__ModelStatistics__ResponseStatsEntry response_entry;

#define NEW(pool, type, initial)                                                                   \
    ({                                                                                             \
        type *created_ = hc_pool_alloc((pool), sizeof(type));                                      \
        *created_ = (type)initial;                                                                 \
        created_;                                                                                  \
    })

static duration_message *describe_duration(const struct hc_stats_duration *duration,
                                           struct hc_pool *pool) {
    duration_message *message = NEW(pool, duration_message, INFERENCE__STATISTIC_DURATION__INIT);
    message->count = duration->count;
    message->ns = duration->ns;
    return message;
}

static char *format_number(uint64_t number, struct hc_pool *pool) {
    char *text = hc_pool_alloc(pool, NUMBER_ROOM);
    snprintf(text, NUMBER_ROOM, "%" PRIu64, number);
    return text;
}

static Inference__InferStatistics *describe_inferences(const struct hc_stats *stats,
                                                       struct hc_pool *pool) {
    Inference__InferStatistics *message =
        NEW(pool, Inference__InferStatistics, INFERENCE__INFER_STATISTICS__INIT);
    message->success = describe_duration(&stats->success, pool);
    message->fail = describe_duration(&stats->fail, pool);
    message->queue = describe_duration(&stats->queue, pool);
    message->compute_input = describe_duration(&stats->compute_input, pool);
    message->compute_infer = describe_duration(&stats->compute_infer, pool);
    message->compute_output = describe_duration(&stats->compute_output, pool);
    message->cache_hit = describe_duration(&stats->cache_hit, pool);
    message->cache_miss = describe_duration(&stats->cache_miss, pool);
    return message;
}

static Inference__InferBatchStatistics *describe_batch(const struct hc_stats_batch *batch,
                                                       struct hc_pool *pool) {
    Inference__InferBatchStatistics *message =
        NEW(pool, Inference__InferBatchStatistics, INFERENCE__INFER_BATCH_STATISTICS__INIT);
    message->batch_size = batch->batch_size;
    message->compute_input = describe_duration(&batch->compute_input, pool);
    message->compute_infer = describe_duration(&batch->compute_infer, pool);
    message->compute_output = describe_duration(&batch->compute_output, pool);
    return message;
}

static Inference__InferResponseStatistics *describe_response(
    const struct hc_stats_response *response, struct hc_pool *pool) {
    Inference__InferResponseStatistics *message =
        NEW(pool, Inference__InferResponseStatistics, INFERENCE__INFER_RESPONSE_STATISTICS__INIT);
    message->compute_infer = describe_duration(&response->compute_infer, pool);
    message->compute_output = describe_duration(&response->compute_output, pool);
    message->success = describe_duration(&response->success, pool);
    message->fail = describe_duration(&response->fail, pool);
    message->empty_response = describe_duration(&response->empty_response, pool);
    message->cancel = describe_duration(&response->cancel, pool);
    return message;
}

static void add_batches(const struct hc_stats *stats, Inference__ModelStatistics *message,
                        struct hc_pool *pool) {
    message->n_batch_stats = stats->n_batches;
    message->batch_stats =
        hc_pool_alloc(pool, stats->n_batches * sizeof(Inference__InferBatchStatistics *));
    for (size_t i = 0; i < stats->n_batches; i++) {
        message->batch_stats[i] = describe_batch(&stats->batches[i], pool);
    }
}

static void add_responses(const struct hc_stats *stats, Inference__ModelStatistics *message,
                          struct hc_pool *pool) {
    message->n_response_stats = stats->n_responses;
    message->response_stats = hc_pool_alloc(pool, stats->n_responses * sizeof(response_entry *));
    for (size_t i = 0; i < stats->n_responses; i++) {
        response_entry *entry =
            NEW(pool, response_entry, INFERENCE__MODEL_STATISTICS__RESPONSE_STATS_ENTRY__INIT);
        entry->key = format_number(i, pool);
        entry->value = describe_response(&stats->responses[i], pool);
        message->response_stats[i] = entry;
    }
}

static Inference__ModelStatistics *describe_model(struct hc_model *model, struct hc_pool *pool) {
    Inference__ModelStatistics *message =
        NEW(pool, Inference__ModelStatistics, INFERENCE__MODEL_STATISTICS__INIT);
    struct hc_stats stats;
    hc_stats_read(model, &stats);
    message->name = model->name;
    message->version = format_number((uint64_t)model->version, pool);
    message->last_inference = stats.last_inference_ms;
    message->inference_count = stats.inference_count;
    message->execution_count = stats.execution_count;
    message->inference_stats = describe_inferences(&stats, pool);
    add_batches(&stats, message, pool);
    add_responses(&stats, message, pool);
    hc_stats_finish(&stats);
    return message;
}

enum hc_code grpc_model_statistics(struct grpc_call *call, struct hc_text message,
                                   struct hc_error *error) {
    GRPC_AUTO Inference__ModelStatisticsRequest *request =
        grpc_unpack(&inference__model_statistics_request__descriptor, message, error);
    if (request == NULL) {
        return error->code;
    }
    int64_t version;
    struct hc_model **models;
    size_t n_models;
    HC_TRY(grpc_read_version(hc_text_of(request->version), &version, error));
    HC_TRY(hc_stats_select(hc_server_catalog(call->context->server), hc_text_of(request->name),
                           version, &models, &n_models, error));
    struct hc_pool *pool = grpc_call_pool(call);
    Inference__ModelStatisticsResponse answer = INFERENCE__MODEL_STATISTICS_RESPONSE__INIT;
    answer.n_model_stats = n_models;
    answer.model_stats = hc_pool_alloc(pool, n_models * sizeof(Inference__ModelStatistics *));
    for (size_t i = 0; i < n_models; i++) {
        answer.model_stats[i] = describe_model(models[i], pool);
    }
    free(models);
    grpc_answer(call, &answer.base);
    return HC_OK;
}
