/* From a model's config to its queue and its batches. */
#include "core/schedule.h"

#include "base/clock.h"
#include "core/request.h"

static struct hc_queue_policy read_policy(const Inference__ModelQueuePolicy *policy) {
    if (policy == NULL) {
        return (struct hc_queue_policy){0};
    }
    uint64_t timeout_ns;
    if (__builtin_mul_overflow(policy->default_timeout_microseconds, HC_NS_PER_US, &timeout_ns)) {
        timeout_ns = UINT64_MAX;
    }
    return (struct hc_queue_policy){
        .max_size = policy->max_queue_size,
        .timeout_ns = timeout_ns,
        .may_shorten = policy->allow_timeout_override,
        .delays = policy->timeout_action == INFERENCE__MODEL_QUEUE_POLICY__TIMEOUT_ACTION__DELAY,
    };
}

static struct hc_queue_settings read_queue(struct hc_pool *memory,
                                           const Inference__ModelDynamicBatching *batching) {
    size_t n = batching->n_priority_queue_policy;
    struct hc_queue_exception *exceptions = hc_pool_alloc(memory, n * sizeof *exceptions);
    for (size_t i = 0; i < n; i++) {
        exceptions[i] = (struct hc_queue_exception){
            .level = batching->priority_queue_policy[i]->key,
            .policy = read_policy(batching->priority_queue_policy[i]->value),
        };
    }
    return (struct hc_queue_settings){
        .n_levels = batching->priority_levels > 0 ? batching->priority_levels : 1,
        .default_level =
            batching->default_priority_level > 0 ? batching->default_priority_level : 1,
        .policy = read_policy(batching->default_queue_policy),
        .exceptions = exceptions,
        .n_exceptions = n,
    };
}

static bool is_plain(const struct hc_queue_settings *queue) {
    const struct hc_queue_policy *policy = &queue->policy;
    return queue->n_levels == 1 && queue->n_exceptions == 0 && policy->max_size == 0 &&
           policy->timeout_ns == 0;
}

static uint64_t delay_ns(uint64_t delay_us) {
    uint64_t delay_ns;
    return __builtin_mul_overflow(delay_us, HC_NS_PER_US, &delay_ns) ? UINT64_MAX : delay_ns;
}

void hc_schedule_configure(struct hc_model *model) {
    const Inference__ModelConfig *config = model->config;
    struct hc_batcher_settings settings = {.queue = {.n_levels = 1, .default_level = 1}};
    if (config->scheduling_choice_case ==
        INFERENCE__MODEL_CONFIG__SCHEDULING_CHOICE_DYNAMIC_BATCHING) {
        const Inference__ModelDynamicBatching *batching = config->dynamic_batching;
        settings = (struct hc_batcher_settings){
            .max_rows = (uint64_t)config->max_batch_size,
            .preferred_rows = batching->preferred_batch_size,
            .n_preferred = batching->n_preferred_batch_size,
            .delay_ns = delay_ns(batching->max_queue_delay_microseconds),
            .queue = read_queue(&model->memory, batching),
        };
    }
    model->depth = is_plain(&settings.queue) ? HC_INSTANCE_DEPTH : 1;
    hc_batcher_finish(&model->batcher);
    hc_batcher_init(&model->batcher, &settings);
}

static const struct hc_input *find_input(const struct hc_request *request, struct hc_text name) {
    for (size_t i = 0; i < request->n_inputs; i++) {
        if (hc_text_equal(request->inputs[i].name, name)) {
            return &request->inputs[i];
        }
    }
    return NULL;
}

static bool varies(const struct hc_model_io *io) {
    bool varies = io->optional;
    for (size_t i = 0; i < io->n_dims && !io->ragged; i++) {
        varies = varies || io->dims[i] < 0;
    }
    return varies;
}

/*
 * Which inputs the request has and of what shapes, as far as requests to the model can differ: for
 * each such input how many extents follow, 0 when it is not there.
 */
static struct hc_text make_signature(struct hc_request *request) {
    const struct hc_model *model = request->model;
    size_t n_max = 0;
    for (size_t i = 0; i < request->n_inputs; i++) {
        n_max += request->inputs[i].n_dims;
    }
    int64_t *words = NULL;
    size_t n = 0;
    for (size_t i = 0; i < model->n_inputs; i++) {
        const struct hc_model_io *io = &model->inputs[i];
        if (!varies(io)) {
            continue;
        }
        if (words == NULL) {
            words = hc_pool_alloc(&request->pool, (n_max + model->n_inputs) * sizeof *words);
        }
        const struct hc_input *input = find_input(request, io->name);
        size_t n_dims = input == NULL || io->ragged ? 0 : input->n_dims - 1;
        words[n++] = input == NULL ? 0 : (int64_t)n_dims + 1;
        for (size_t j = 0; j < n_dims; j++) {
            words[n++] = input->dims[1 + j];
        }
    }
    return (struct hc_text){(const char *)words, n * sizeof *words};
}

void hc_schedule_describe(struct hc_request *request) {
    struct hc_job *job = &request->_job;
    job->rows = request->batch_size > 0 ? request->batch_size : 1;
    job->priority = request->priority;
    job->timeout_ns = delay_ns(request->timeout_us);
    if (request->model->batcher.max_rows > 0) {
        job->signature = make_signature(request);
    }
}
