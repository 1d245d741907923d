/*
 * safetensors in several files: an index says in which file beside it each tensor is.
 *
 *     {"metadata": {…}, "weight_map": {"0.weight": "model-00001-of-00002.safetensors", …}}
 */
#include <cjson/cJSON.h>
#include <string.h>

#include "base/alloc.h"
#include "reader.h"

enum { MAX_INDEX_SIZE = 16 << 20, MAX_FILES = 1024 };

HC_CLEANUP(json, cJSON *, cJSON_Delete);

static enum hc_code broken(const char *what, struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT, "is not a sound index: %s", what);
}

struct files {
    const char *names[MAX_FILES];
    size_t n;
};

/* Each file once, in the order in which they are named. */
static enum hc_code list_files(const cJSON *map, struct files *files, struct hc_error *error) {
    const cJSON *item;
    cJSON_ArrayForEach(item, map) {
        const char *name = cJSON_GetStringValue(item);
        if (name == NULL || strchr(name, '/') != NULL || name[0] == '.' || name[0] == '\0') {
            return broken("a tensor's file has no proper name", error);
        }
        size_t i = 0;
        while (i < files->n && strcmp(files->names[i], name) != 0) {
            i++;
        }
        if (i == MAX_FILES) {
            return broken("it names too many files", error);
        }
        files->names[i] = name;
        files->n = i == files->n ? i + 1 : files->n;
    }
    return HC_OK;
}

static enum hc_code read_files(struct hc_weights_reader *reader, const char *path,
                               const struct files *files, struct hc_error *error) {
    int folder_size = (int)(strrchr(path, '/') == NULL ? 0 : strrchr(path, '/') - path + 1);
    for (size_t i = 0; i < files->n; i++) {
        struct hc_text bytes;
        hc_auto(text) file = hc_format("%.*s%s", folder_size, path, files->names[i]);
        if (reader_map(reader, file, &bytes, error) != HC_OK ||
            read_safetensors(reader, bytes, error) != HC_OK) {
            return hc_error_prefix(error, "%s ", files->names[i]);
        }
    }
    return HC_OK;
}

static enum hc_code read_index(struct hc_weights_reader *reader, const char *path,
                               struct hc_text bytes, struct hc_error *error) {
    hc_auto(json) json =
        bytes.size <= MAX_INDEX_SIZE ? cJSON_ParseWithLength(bytes.data, bytes.size) : NULL;
    const cJSON *map = cJSON_GetObjectItemCaseSensitive(json, "weight_map");
    if (!cJSON_IsObject(map)) {
        return broken("it has no weight_map", error);
    }
    struct files files = {.n = 0};
    HC_TRY(list_files(map, &files, error));
    HC_TRY(read_files(reader, path, &files, error));
    if ((size_t)cJSON_GetArraySize(map) != reader->result.n_tensors) {
        return broken("it does not name the tensors that its files hold", error);
    }
    return HC_OK;
}

enum hc_code read_safetensors_index(struct hc_weights_reader *reader, const char *path,
                                    struct hc_error *error) {
    struct hc_text bytes;
    HC_TRY(reader_map(reader, path, &bytes, error));
    return read_index(reader, path, bytes, error);
}
