/*
 * What Triton made of the configs in configs/ (tests/conformance/record_configs.py), and what we
 * make of them: the same JSON, byte for byte, or the same message. Where we differ on purpose, the
 * list of differences says how and why.
 */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "model/config_json.h"
#include "model/ensemble.h"
#include "model/repository.h"
#include "recorded_differences.h"
#include "scratch.h"
#include "test.h"

/* What becomes of a config: its JSON, or an error. */
struct outcome {
    struct hc_buf json;
    struct hc_error error; /* code HC_OK when it loads */
};

/* A file next to the configs with a NUL; NULL when there is none. To be freed. */
static char *read_recorded(const char *name, const char *suffix) {
    hc_auto(text) path = hc_format(CONFIGS "/%s%s", name, suffix);
    hc_auto(fd) fd = open(path, O_RDONLY);
    if (fd < 0) {
        return NULL;
    }
    enum { PIECE_SIZE = 4096 };
    struct hc_buf content = {0};
    ssize_t n;
    while ((n = read(fd, hc_buf_reserve(&content, PIECE_SIZE), PIECE_SIZE)) > 0) {
        hc_buf_commit(&content, (size_t)n);
    }
    return hc_buf_take(&content);
}

/* What follows "#! KEY" on a line of its own, up to its end; NULL when there is no such line. */
static const char *find_directive(const char *text, const char *key) {
    for (const char *line = text; strncmp(line, "#! ", 3) == 0; line = strchr(line, '\n') + 1) {
        if (strncmp(line + 3, key, strlen(key)) == 0) {
            return line + 3 + strlen(key);
        }
    }
    return NULL;
}

/* The file of a word like "1/model.py", "1/entry.py=model" or "data=12". */
static void write_file(const char *name, const char *word, int size) {
    static const char zeros[64];
    char path[256];
    const char *equals = memchr(word, '=', (size_t)size);
    int path_size = equals == NULL ? size : (int)(equals - word);
    snprintf(path, sizeof path, "%s/%.*s", name, path_size, word);
    scratch_write(path, zeros, equals == NULL ? 0 : strtoul(equals + 1, NULL, 10));
}

static void write_model(const char *name, const char *text) {
    const char *files = find_directive(text, "files: ");
    files = files == NULL ? "1/model.py\n" : files;
    while (*files != '\n') {
        int size = (int)strcspn(files, " \n");
        write_file(name, files, size);
        files += size + (files[size] == ' ');
    }
    if (find_directive(text, "no config") == NULL) {
        char path[256];
        snprintf(path, sizeof path, "%s/config.pbtxt", name);
        scratch_write_text(path, text);
    }
}

static enum hc_code load(const char *name, Inference__ModelConfig **config, struct hc_error *error);

static const Inference__ModelConfig *find_step(void *context,
                                               const Inference__ModelEnsembling__Step *step) {
    Inference__ModelConfig **steps = context;
    while (*steps != NULL && strcmp((*steps)->name, step->model_name) != 0) {
        steps++;
    }
    if (*steps == NULL && load(step->model_name, steps, NULL) != HC_OK) {
        return NULL;
    }
    return *steps;
}

static enum hc_code settle_ensemble(Inference__ModelConfig *config, struct hc_error *error) {
    Inference__ModelConfig *steps[8] = {NULL};
    enum hc_code code = hc_ensemble_settle(config, find_step, steps, error);
    for (size_t i = 0; steps[i] != NULL; i++) {
        hc_config_free(steps[i]);
    }
    return code;
}

/* All the steps in model/config.h, for a Python model that completes nothing. */
static enum hc_code load(const char *name, Inference__ModelConfig **config,
                         struct hc_error *error) {
    hc_auto(text) text = read_recorded(name, ".pbtxt");
    if (text == NULL) {
        return HC_NOT_FOUND;
    }
    write_model(name, text);
    bool completes = find_directive(text, "no auto-complete") == NULL;
    hc_auto(text) folder = hc_format("%s/%s", scratch_root, name);
    hc_auto(config) result = NULL;
    hc_auto_versions all = {0};
    hc_auto_versions chosen = {0};
    HC_TRY(hc_config_open(folder, NULL, completes, &result, error));
    HC_TRY(hc_config_prepare(result, name, folder, completes, error));
    HC_TRY(hc_repository_versions(folder, &all, error));
    HC_TRY(hc_repository_choose(result, &all, &chosen, error));
    if (hc_config_is_ensemble(result)) {
        HC_TRY(settle_ensemble(result, error));
    }
    HC_TRY(hc_config_place(result, &(struct hc_gpus){0}, error));
    HC_TRY(hc_config_settle(result, folder, error));
    *config = hc_take(result);
    return HC_OK;
}

static void run(const char *name, struct outcome *outcome) {
    hc_auto(config) config = NULL;
    outcome->error = (struct hc_error){0};
    if (load(name, &config, &outcome->error) == HC_OK) {
        hc_config_json_print(config, &outcome->json);
    }
    hc_buf_string(&outcome->json);
}

/* Write REPOSITORY for the scratch folder. */
static void hide_scratch(char *text) {
    static const char hidden[] = "REPOSITORY";
    enum { HIDDEN_SIZE = sizeof hidden - 1 };
    size_t size = strlen(scratch_root);
    for (char *place; (place = strstr(text, scratch_root)) != NULL;) {
        memmove(place + HIDDEN_SIZE, place + size, strlen(place + size) + 1);
        memmove(place, hidden, HIDDEN_SIZE);
    }
}

static const char *skip_prefix(const char *text, const char *prefix) {
    size_t size = strlen(prefix);
    return strncmp(text, prefix, size) == 0 ? text + size : text;
}

/* The recorded message begins with the code or with "load failed" in some of the logs. */
static bool same_message(const char *name, const struct hc_error *ours, const char *recorded) {
    hc_auto(text) failed = hc_format("load failed for model '%s': ", name);
    hc_auto(text) code = hc_format("%s: ", hc_code_name(ours->code));
    const char *theirs = skip_prefix(skip_prefix(recorded, failed), code);
    size_t size = strcspn(theirs, "\n");
    return strlen(ours->message) == size && strncmp(ours->message, theirs, size) == 0;
}

static const struct difference *find_difference(const char *name) {
    for (size_t i = 0; i < N_ITEMS(differences); i++) {
        if (strcmp(differences[i].name, name) == 0) {
            return &differences[i];
        }
    }
    return NULL;
}

static const struct mistake *find_mistake(const char *name) {
    for (size_t i = 0; i < N_ITEMS(mistakes); i++) {
        if (strcmp(mistakes[i].name, name) == 0) {
            return &mistakes[i];
        }
    }
    return NULL;
}

static bool agrees(const char *name, const struct outcome *ours) {
    hc_auto(text) json = read_recorded(name, ".json");
    hc_auto(text) message = read_recorded(name, ".error");
    assert_true((json == NULL) != (message == NULL));
    if (ours->error.code != HC_OK) {
        return message != NULL && same_message(name, &ours->error, message);
    }
    return json != NULL && strlen(json) == ours->json.size + 1 &&
           memcmp(json, ours->json.data, ours->json.size) == 0;
}

/* Triton's maps have no order: equal but for the order of members. */
static bool agrees_without_order(const char *name, const struct outcome *ours) {
    hc_auto(text) json = read_recorded(name, ".json");
    cJSON *their_value = cJSON_Parse(json);
    cJSON *our_value = cJSON_Parse(ours->json.data);
    bool same = cJSON_Compare(their_value, our_value, true);
    cJSON_Delete(their_value);
    cJSON_Delete(our_value);
    return same;
}

/* Our message, or a part of our JSON, or nothing but another order in maps. */
static bool agrees_as_listed(const char *name, const struct outcome *ours,
                             const struct difference *difference) {
    if (difference->ours == NULL) {
        return agrees_without_order(name, ours);
    }
    if (ours->error.code != HC_OK) {
        return strcmp(ours->error.message, difference->ours) == 0;
    }
    return strstr(ours->json.data, difference->ours) != NULL;
}

/* Both find a mistake in the text, and ours is the listed one. */
static bool agrees_on_mistake(const char *name, const struct outcome *ours,
                              const struct mistake *mistake) {
    static const char unread[] = "failed to read text proto from REPOSITORY";
    hc_auto(text) message = read_recorded(name, ".error");
    hc_auto(text) expected = hc_format("%s/%s/config.pbtxt:%s", unread, name, mistake->ours);
    return message != NULL && strncmp(message, unread, sizeof unread - 1) == 0 &&
           strcmp(ours->error.message, expected) == 0;
}

static bool check(const char *name) {
    struct outcome ours = {0};
    run(name, &ours);
    hide_scratch(ours.error.message);
    const struct difference *difference = find_difference(name);
    const struct mistake *mistake = find_mistake(name);
    bool same = agrees(name, &ours);
    bool ok = same;
    if (mistake != NULL) {
        ok = !same && agrees_on_mistake(name, &ours, mistake);
    } else if (difference != NULL) {
        ok = !same && agrees_as_listed(name, &ours, difference);
    }
    if (!ok) {
        print_error("%s%s\n  ours: %s%s\n", name, same ? ": is listed, but does not differ" : "",
                    ours.error.message, ours.json.data);
    }
    hc_buf_finish(&ours.json);
    return ok;
}

static void configs_become_what_triton_makes_of_them(void **state) {
    (void)state;
    DIR *folder = opendir(CONFIGS);
    if (folder == NULL) {
        fail_msg("%s", CONFIGS);
        return;
    }
    size_t n = 0;
    size_t n_bad = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char *suffix = strstr(entry->d_name, ".pbtxt");
        if (suffix != NULL) {
            *suffix = '\0';
            n++;
            n_bad += !check(entry->d_name);
        }
    }
    closedir(folder);
    print_message("%zu configs\n", n);
    assert_true(n >= 60);
    assert_int_equal(n_bad, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configs_become_what_triton_makes_of_them),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
