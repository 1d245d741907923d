/* What models ask the server about other models: load, unload, is it ready. */
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "core/control.h"
#include "core/server.h"
#include "internal.h"
#include "wire/repository_json.h"

HC_CLEANUP(json, cJSON *, cJSON_Delete);
HC_CLEANUP(json_text, char *, cJSON_free);

struct question {
    struct pyhost *host; /* referenced */
    struct hc_pool pool; /* of all that the question is made of */
    struct hc_control_load load;
};

void questions_answer(struct pyhost *host, const cJSON *body) {
    hc_auto(json_text) text = cJSON_PrintUnformatted(body);
    if (host->state != PYHOST_DEAD) {
        hc_control_send(host->process.control, HC_CONTROL_ANSWER, hc_text_of(text), NULL, 0, NULL);
    }
}

/* ERROR is NULL when all went well. */
static void send_answer(struct pyhost *host, const char *error, bool ready) {
    hc_auto(json) body = cJSON_CreateObject();
    if (error == NULL) {
        cJSON_AddNullToObject(body, "error");
    } else {
        cJSON_AddStringToObject(body, "error", error);
    }
    cJSON_AddBoolToObject(body, "ready", ready);
    questions_answer(host, body);
}

static void end_question(struct question *question) {
    pyhost_unref(question->host);
    hc_pool_finish(&question->pool);
    free(question);
}

static void on_done(void *user, enum hc_code code, struct hc_text message) {
    struct question *question = user;
    hc_auto(text) error = code == HC_OK ? NULL : hc_strndup(message.data, message.size);
    send_answer(question->host, error, false);
    end_question(question);
}

static struct question *create_question(struct pyhost *host, const char *model) {
    struct question *question = hc_new(struct question);
    pyhost_ref(host);
    question->host = host;
    struct hc_text name = hc_text_of(model);
    question->load.model = (struct hc_text){hc_pool_copy(&question->pool, name), name.size};
    return question;
}

/* What is to be loaded, from BODY. */
static enum hc_code read_load(struct question *question, struct hc_text body,
                              struct hc_error *error) {
    struct hc_load_json read = {0};
    body.data = hc_pool_copy(&question->pool, body); /* the next frame takes its place */
    HC_TRY(hc_load_json_read(body, &question->pool, &read, error));
    struct hc_control_file *files = hc_pool_alloc(&question->pool, read.n_files * sizeof *files);
    for (size_t i = 0; i < read.n_files; i++) {
        files[i] = (struct hc_control_file){read.files[i].path, read.files[i].content};
    }
    question->load.config = read.config;
    question->load.files = files;
    question->load.n_files = read.n_files;
    return HC_OK;
}

static void load(struct pyhost *host, const char *model, struct hc_text body) {
    struct question *question = create_question(host, model);
    struct hc_error error;
    if (read_load(question, body, &error) != HC_OK) {
        on_done(question, error.code, hc_text_of(error.message));
        return;
    }
    hc_control_load(host->owner->model->server, &question->load, on_done, question);
}

static void unload(struct pyhost *host, const char *model, struct hc_text body) {
    struct question *question = create_question(host, model);
    struct hc_error error;
    bool dependents = false;
    if (hc_unload_json_read(body, &dependents, &error) != HC_OK) {
        on_done(question, error.code, hc_text_of(error.message));
        return;
    }
    hc_control_unload(host->owner->model->server, question->load.model, dependents, on_done,
                      question);
}

static void say_whether_ready(struct pyhost *host, const char *name, const cJSON *version) {
    struct hc_context *context = hc_server_context(host->owner->model->server);
    double number = cJSON_GetNumberValue(version);
    struct hc_model *model;
    bool valid = number >= -1 && number <= 1e15; /* exact in a double, and more than enough */
    send_answer(host, NULL,
                valid && hc_catalog_model(hc_server_catalog(context->server), hc_text_of(name),
                                          (int64_t)number, &model, NULL) == HC_OK);
}

bool questions_begin(struct pyhost *host, const struct hc_control_frame *frame) {
    hc_auto(json) json = cJSON_ParseWithLength(frame->body.data, frame->body.size);
    const char *model = cJSON_GetStringValue(cJSON_GetObjectItem(json, "model"));
    if (model == NULL) {
        return false;
    }
    switch (frame->kind) {
    case HC_CONTROL_LOAD:
        load(host, model, frame->body);
        return true;
    case HC_CONTROL_UNLOAD:
        unload(host, model, frame->body);
        return true;
    case HC_CONTROL_IS_READY:
        say_whether_ready(host, model, cJSON_GetObjectItem(json, "version"));
        return true;
    default:
        return false;
    }
}
