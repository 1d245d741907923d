/*
 * What the readers of the formats share: the result while it is being put together.
 */
#ifndef HC_WEIGHTS_READER_H
#define HC_WEIGHTS_READER_H

#include "base/pool.h"
#include "weights/weights.h"

/* A file holds at most so many tensors and modules; real ones have some hundreds. */
enum { MAX_TENSORS = 1 << 16, MAX_MODULES = 1 << 12 };

struct hc_weights_reader {
    struct hc_weights result;
    struct hc_pool pool; /* names, attributes, what pickles hold */
    struct hc_weights_tensor *tensors;
    size_t tensors_capacity;
    struct hc_weights_module *modules;
    size_t modules_capacity;
    const struct hc_weights_tensor **by_name;
    size_t archive_size; /* of a zip archive, and what its members have been expanded to */
    size_t expanded_size;
    struct mapping {
        char *base;
        size_t size;
        bool mapped; /* else from the heap */
        struct mapping *next;
    } *mappings; /* unmapped with the weights */
};

/* Map a file. The bytes stay until the weights are closed. */
enum hc_code reader_map(struct hc_weights_reader *reader, const char *path, struct hc_text *bytes,
                        struct hc_error *error);

/* SIZE > 0 bytes of memory that go with the weights. */
enum hc_code reader_memory(struct hc_weights_reader *reader, size_t size, char **memory,
                           struct hc_error *error);

/*
 * Add a tensor whose elements are among the N_ELEMENTS that lie from its data on; its
 * shape, strides and place are checked.
 */
enum hc_code reader_add(struct hc_weights_reader *reader, const struct hc_weights_tensor *tensor,
                        uint64_t n_elements, struct hc_error *error);

/* Fill in strides: the last index, or the first, runs fastest. False when they overflow. */
bool reader_set_strides(struct hc_weights_tensor *tensor, bool first_runs_fastest);

enum hc_code reader_add_module(struct hc_weights_reader *reader,
                               const struct hc_weights_module *module, struct hc_error *error);

/* Joins PREFIX and NAME by a dot, if PREFIX is not empty. */
struct hc_text reader_join(struct hc_weights_reader *reader, struct hc_text prefix,
                           struct hc_text name);

enum hc_code read_torch(struct hc_weights_reader *reader, struct hc_text bytes,
                        struct hc_error *error);
enum hc_code read_safetensors(struct hc_weights_reader *reader, struct hc_text bytes,
                              struct hc_error *error);
enum hc_code read_safetensors_index(struct hc_weights_reader *reader, const char *path,
                                    struct hc_error *error);
enum hc_code read_npy(struct hc_weights_reader *reader, struct hc_text name, struct hc_text bytes,
                      struct hc_error *error);
enum hc_code read_npz(struct hc_weights_reader *reader, struct hc_text bytes,
                      struct hc_error *error);

#endif
