/*
 * Completing a config from the model's folder: its name, and the backend that the files in the
 * first version tell.
 */
#include "base/alloc.h"
#include "files.h"
#include "model/config.h"
#include "versions.h"

enum form { FORM_FILE, FORM_FOLDER, FORM_ANY };

/* The backends that are told by a file, in the order in which they are looked for. */
static const struct known {
    const char *backend;
    const char *platform; /* NULL: has none */
    const char *file;
    enum form form;
    bool by_platform; /* the platform decides, since the backend has several */
} known_rows[] = {
    {"tensorflow", "tensorflow_graphdef", "model.graphdef", FORM_FILE, true},
    {"tensorflow", "tensorflow_savedmodel", "model.savedmodel", FORM_FOLDER, true},
    {"tensorrt", "tensorrt_plan", "model.plan", FORM_FILE, false},
    {"onnxruntime", "onnxruntime_onnx", "model.onnx", FORM_ANY, false},
    {"openvino", NULL, "model.xml", FORM_ANY, false},
    {"pytorch", "pytorch_libtorch", "model.pt", FORM_FILE, false},
    {"python", NULL, "model.py", FORM_ANY, false},
};

static bool is_empty(const char *string) {
    return string[0] == '\0';
}

static bool is(const char *a, const char *b) {
    return b != NULL && strcmp(a, b) == 0;
}

static void set(char **place, const char *value) {
    if (*place != protobuf_c_empty_string) {
        free(*place);
    }
    *place = hc_strdup(value);
}

static void set_if_empty(char **place, const char *value) {
    if (is_empty(*place) && value != NULL) {
        set(place, value);
    }
}

/* Whether the version's folder has the file; there may be no version. */
static bool has_file(const char *version, const struct known *known) {
    if (version == NULL) {
        return false;
    }
    hc_auto(text) path = hc_path_join(version, known->file);
    return hc_path_exists(path) &&
           (known->form == FORM_ANY || hc_path_is_folder(path) == (known->form == FORM_FOLDER));
}

/* Whether CONFIG, or the version's folder where it says nothing, is of this backend. */
static bool matches(const Inference__ModelConfig *config, const struct known *known,
                    const char *version) {
    bool backend_free = is_empty(config->backend);
    bool by_file = is(config->default_model_filename, known->file) ||
                   (is_empty(config->platform) && is_empty(config->default_model_filename) &&
                    has_file(version, known));
    if (known->by_platform) {
        return is(config->platform, known->platform) ||
               (is_empty(config->platform) && by_file &&
                (backend_free || is(config->backend, known->backend)));
    }
    return is(config->backend, known->backend) ||
           (backend_free && (is(config->platform, known->platform) || by_file));
}

static bool complete_known(Inference__ModelConfig *config, const char *version) {
    for (size_t i = 0; i < sizeof known_rows / sizeof known_rows[0]; i++) {
        const struct known *known = &known_rows[i];
        if (matches(config, known, version)) {
            set_if_empty(&config->backend, known->backend);
            set_if_empty(&config->platform, known->platform);
            bool in_backend = is(known->backend, "pytorch") && is(config->runtime, "model.py");
            set_if_empty(&config->default_model_filename, in_backend ? NULL : known->file);
            return true;
        }
    }
    return false;
}

/* "m.identity" is a model of the backend identity, for want of anything else. */
static enum hc_code complete_by_name(Inference__ModelConfig *config, const char *name,
                                     struct hc_error *error) {
    const char *dot = strchr(name, '.');
    if (dot == NULL) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "Invalid model name: Could not determine backend for model '%s' with "
                            "no backend in model configuration. Expected model name of the form "
                            "'model.<backend_name>'.",
                            name);
    }
    hc_auto(text) file = hc_format("model.%s", dot + 1);
    set(&config->backend, dot + 1);
    set(&config->default_model_filename, file);
    return HC_OK;
}

/* The folder that is first by name among those of versions, as Triton has it; NULL for none. */
static enum hc_code find_version(const char *folder, char **version, struct hc_error *error) {
    hc_auto_versions versions = {0};
    hc_auto(text) first = NULL;
    HC_TRY(hc_versions_read(folder, false, &versions, error));
    for (size_t i = 0; i < versions.n; i++) {
        hc_auto(text) path = hc_repository_version_folder(folder, versions.numbers[i]);
        if (first == NULL || strcmp(path, first) < 0) {
            free(first);
            first = hc_take(path);
        }
    }
    *version = hc_take(first);
    return HC_OK;
}

enum hc_code hc_config_complete(Inference__ModelConfig *config, const char *name,
                                const char *folder, struct hc_error *error) {
    hc_auto(text) version = NULL;
    HC_TRY(find_version(folder, &version, error));
    set_if_empty(&config->name, name);
    bool known = complete_known(config, version);
    if (!known && is_empty(config->backend) && is_empty(config->platform) &&
        is_empty(config->default_model_filename)) {
        return complete_by_name(config, name, error);
    }
    return HC_OK;
}
