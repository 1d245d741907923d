/* Which file holds the weights: the one that is configured, or the only one that there is. */
#include <dirent.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "internal.h"
#include "model/repository.h"

static const char index_end[] = ".index.json";

/* What was found: names below the version's folder. */
struct candidates {
    struct hc_buf names; /* "'a', 'b'", for messages */
    char *first;
    size_t n;
    bool first_is_index; /* and stands for the files beside it */
};

static void finish_candidates(struct candidates *candidates) {
    hc_buf_finish(&candidates->names);
    free(candidates->first);
}

static void add_candidate(struct candidates *candidates, const char *folder, const char *name) {
    size_t size = strlen(name);
    size_t end_size = sizeof index_end - 1;
    bool is_index = size > end_size && strcmp(name + size - end_size, index_end) == 0;
    if (candidates->first_is_index && !is_index) {
        return;
    }
    if (is_index && !candidates->first_is_index) {
        finish_candidates(candidates);
        *candidates = (struct candidates){.first_is_index = true};
    }
    hc_auto(text) path = hc_format("%s%s%s", folder, folder[0] == '\0' ? "" : "/", name);
    hc_buf_appendf(&candidates->names, "%s'%s'", candidates->n > 0 ? ", " : "", path);
    if (candidates->n++ == 0) {
        candidates->first = hc_take(path);
    }
}

/* The files in FOLDER of ROOT, and in its folders when DEEPER. */
static void look(const char *root, const char *folder, bool deeper, struct candidates *candidates) {
    hc_auto(text) path = hc_format("%s/%s", root, folder);
    DIR *listing = opendir(path);
    if (listing == NULL) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        if (hc_weights_is_file_name(entry->d_name)) {
            add_candidate(candidates, folder, entry->d_name);
        } else if (deeper) {
            look(root, entry->d_name, false, candidates);
        }
    }
    closedir(listing);
}

enum hc_code linear_find_file(const struct hc_model *model, char **path, struct hc_error *error) {
    hc_auto(text) folder = hc_repository_version_folder(model->folder, model->version);
    const char *configured = model->config->default_model_filename;
    if (configured[0] != '\0') {
        *path = hc_format("%s/%s", folder, configured);
        return HC_OK;
    }
    __attribute__((cleanup(finish_candidates))) struct candidates candidates = {0};
    look(folder, "", true, &candidates);
    if (candidates.n == 0) {
        return hc_error_set(error, HC_NOT_FOUND,
                            "no file of weights (.bin, .pt, .pth, .safetensors, .npy, .npz) in "
                            "'%s' or a folder in it",
                            folder);
    }
    if (candidates.n > 1) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "several files of weights in '%s': %s; default_model_filename has to "
                            "name one",
                            folder, hc_buf_string(&candidates.names));
    }
    *path = hc_format("%s/%s", folder, candidates.first);
    return HC_OK;
}
