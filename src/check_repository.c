/* Looking for mistakes in a repository: the steps of loading a model, without its instances. */
#include "check_repository.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "core/backend.h"
#include "model/ensemble.h"
#include "model/repository.h"

/* A model, as far as it is right. */
struct checked {
    const char *name;
    const char *folder;
    Inference__ModelConfig *config; /* NULL: it cannot be read */
    char *path;                     /* of the config file */
    struct hc_buf text;             /* of the file */
    struct hc_buf told;             /* messages so far, each once */
};

struct check {
    const struct hc_server_options *options;
    struct checked *models;
    size_t n_models;
    size_t n_problems;
};

static void tell(struct check *check, struct checked *model, const char *path, unsigned line,
                 const char *message) {
    hc_auto(text) entry = line > 0 ? hc_format("%s:%u: %s\n", path, line, message)
                                   : hc_format("%s: %s\n", path, message);
    if (strstr(hc_buf_string(&model->told), entry) == NULL) {
        hc_buf_append_string(&model->told, entry);
        fputs(entry, stdout);
        check->n_problems++;
    }
}

/* A problem with the config, at the line it seems to be about. */
static void tell_config(struct check *check, struct checked *model, const char *message) {
    unsigned line = find_line(hc_buf_text(&model->text), message);
    tell(check, model, model->path, line > 0 || model->text.size == 0 ? line : 1, message);
}

static void read_text(struct checked *model, const char *alternative) {
    model->path = hc_format("%s/configs/%s.pbtxt", model->folder, alternative);
    if (alternative[0] == '\0' || access(model->path, F_OK) != 0) {
        free(model->path);
        model->path = hc_format("%s/config.pbtxt", model->folder);
    }
    FILE *file = fopen(model->path, "re");
    while (file != NULL && !feof(file) && !ferror(file)) {
        enum { PIECE_SIZE = 4096 };
        char *place = hc_buf_reserve(&model->text, PIECE_SIZE);
        hc_buf_commit(&model->text, fread(place, 1, PIECE_SIZE, file));
    }
    if (file != NULL) {
        fclose(file);
    }
}

/* ---- One model ---- */

/* A mistake in the text is told with its place already. */
static void tell_unreadable(struct check *check, struct checked *model,
                            const struct hc_error *error) {
    const char *place = strstr(error->message, model->path);
    unsigned line;
    int size = 0;
    if (place != NULL && sscanf(place + strlen(model->path), ":%u:%*u: %n", &line, &size) == 1 &&
        size > 0) {
        tell(check, model, model->path, line, place + strlen(model->path) + size);
    } else {
        tell(check, model, model->path, 0, error->message);
    }
}

/* Inputs and outputs one by one, so that each is told of. */
static void check_ios(struct check *check, struct checked *model) {
    struct hc_error error;
    for (size_t i = 0; i < model->config->n_input + model->config->n_output; i++) {
        Inference__ModelConfig view = *model->config;
        bool output = i >= view.n_input;
        view.input = output ? NULL : &model->config->input[i];
        view.output = output ? &model->config->output[i - view.n_input] : NULL;
        view.n_input = output ? 0 : 1;
        view.n_output = output ? 1 : 0;
        if (hc_config_check_io(&view, &error) != HC_OK) {
            tell_config(check, model, error.message);
        }
    }
}

static void check_groups(struct check *check, struct checked *model) {
    struct hc_error error;
    for (size_t i = 0; i < model->config->n_instance_group; i++) {
        Inference__ModelConfig view = *model->config;
        view.instance_group = &model->config->instance_group[i];
        view.n_instance_group = 1;
        hc_auto(config) copy = hc_config_copy(&view);
        if (copy->instance_group[0]->name[0] == '\0') {
            copy->instance_group[0]->name = hc_format("%s_%zu", model->name, i);
        }
        if (hc_config_place(copy, &(struct hc_gpus){0}, &error) != HC_OK) {
            tell_config(check, model, error.message);
        }
    }
}

static void check_backend(struct check *check, struct checked *model) {
    const struct hc_backend *backend;
    struct hc_error error;
    hc_auto(text) folder = NULL;
    hc_auto(config) copy = hc_config_copy(model->config);
    if (!hc_config_is_ensemble(copy) && hc_backend_resolve(copy, check->options->backend_directory,
                                                           &backend, &folder, &error) != HC_OK) {
        tell_config(check, model, error.message);
    }
}

static void check_versions(struct check *check, struct checked *model) {
    struct hc_error error;
    hc_auto_versions all = {0};
    hc_auto_versions chosen = {0};
    if (hc_repository_versions(model->folder, &all, &error) != HC_OK ||
        hc_repository_choose(model->config, &all, &chosen, &error) != HC_OK) {
        tell_config(check, model, error.message);
        return;
    }
    bool python = strcmp(model->config->backend, "python") == 0;
    for (size_t i = 0; python && i < chosen.n; i++) {
        hc_auto(text) path =
            hc_repository_model_file(model->folder, chosen.numbers[i], model->config);
        if (access(path, R_OK) != 0) {
            tell(check, model, path, 0, "the model's file is not there, or cannot be read");
        }
    }
}

static void check_model(struct check *check, struct checked *model) {
    const struct hc_server_options *options = check->options;
    struct hc_error error;
    read_text(model, options->config_name);
    if (hc_config_open(model->folder, options->config_name, options->auto_complete, &model->config,
                       &error) != HC_OK) {
        tell_unreadable(check, model, &error);
        return;
    }
    if (hc_config_complete(model->config, model->name, model->folder, &error) != HC_OK) {
        tell_config(check, model, error.message);
        return;
    }
    check_ios(check, model);
    if (hc_config_prepare(model->config, model->name, model->folder, true, &error) != HC_OK) {
        tell_config(check, model, error.message);
    }
    check_groups(check, model);
    check_backend(check, model);
    check_versions(check, model);
    if (hc_config_settle(model->config, model->folder, &error) != HC_OK) {
        tell_config(check, model, error.message);
    }
}

/* ---- Ensembles ---- */

static struct checked *find_model(const struct check *check, const char *name) {
    for (size_t i = 0; i < check->n_models; i++) {
        if (strcmp(check->models[i].name, name) == 0) {
            return &check->models[i];
        }
    }
    return NULL;
}

static const Inference__ModelConfig *find_config(void *context,
                                                 const Inference__ModelEnsembling__Step *step) {
    return find_model(context, step->model_name)->config;
}

/* Whether all that the ensemble is made of is known as it is going to be. */
static bool check_steps(struct check *check, struct checked *model) {
    bool known = true;
    for (size_t i = 0; i < model->config->ensemble_scheduling->n_step; i++) {
        const char *name = model->config->ensemble_scheduling->step[i]->model_name;
        const struct checked *step = find_model(check, name);
        if (step == NULL) {
            hc_auto(text) message = hc_format("ensemble %s contains models that are not available "
                                              "or ambiguous: '%s'",
                                              model->name, name);
            tell_config(check, model, message);
        }
        known = known && step != NULL && step->config != NULL && step->config->n_input > 0 &&
                step->config->n_output > 0;
    }
    return known;
}

static void check_ensemble(struct check *check, struct checked *model) {
    struct hc_error error;
    if (check_steps(check, model) &&
        hc_ensemble_settle(model->config, find_config, check, &error) != HC_OK) {
        tell_config(check, model, error.message);
    }
}

/* ---- All ---- */

static void finish_model(struct checked *model) {
    hc_config_free(model->config);
    hc_buf_finish(&model->text);
    hc_buf_finish(&model->told);
    free(model->path);
}

static void check_listing(struct check *check, const struct hc_repository_listing *listing) {
    check->models = hc_alloc_array(listing->n, sizeof *check->models);
    for (size_t i = 0; i < listing->n; i++) {
        struct checked *model = &check->models[check->n_models];
        *model = (struct checked){.name = listing->models[i].name};
        if (listing->models[i].folder == NULL) {
            tell(check, model, model->name, 0, "model appears in two or more repositories");
            hc_buf_finish(&model->told);
            continue;
        }
        model->folder = listing->models[i].folder;
        check->n_models++;
        check_model(check, model);
    }
    for (size_t i = 0; i < check->n_models; i++) {
        struct checked *model = &check->models[i];
        if (model->config != NULL && hc_config_is_ensemble(model->config) &&
            model->config->ensemble_scheduling != NULL) {
            check_ensemble(check, model);
        }
    }
}

bool check_repository(const struct hc_server_options *options) {
    struct check check = {.options = options};
    hc_auto_repository_listing listing = {0};
    struct hc_error error;
    if (hc_repository_list(options->repositories, options->n_repositories, &listing, &error) !=
        HC_OK) {
        puts(error.message);
        check.n_problems++;
    }
    check_listing(&check, &listing);
    for (size_t i = 0; i < check.n_models; i++) {
        finish_model(&check.models[i]);
    }
    free(check.models);
    printf("%zu model%s, %zu problem%s\n", listing.n, listing.n == 1 ? "" : "s", check.n_problems,
           check.n_problems == 1 ? "" : "s");
    return check.n_problems == 0;
}
