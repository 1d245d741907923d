/*
 * torch's files since 1.6: a zip archive with a folder in which there are data.pkl, the pickle, and
 * data/0, data/1 …, the storages.
 */
#include <string.h>

#include "base/alloc.h"
#include "torch.h"

struct torch_zip {
    struct torch base;
    struct zip zip;
    struct hc_text prefix; /* of the storages: "archive/data/" */
};

static enum hc_code find_storage(struct torch *torch, const struct torch_storage_id *id,
                                 const char **data, struct hc_error *error) {
    const struct torch_zip *own = (const struct torch_zip *)torch;
    const struct zip_member *member = zip_find(&own->zip, own->prefix, id->key);
    if (member == NULL || member->deflated) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "has no storage '%.*s', or a compressed one", HC_TEXT_ARGS(id->key));
    }
    size_t size;
    if (!hc_size_mul(id->n_elements, hc_dtype_size(id->dtype), &size) ||
        size > member->stored.size) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "storage '%.*s' has %zu bytes, too few for its %llu elements",
                            HC_TEXT_ARGS(id->key), member->stored.size,
                            (unsigned long long)id->n_elements);
    }
    *data = member->stored.data;
    return HC_OK;
}

/* The pickle, which tells the folder that everything is in. */
static const struct zip_member *find_pickle(const struct zip *zip, struct hc_text *folder) {
    static const char end[] = "/data.pkl";
    const size_t end_size = sizeof end - 1;
    for (size_t i = 0; i < zip->n_members; i++) {
        struct hc_text name = zip->members[i].name;
        if (name.size > end_size && memcmp(name.data + name.size - end_size, end, end_size) == 0 &&
            memchr(name.data, '/', name.size) == name.data + name.size - end_size) {
            *folder = (struct hc_text){name.data, name.size - end_size};
            return &zip->members[i];
        }
    }
    return NULL;
}

static enum hc_code check_byte_order(const struct zip *zip, struct hc_text folder,
                                     struct hc_error *error) {
    const struct zip_member *order = zip_find(zip, folder, HC_TEXT("/byteorder"));
    if (order != NULL && !hc_text_is(order->stored, "little")) {
        return hc_error_set(error, HC_UNIMPLEMENTED, "was written by a big-endian machine");
    }
    return HC_OK;
}

enum hc_code read_torch_zip(struct hc_weights_reader *reader, struct hc_text bytes,
                            struct hc_error *error) {
    struct torch_zip own = {.base = {.reader = reader, .find_storage = find_storage}};
    HC_TRY(zip_read(bytes, &reader->pool, &own.zip, error));
    struct hc_text folder;
    const struct zip_member *pickle = find_pickle(&own.zip, &folder);
    if (pickle == NULL || pickle->deflated) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "is a zip archive, but not one of torch's");
    }
    if (zip_find(&own.zip, folder, HC_TEXT("/constants.pkl")) != NULL) {
        return hc_error_set(error, HC_UNIMPLEMENTED,
                            "is a TorchScript program; the linear backend reads modules and "
                            "dictionaries of tensors that torch.save() wrote");
    }
    HC_TRY(check_byte_order(&own.zip, folder, error));
    static const struct hc_text end = {"/data/", sizeof "/data/" - 1};
    char *prefix = hc_pool_alloc(&reader->pool, folder.size + end.size);
    memcpy(prefix, folder.data, folder.size);
    memcpy(prefix + folder.size, end.data, end.size);
    own.prefix = (struct hc_text){prefix, folder.size + end.size};
    struct bytes pickled = {pickle->stored.data, pickle->stored.size, 0};
    struct pickle_value *value;
    struct pickle_value *stored;
    HC_TRY(pickle_read(&pickled, &reader->pool, &value, &stored, error));
    return torch_add(&own.base, value, error);
}
