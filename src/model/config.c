/* Model configurations: reading them and taking them through their first steps. */
#include "model/config.h"

#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "check.h"
#include "files.h"
#include "model/pbtxt.h"

Inference__ModelConfig *hc_config_copy(const Inference__ModelConfig *config) {
    size_t size = inference__model_config__get_packed_size(config);
    hc_auto(memory) packed = hc_alloc(size);
    inference__model_config__pack(config, packed);
    Inference__ModelConfig *copy = inference__model_config__unpack(NULL, size, packed);
    if (copy == NULL) { /* what was packed a line before can only fail for memory */
        fputs("hippocamp: out of memory\n", stderr);
        abort();
    }
    return copy;
}

enum hc_code hc_config_parse(struct hc_text text, const char *file, Inference__ModelConfig **config,
                             struct hc_error *error) {
    ProtobufCMessage *message = NULL;
    HC_TRY(hc_pbtxt_parse(&inference__model_config__descriptor, text, file, &message, error));
    *config = (Inference__ModelConfig *)message;
    return HC_OK;
}

/* The config file of a model, which need not be there. */
static char *find_file(const char *folder, const char *alternative) {
    if (alternative != NULL && alternative[0] != '\0') {
        hc_auto(text) path = hc_format("%s/configs/%s.pbtxt", folder, alternative);
        if (hc_path_exists(path)) {
            return hc_take(path);
        }
    }
    return hc_path_join(folder, "config.pbtxt");
}

enum hc_code hc_config_open(const char *folder, const char *alternative, bool may_be_missing,
                            Inference__ModelConfig **config, struct hc_error *error) {
    hc_auto(text) path = find_file(folder, alternative);
    if (may_be_missing && !hc_path_exists(path)) {
        return hc_config_parse(HC_TEXT(""), path, config, error);
    }
    hc_auto_buf text = {0};
    HC_TRY(hc_file_read(path, HC_CONFIG_MAX_SIZE, &text, error));
    enum hc_code code = hc_config_parse(hc_buf_text(&text), path, config, error);
    if (code != HC_OK && error != NULL) {
        hc_error_prefix(error, "failed to read text proto from ");
    }
    return code;
}

/* Repository agents change what is loaded (decrypt, verify): a model that wants one is not loaded
 * without. */
static enum hc_code check_agents(const Inference__ModelConfig *config, struct hc_error *error) {
    const Inference__ModelRepositoryAgents *agents = config->model_repository_agents;
    if (agents == NULL || agents->n_agents == 0) {
        return HC_OK;
    }
    return hc_error_set(error, HC_UNIMPLEMENTED,
                        "unable to find repo agent '%s': this server has no repository agents",
                        agents->agents[0]->name);
}

enum hc_code hc_config_prepare(Inference__ModelConfig *config, const char *name, const char *folder,
                               bool completes_later, struct hc_error *error) {
    HC_TRY(check_agents(config, error));
    HC_TRY(hc_config_complete(config, name, folder, error));
    hc_config_normalise(config);
    HC_TRY(hc_config_check(config, error));
    if (!completes_later) {
        HC_TRY(hc_config_check_io(config, error));
    }
    if (strcmp(config->name, name) != 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "unexpected directory name '%s' for model '%s', directory name must "
                            "equal model name",
                            name, config->name);
    }
    return HC_OK;
}
