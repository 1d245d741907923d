/*
 * torch's files before 1.6, and still on request: pickles of a magic number, a protocol's number
 * and facts about the machine, then that of the content and that of the storages' keys, then for
 * each key the number of elements and the elements.
 */
#include <string.h>

#include "base/alloc.h"
#include "torch.h"

enum { PROTOCOL = 1001, MAX_STORAGES = 1 << 12 };

static const uint8_t magic[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

struct storage {
    struct torch_storage_id id;
    const char *data;
};

struct torch_legacy {
    struct torch base;
    struct storage *storages;
    size_t n_storages;
};

static const struct storage *find_key(const struct torch_legacy *own, struct hc_text key) {
    for (size_t i = 0; i < own->n_storages; i++) {
        if (hc_text_equal(own->storages[i].id.key, key)) {
            return &own->storages[i];
        }
    }
    return NULL;
}

static enum hc_code find_storage(struct torch *torch, const struct torch_storage_id *id,
                                 const char **data, struct hc_error *error) {
    const struct storage *storage = find_key((const struct torch_legacy *)torch, id->key);
    if (storage == NULL || storage->id.dtype != id->dtype ||
        storage->id.n_elements < id->n_elements) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "has no storage '%.*s' of that kind",
                            HC_TEXT_ARGS(id->key));
    }
    *data = storage->data;
    return HC_OK;
}

/* What the content says of the storage with that key: the first that mentions it. */
static bool find_id(const struct pickle_value *stored, struct hc_text key,
                    struct torch_storage_id *id) {
    for (; stored != NULL; stored = stored->state) {
        if (torch_read_storage_id(stored, id) && hc_text_equal(id->key, key)) {
            return true;
        }
    }
    return false;
}

static enum hc_code read_storage(struct bytes *bytes, struct storage *storage,
                                 struct hc_error *error) {
    uint64_t n_elements;
    size_t size;
    struct hc_text elements;
    if (!bytes_number(bytes, 8, &n_elements) || n_elements != storage->id.n_elements ||
        !hc_size_mul(n_elements, hc_dtype_size(storage->id.dtype), &size) ||
        !bytes_text(bytes, size, &elements)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "storage '%.*s' is cut short, or not of the size that is written",
                            HC_TEXT_ARGS(storage->id.key));
    }
    storage->data = elements.data;
    return HC_OK;
}

static enum hc_code read_storages(struct torch_legacy *own, struct bytes *bytes,
                                  const struct pickle_value *keys,
                                  const struct pickle_value *stored, struct hc_error *error) {
    if (keys->kind != PICKLE_LIST || keys->n_items > MAX_STORAGES) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "has no list of storages");
    }
    own->storages = hc_pool_alloc(&own->base.reader->pool, keys->n_items * sizeof *own->storages);
    for (size_t i = 0; i < keys->n_items; i++) {
        struct storage *storage = &own->storages[i];
        if (keys->items[i]->kind != PICKLE_TEXT ||
            !find_id(stored, keys->items[i]->text, &storage->id)) {
            return hc_error_set(error, HC_INVALID_ARGUMENT,
                                "has a storage that nothing in it refers to");
        }
        HC_TRY(read_storage(bytes, storage, error));
        own->n_storages++;
    }
    return HC_OK;
}

static bool is_magic(const struct pickle_value *value) {
    return value->kind == PICKLE_LONG && value->text.size == sizeof magic &&
           memcmp(value->text.data, magic, sizeof magic) == 0;
}

/* The three pickles before the content. */
static enum hc_code read_head(struct hc_pool *pool, struct bytes *bytes, struct hc_error *error) {
    struct pickle_value *value;
    struct pickle_value *stored;
    if (pickle_read(bytes, pool, &value, &stored, NULL) != HC_OK || !is_magic(value)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "is not a file that torch.save() wrote");
    }
    HC_TRY(pickle_read(bytes, pool, &value, &stored, error));
    if (value->kind != PICKLE_INT || value->integer != PROTOCOL) {
        return hc_error_set(error, HC_UNIMPLEMENTED, "is of a form of torch's that is not known");
    }
    HC_TRY(pickle_read(bytes, pool, &value, &stored, error));
    const struct pickle_value *little = pickle_get(value, "little_endian");
    if (little == NULL || little->kind != PICKLE_BOOL || little->integer != 1) {
        return hc_error_set(error, HC_UNIMPLEMENTED, "was written by a big-endian machine");
    }
    return HC_OK;
}

enum hc_code read_torch_legacy(struct hc_weights_reader *reader, struct hc_text bytes,
                               struct hc_error *error) {
    struct torch_legacy own = {.base = {.reader = reader, .find_storage = find_storage}};
    struct bytes rest = {bytes.data, bytes.size, 0};
    struct pickle_value *content;
    struct pickle_value *keys;
    struct pickle_value *stored;
    struct pickle_value *none;
    HC_TRY(read_head(&reader->pool, &rest, error));
    HC_TRY(pickle_read(&rest, &reader->pool, &content, &stored, error));
    HC_TRY(pickle_read(&rest, &reader->pool, &keys, &none, error));
    HC_TRY(read_storages(&own, &rest, keys, stored, error));
    return torch_add(&own.base, content, error);
}
