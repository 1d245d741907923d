/*
 * What the two forms of torch's files have in common.
 */
#ifndef HC_WEIGHTS_TORCH_H
#define HC_WEIGHTS_TORCH_H

#include "pickle.h"
#include "reader.h"
#include "zip.h"

/* How a pickle refers to a storage. */
struct torch_storage_id {
    struct hc_text key;
    enum hc_dtype dtype;
    uint64_t n_elements;
};

/* False when VALUE is no such thing. */
bool torch_read_storage_id(const struct pickle_value *value, struct torch_storage_id *id);

struct torch {
    struct hc_weights_reader *reader;
    size_t n_modules;

    /* Where the elements of a storage are: all that ID claims. */
    enum hc_code (*find_storage)(struct torch *torch, const struct torch_storage_id *id,
                                 const char **data, struct hc_error *error);
};

/* Add what the pickle holds. */
enum hc_code torch_add(struct torch *torch, const struct pickle_value *value,
                       struct hc_error *error);

enum hc_code read_torch_zip(struct hc_weights_reader *reader, struct hc_text bytes,
                            struct hc_error *error);
enum hc_code read_torch_legacy(struct hc_weights_reader *reader, struct hc_text bytes,
                               struct hc_error *error);

#endif
