/* Weights: the files behind them, and the formats that their names tell. */
#include "weights/weights.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "reader.h"

static bool ends_with(const char *name, const char *end) {
    size_t size = strlen(name);
    size_t end_size = strlen(end);
    return size >= end_size && strcmp(name + size - end_size, end) == 0;
}

static const struct known {
    const char *end;
    enum hc_weights_format format;
} known_rows[] = {
    {".bin", HC_WEIGHTS_TORCH}, {".pt", HC_WEIGHTS_TORCH},
    {".pth", HC_WEIGHTS_TORCH}, {".safetensors", HC_WEIGHTS_SAFETENSORS},
    {".npy", HC_WEIGHTS_NPY},   {".npz", HC_WEIGHTS_NPZ},
};

static const char index_end[] = ".safetensors.index.json";

static const struct known *find_known(const char *name) {
    for (size_t i = 0; i < sizeof known_rows / sizeof known_rows[0]; i++) {
        if (ends_with(name, known_rows[i].end)) {
            return &known_rows[i];
        }
    }
    return NULL;
}

bool hc_weights_is_file_name(const char *name) {
    return find_known(name) != NULL || ends_with(name, index_end);
}

static enum hc_code read_format(struct hc_weights_reader *reader, enum hc_weights_format format,
                                struct hc_text bytes, struct hc_error *error) {
    switch (format) {
    case HC_WEIGHTS_TORCH:
        return read_torch(reader, bytes, error);
    case HC_WEIGHTS_SAFETENSORS:
        return read_safetensors(reader, bytes, error);
    case HC_WEIGHTS_NPY:
        return read_npy(reader, HC_TEXT(""), bytes, error);
    case HC_WEIGHTS_NPZ:
        return read_npz(reader, bytes, error);
    }
    return hc_error_set(error, HC_INTERNAL, "unknown format of weights");
}

static int compare_names(const void *a, const void *b) {
    struct hc_text first = (*(const struct hc_weights_tensor *const *)a)->name;
    struct hc_text second = (*(const struct hc_weights_tensor *const *)b)->name;
    size_t size = first.size < second.size ? first.size : second.size;
    int order = size > 0 ? memcmp(first.data, second.data, size) : 0;
    return order != 0 ? order : (first.size > second.size) - (first.size < second.size);
}

/* Index the tensors by name, and hand over. */
static enum hc_code finish(struct hc_weights_reader *reader, struct hc_weights **weights,
                           struct hc_error *error) {
    struct hc_weights *result = &reader->result;
    reader->by_name = hc_alloc_array(result->n_tensors, sizeof(struct hc_weights_tensor *));
    for (size_t i = 0; i < result->n_tensors; i++) {
        reader->by_name[i] = &reader->tensors[i];
    }
    qsort(reader->by_name, result->n_tensors, sizeof(struct hc_weights_tensor *), compare_names);
    for (size_t i = 1; i < result->n_tensors; i++) {
        struct hc_text name = reader->by_name[i]->name;
        if (hc_text_equal(reader->by_name[i - 1]->name, name)) {
            return hc_error_set(error, HC_INVALID_ARGUMENT, "two tensors have the name '%.*s'",
                                HC_TEXT_ARGS(name));
        }
    }
    result->tensors = reader->tensors;
    result->modules = reader->modules;
    result->_reader = reader;
    *weights = result;
    return HC_OK;
}

static void close_reader(struct hc_weights_reader *reader) {
    if (reader != NULL) {
        hc_weights_close(&reader->result);
    }
}

HC_CLEANUP(reader, struct hc_weights_reader *, close_reader);

static struct hc_weights_reader *new_reader(void) {
    struct hc_weights_reader *reader = hc_new(struct hc_weights_reader);
    reader->result._reader = reader;
    return reader;
}

enum hc_code hc_weights_read(enum hc_weights_format format, struct hc_text bytes,
                             struct hc_weights **weights, struct hc_error *error) {
    hc_auto(reader) reader = new_reader();
    reader->result.content_size = bytes.size;
    HC_TRY(read_format(reader, format, bytes, error));
    HC_TRY(finish(reader, weights, error));
    (void)hc_take(reader);
    return HC_OK;
}

static enum hc_code read_path(struct hc_weights_reader *reader, const char *path,
                              struct hc_error *error) {
    if (ends_with(path, index_end)) {
        return read_safetensors_index(reader, path, error);
    }
    const struct known *known = find_known(path);
    if (known == NULL) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "its name does not end as files of weights do (.bin, .pt, .pth, "
                            ".safetensors, .safetensors.index.json, .npy, .npz)");
    }
    struct hc_text bytes;
    HC_TRY(reader_map(reader, path, &bytes, error));
    return read_format(reader, known->format, bytes, error);
}

enum hc_code hc_weights_open(const char *path, struct hc_weights **weights,
                             struct hc_error *error) {
    hc_auto(reader) reader = new_reader();
    if (read_path(reader, path, error) != HC_OK || finish(reader, weights, error) != HC_OK) {
        return hc_error_prefix(error, "%s: ", path);
    }
    (void)hc_take(reader);
    return HC_OK;
}

const struct hc_weights_tensor *hc_weights_find(const struct hc_weights *weights,
                                                struct hc_text name) {
    const struct hc_weights_tensor key = {.name = name};
    const struct hc_weights_tensor *const key_place = &key;
    const struct hc_weights_tensor **found =
        bsearch(&key_place, weights->_reader->by_name, weights->n_tensors,
                sizeof(struct hc_weights_tensor *), compare_names);
    return found == NULL ? NULL : *found;
}

const struct hc_weights_attribute *hc_weights_attribute(const struct hc_weights_module *module,
                                                        const char *name) {
    for (size_t i = 0; i < module->n_attributes; i++) {
        if (hc_text_is(module->attributes[i].name, name)) {
            return &module->attributes[i];
        }
    }
    return NULL;
}
