/* Who waits for whom. */
#include "core/chain.h"

#include "dispatch_internal.h"

static void add(struct hc_request *request, struct hc_waiter waiter) {
    for (size_t i = 0; i < request->n_waiters; i++) {
        if (request->waiters[i].instance == waiter.instance &&
            request->waiters[i].execution_id == waiter.execution_id) {
            return;
        }
    }
    request->waiters[request->n_waiters++] = waiter;
}

/* With the lock of the execution's model. */
static void join(struct hc_request *request, const struct hc_instance *instance,
                 const struct hc_execution *execution) {
    size_t n = 1;
    hc_list_each (link, &execution->requests) {
        n += hc_request_of_job(link)->n_waiters;
    }
    request->waiters = hc_pool_alloc(&request->pool, n * sizeof *request->waiters);
    add(request, (struct hc_waiter){instance, execution->id});
    hc_list_each (link, &execution->requests) {
        const struct hc_request *other = hc_request_of_job(link);
        for (size_t i = 0; i < other->n_waiters; i++) {
            add(request, other->waiters[i]);
        }
    }
}

void hc_chain_join(struct hc_request *request, const struct hc_instance *instance,
                   uint64_t execution_id) {
    pthread_mutex_lock(&instance->model->lock);
    unsigned place = executions_find(instance, execution_id);
    if (place < instance->n_executions) {
        join(request, instance, &instance->executions[place]);
    }
    pthread_mutex_unlock(&instance->model->lock);
}

/* How many of the instance's executions wait. */
static unsigned count_waiters(const struct hc_request *request,
                              const struct hc_instance *instance) {
    unsigned n = 0;
    for (size_t i = 0; i < request->n_waiters; i++) {
        n += request->waiters[i].instance == instance ? 1 : 0;
    }
    return n;
}

static bool may_be_taken(const struct hc_request *request) {
    const struct hc_model *model = request->model;
    for (size_t i = 0; i < model->n_instances; i++) {
        const struct hc_instance *instance = model->instances[i];
        if (!instance->passive && !instance->closed &&
            count_waiters(request, instance) < hc_model_concurrency(model)) {
            return true;
        }
    }
    return model->n_instances == 0; /* its backend takes whatever comes */
}

enum hc_code hc_chain_check(const struct hc_request *request, struct hc_error *error) {
    struct hc_model *model = request->model;
    if (request->n_waiters == 0) {
        return HC_OK;
    }
    pthread_mutex_lock(&model->lock);
    bool fine = may_be_taken(request);
    pthread_mutex_unlock(&model->lock);
    if (fine) {
        return HC_OK;
    }
    return hc_error_set(error, HC_UNAVAILABLE,
                        "every instance of model '%s' waits for the answer to this call, so that "
                        "it would never come. Give the model more instances.",
                        model->name);
}
