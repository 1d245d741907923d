/* Warm-up: samples made into requests, one execution after the other on each instance. */
#include "core/warmup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "core/dispatch.h"
#include "core/request.h"
#include "core/sequence.h"
#include "core/server.h"
#include "tensor/shape.h"

/* An instance on its way through the samples. */
struct warmup_instance {
    struct warmup *warmup;
    struct hc_instance *instance;
    size_t sample;
    uint32_t n_rounds; /* of that sample, so far */
    size_t n_unanswered;
};

struct warmup {
    hc_warmup_on_done *on_done;
    void *user;
    size_t n_running; /* instances */
    struct hc_error error;
    struct warmup_instance instances[];
};

static const Inference__ModelWarmup *sample_of(const struct warmup_instance *own) {
    const Inference__ModelConfig *config = own->instance->model->config;
    return own->sample < config->n_model_warmup ? config->model_warmup[own->sample] : NULL;
}

/* The first failure is kept. */
static void fail(struct warmup_instance *own, struct hc_text message) {
    struct hc_error *error = &own->warmup->error;
    if (error->code == HC_OK) {
        hc_error_set(error, HC_INVALID_ARGUMENT, "failed to run warmup sample '%s': %.*s; ",
                     sample_of(own)->name, HC_TEXT_ARGS(message));
    }
}

/* ---- Requests ---- */

/* SIZE bytes, random or zero; strings are empty ones. */
static enum hc_code make_data(const Inference__ModelWarmup__Input *from, size_t size,
                              struct hc_buf *data, struct hc_error *error) {
    char *place = hc_buf_reserve_try(data, size);
    if (place == NULL) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for %zu bytes", size);
    }
    memset(place, 0, size);
    hc_buf_commit(data, size);
    bool random =
        from->input_data_type_case == INFERENCE__MODEL_WARMUP__INPUT__INPUT_DATA_TYPE_RANDOM_DATA &&
        from->data_type != INFERENCE__DATA_TYPE__TYPE_STRING;
    for (size_t done = 0; random && done < size;) {
        ssize_t n = getrandom(place + done, size - done, 0);
        done += n > 0 ? (size_t)n : 0;
    }
    return HC_OK;
}

static enum hc_code read_data(const struct hc_model *model,
                              const Inference__ModelWarmup__Input *from, size_t size,
                              struct hc_buf *data, struct hc_error *error) {
    if (from->input_data_type_case !=
        INFERENCE__MODEL_WARMUP__INPUT__INPUT_DATA_TYPE_INPUT_DATA_FILE) {
        return make_data(from, size, data, error);
    }
    HC_TRY(hc_config_read_data(model->folder, "warmup", from->input_data_file, data, error));
    if (from->data_type != INFERENCE__DATA_TYPE__TYPE_STRING && data->size > size) {
        data->size = size;
    }
    return HC_OK;
}

static enum hc_code add_input(struct hc_request *request,
                              const Inference__ModelWarmup__InputsEntry *entry,
                              struct hc_error *error) {
    const struct hc_model *model = request->model;
    const Inference__ModelWarmup__Input *from = entry->value;
    size_t n_outer = model->max_batch_size > 0 ? 1 : 0;
    int64_t *dims = hc_pool_alloc(&request->pool, (from->n_dims + n_outer) * sizeof *dims);
    for (size_t i = 0; i < n_outer; i++) {
        dims[i] = 1;
    }
    for (size_t i = 0; i < from->n_dims; i++) {
        dims[n_outer + i] = from->dims[i];
    }
    struct hc_input *input = &request->inputs[request->n_inputs++];
    *input = (struct hc_input){
        .name = hc_text_of(entry->key),
        .dtype = (enum hc_dtype)from->data_type,
        .dims = dims,
        .n_dims = from->n_dims + n_outer,
    };
    int64_t count;
    size_t element_size =
        input->dtype == HC_DTYPE_BYTES ? sizeof(uint32_t) : hc_dtype_size(input->dtype);
    size_t size;
    if (!hc_shape_count(from->dims, from->n_dims, &count) ||
        !hc_size_mul((size_t)count, element_size, &size)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "input '%s' is too large", entry->key);
    }
    hc_auto_buf data = {0};
    HC_TRY(read_data(model, from, size, &data, error));
    if (data.size == 0) {
        return HC_OK;
    }
    char *memory;
    HC_TRY(hc_request_alloc(request, data.size, &input->block, &memory, error));
    memcpy(memory, data.data, data.size);
    input->size = data.size;
    return HC_OK;
}

static enum hc_code fill_in(struct hc_request *request, const Inference__ModelWarmup *sample,
                            struct hc_error *error) {
    const struct hc_model *model = request->model;
    request->inputs = hc_pool_alloc(&request->pool, sample->n_inputs * sizeof *request->inputs);
    for (size_t i = 0; i < sample->n_inputs; i++) {
        HC_TRY(add_input(request, sample->inputs[i], error));
    }
    if (model->has_sequences) {
        request->flags = HC_SEQUENCE_START | HC_SEQUENCE_END;
        request->correlation.number = 1;
        HC_TRY(hc_sequence_prepare(request, error));
    }
    return model->backend->prepare(request, error);
}

static void on_response(struct hc_request *request, struct hc_response *response, bool final);

static struct hc_request *make_request(struct warmup_instance *own, struct hc_error *error) {
    struct hc_model *model = own->instance->model;
    struct hc_request *request = hc_request_create(hc_server_context(model->server));
    request->model = model;
    hc_model_ref(model);
    request->on_response = on_response;
    request->user = own;
    request->received_ns = request->start_ns = request->queued_ns = hc_clock_ns();
    request->batch_size = 1;
    if (fill_in(request, sample_of(own), error) != HC_OK) {
        hc_request_release(request);
        return NULL;
    }
    return request;
}

/* ---- Executions ---- */

static void discard(struct hc_list *batch) {
    struct hc_list *link;
    while ((link = hc_list_pop(batch)) != NULL) {
        struct hc_request *request = hc_request_of_job(link);
        request->model->backend->discard(request);
        hc_request_release(request);
    }
}

/* Run the sample once more; false, with the failure kept, when it could not be begun. */
static bool run_round(struct warmup_instance *own) {
    struct hc_list batch;
    struct hc_error error;
    hc_list_init(&batch);
    own->n_unanswered = 0;
    for (uint32_t i = 0; i < sample_of(own)->batch_size; i++) {
        struct hc_request *request = make_request(own, &error);
        if (request == NULL) {
            fail(own, hc_text_of(error.message));
            discard(&batch);
            return false;
        }
        hc_list_append(&batch, &request->_job.link);
        own->n_unanswered++;
    }
    if (!hc_dispatch_run(own->instance, &batch)) {
        fail(own, HC_TEXT("the instance has died"));
        discard(&batch);
        return false;
    }
    return true;
}

static void finish_instance(struct warmup_instance *own) {
    struct warmup *warmup = own->warmup;
    if (--warmup->n_running > 0) {
        return;
    }
    warmup->on_done(warmup->user, warmup->error.code != HC_OK ? &warmup->error : NULL);
    free(warmup);
}

/* Go on to the next round, the next sample, or the end. */
static void go_on(struct warmup_instance *own) {
    const Inference__ModelWarmup *sample;
    while (own->warmup->error.code == HC_OK && (sample = sample_of(own)) != NULL) {
        uint32_t n_rounds = sample->count > 0 ? sample->count : 1;
        if (sample->batch_size > 0 && own->n_rounds < n_rounds) {
            own->n_rounds++;
            if (run_round(own)) {
                return;
            }
            break;
        }
        own->sample++;
        own->n_rounds = 0;
    }
    finish_instance(own);
}

static void on_response(struct hc_request *request, struct hc_response *response, bool final) {
    struct warmup_instance *own = request->user;
    if (response != NULL && response->code != HC_OK) {
        fail(own, response->message);
    }
    hc_response_release(response);
    if (!final) {
        return;
    }
    hc_request_release(request);
    if (--own->n_unanswered == 0) {
        go_on(own);
    }
}

void hc_warmup_run(struct hc_instance *const *instances, size_t n, hc_warmup_on_done *on_done,
                   void *user) {
    struct warmup *warmup = hc_alloc(sizeof *warmup + n * sizeof warmup->instances[0]);
    warmup->on_done = on_done;
    warmup->user = user;
    warmup->n_running = n + 1;
    for (size_t i = 0; i < n; i++) {
        warmup->instances[i] = (struct warmup_instance){.warmup = warmup, .instance = instances[i]};
    }
    for (size_t i = 0; i < n; i++) {
        go_on(&warmup->instances[i]);
    }
    finish_instance(&(struct warmup_instance){.warmup = warmup});
}
