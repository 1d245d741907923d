/* Managing models: the repository's index, loading and unloading. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "core/control.h"
#include "grpc_service.pb-c.h"
#include "unary.h"

static const char file_prefix[] = "file:";

/* What is being done to a model; outlives its call when the client goes. */
struct repository_job {
    struct grpc_job job;
    ProtobufCMessage *request; /* that the rest refers to */
    struct hc_control_load load;
    struct hc_control_file *files;
};

static struct repository_job *create_job(struct grpc_call *call, ProtobufCMessage *request) {
    struct repository_job *job = hc_new(struct repository_job);
    job->request = request;
    grpc_await(call, &job->job);
    return job;
}

static void destroy_job(struct repository_job *job) {
    grpc_job_done(&job->job);
    if (job->request != NULL) {
        protobuf_c_message_free_unpacked(job->request, NULL);
    }
    free(job->files);
    free(job);
}

static enum hc_code refuse_repository(const char *name, struct hc_error *error) {
    return name[0] == '\0' ? HC_OK
                           : hc_error_set(error, HC_UNIMPLEMENTED,
                                          "'repository_name' specification is not supported");
}

static char *text_or_empty(const char *text) {
    return (char *)(text != NULL ? text : "");
}

/* ---- The index ---- */

typedef Inference__RepositoryIndexResponse__ModelIndex model_index;

static void describe_model(const struct hc_control_model *model, model_index *index) {
    *index = (model_index)INFERENCE__REPOSITORY_INDEX_RESPONSE__MODEL_INDEX__INIT;
    index->name = text_or_empty(model->name);
    index->version = text_or_empty(model->version);
    index->state = text_or_empty(model->state);
    index->reason = text_or_empty(model->reason);
}

static void answer_index(struct grpc_call *call, const struct hc_control_model *models,
                         size_t n_models) {
    Inference__RepositoryIndexResponse answer = INFERENCE__REPOSITORY_INDEX_RESPONSE__INIT;
    struct hc_pool *pool = grpc_call_pool(call);
    answer.models = hc_pool_alloc(pool, n_models * sizeof(model_index *));
    answer.n_models = n_models;
    for (size_t i = 0; i < n_models; i++) {
        answer.models[i] = hc_pool_alloc(pool, sizeof(model_index));
        describe_model(&models[i], answer.models[i]);
    }
    grpc_answer(call, &answer.base);
}

static void on_index(void *user, const struct hc_control_model *models, size_t n_models,
                     const struct hc_error *error) {
    struct repository_job *job = user;
    struct grpc_call *call = job->job.call;
    destroy_job(job);
    if (call == NULL) {
        return;
    }
    if (error != NULL) {
        grpc_call_fail(call, error);
    } else {
        answer_index(call, models, n_models);
    }
}

enum hc_code grpc_repository_index(struct grpc_call *call, struct hc_text message,
                                   struct hc_error *error) {
    GRPC_AUTO Inference__RepositoryIndexRequest *request =
        grpc_unpack(&inference__repository_index_request__descriptor, message, error);
    if (request == NULL) {
        return error->code;
    }
    HC_TRY(refuse_repository(request->repository_name, error));
    hc_control_index(call->api->server, request->ready, on_index, create_job(call, NULL));
    return HC_OK;
}

/* ---- Loading ---- */

static void on_done(struct repository_job *job, enum hc_code code, struct hc_text message,
                    const ProtobufCMessage *answer) {
    struct grpc_call *call = job->job.call;
    destroy_job(job);
    if (call == NULL) {
        return;
    }
    if (code == HC_OK) {
        grpc_answer(call, answer);
    } else {
        grpc_call_end(call, code, message);
    }
}

static void on_loaded(void *user, enum hc_code code, struct hc_text message) {
    const Inference__RepositoryModelLoadResponse answer =
        INFERENCE__REPOSITORY_MODEL_LOAD_RESPONSE__INIT;
    on_done(user, code, message, &answer.base);
}

static enum hc_code wrong_type(const char *parameter, const char *expected,
                               struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT,
                        "invalid value type for load parameter '%s', expected %s.", parameter,
                        expected);
}

static enum hc_code take_load_parameter(
    const Inference__RepositoryModelLoadRequest__ParametersEntry *entry, struct repository_job *job,
    struct hc_error *error) {
    const Inference__ModelRepositoryParameter *value = entry->value;
    int kind = value != NULL ? (int)value->parameter_choice_case : 0;
    if (strcmp(entry->key, "config") == 0) {
        if (kind != INFERENCE__MODEL_REPOSITORY_PARAMETER__PARAMETER_CHOICE_STRING_PARAM) {
            return wrong_type(entry->key, "string_param", error);
        }
        job->load.config = hc_text_of(value->string_param);
        return HC_OK;
    }
    if (strncmp(entry->key, file_prefix, strlen(file_prefix)) != 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "unrecognized load parameter '%s'.",
                            entry->key);
    }
    if (kind != INFERENCE__MODEL_REPOSITORY_PARAMETER__PARAMETER_CHOICE_BYTES_PARAM) {
        return wrong_type(entry->key, "bytes_param", error);
    }
    job->files[job->load.n_files++] = (struct hc_control_file){
        .path = hc_text_of(entry->key + strlen(file_prefix)),
        .content = {(const char *)value->bytes_param.data, value->bytes_param.len},
    };
    return HC_OK;
}

enum hc_code grpc_repository_load(struct grpc_call *call, struct hc_text message,
                                  struct hc_error *error) {
    Inference__RepositoryModelLoadRequest *request =
        grpc_unpack(&inference__repository_model_load_request__descriptor, message, error);
    if (request == NULL) {
        return error->code;
    }
    struct repository_job *job = create_job(call, &request->base);
    enum hc_code code = refuse_repository(request->repository_name, error);
    job->files = hc_alloc_array(request->n_parameters + 1, sizeof *job->files);
    job->load.model = hc_text_of(request->model_name);
    job->load.files = job->files;
    for (size_t i = 0; i < request->n_parameters && code == HC_OK; i++) {
        code = take_load_parameter(request->parameters[i], job, error);
    }
    if (code != HC_OK) {
        destroy_job(job);
        return code;
    }
    hc_control_load(call->api->server, &job->load, on_loaded, job);
    return HC_OK;
}

/* ---- Unloading ---- */

static void on_unloaded(void *user, enum hc_code code, struct hc_text message) {
    const Inference__RepositoryModelUnloadResponse answer =
        INFERENCE__REPOSITORY_MODEL_UNLOAD_RESPONSE__INIT;
    on_done(user, code, message, &answer.base);
}

static enum hc_code read_unload(const Inference__RepositoryModelUnloadRequest *request,
                                bool *dependents, struct hc_error *error) {
    HC_TRY(refuse_repository(request->repository_name, error));
    for (size_t i = 0; i < request->n_parameters; i++) {
        const Inference__ModelRepositoryParameter *value = request->parameters[i]->value;
        if (strcmp(request->parameters[i]->key, "unload_dependents") != 0) {
            continue;
        }
        if (value == NULL ||
            value->parameter_choice_case !=
                INFERENCE__MODEL_REPOSITORY_PARAMETER__PARAMETER_CHOICE_BOOL_PARAM) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "invalid value type for 'unload_dependents' parameter, expected "
                                "bool_param.");
        }
        *dependents = value->bool_param;
    }
    return HC_OK;
}

enum hc_code grpc_repository_unload(struct grpc_call *call, struct hc_text message,
                                    struct hc_error *error) {
    Inference__RepositoryModelUnloadRequest *request =
        grpc_unpack(&inference__repository_model_unload_request__descriptor, message, error);
    if (request == NULL) {
        return error->code;
    }
    struct repository_job *job = create_job(call, &request->base);
    bool dependents = false;
    enum hc_code code = read_unload(request, &dependents, error);
    if (code != HC_OK) {
        destroy_job(job);
        return code;
    }
    hc_control_unload(call->api->server, hc_text_of(request->model_name), dependents, on_unloaded,
                      job);
    return HC_OK;
}
