/* Templates: a model imported and preloaded once, from which its instances are forked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "internal.h"

HC_CLEANUP(json, cJSON *, cJSON_Delete);

bool template_is_wanted(const struct hc_model *model) {
    hc_auto(text) path = hc_model_file(model);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    char line[4096];
    bool found = false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        found = strstr(line, "preload") != NULL;
    }
    fclose(file);
    return found;
}

static struct python_model *model_of(struct process *process) {
    return hc_list_item(process, struct python_model, template);
}

static void on_started(struct process *process) {
    struct python_model *model = model_of(process);
    if (pyhost_send_start(process, model, !model->config_complete, NULL) != HC_OK) {
        process_kill(process);
    }
}

static void on_imported(struct process *process, struct hc_text body) {
    struct python_model *model = model_of(process);
    hc_auto(json) json = cJSON_ParseWithLength(body.data, body.size);
    const char *config = cJSON_GetStringValue(cJSON_GetObjectItem(json, "config"));
    if (!lives_complete(model, config)) {
        return;
    }
    if (!cJSON_IsTrue(cJSON_GetObjectItem(json, "preload"))) {
        model->wants_template = false;
        process_kill(process);
    } else if (pyhost_send_preload(process, model, NULL) != HC_OK) {
        process_kill(process);
    }
}

static void on_frame(struct process *process, const struct hc_control_frame *frame) {
    struct python_model *model = model_of(process);
    if (frame->kind == HC_CONTROL_IMPORTED && !model->has_template) {
        on_imported(process, frame->body);
    } else if (frame->kind == HC_CONTROL_READY && !model->has_template) {
        model->has_template = true;
        lives_on_template_ready(model);
    } else {
        process_refuse(process, frame);
    }
}

static void on_end(struct process *process) {
    struct python_model *model = model_of(process);
    hc_auto(text) death = process_tell_end(process);
    bool was_ready = model->has_template;
    model->has_template = false;
    model->template_alive = false;
    process_finish(process);
    lives_on_template_end(model, was_ready, death);
}

static const struct process_events events = {
    .on_started = on_started,
    .on_frame = on_frame,
    .on_end = on_end,
};

enum hc_code template_start(struct python_model *model, struct hc_error *error) {
    process_init(&model->template, model->server->control, model->model->name, python_prefix(model),
                 &events);
    HC_TRY(environment_fork(model->environment, &model->template, error));
    model->template_alive = true;
    return HC_OK;
}
