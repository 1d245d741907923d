/*
 * Weights from files: the tensors of a model and, where a file tells, the layers that they are of.
 *
 *     pytorch_model.bin, .pt, .pth    what torch.save() writes: a module or a dictionary of
 * tensors, as a zip archive (torch 1.6 and later) or as the pickles and storages, one after the
 * other, that came before .safetensors                    https://huggingface.co/docs/safetensors
 *     .safetensors.index.json         the same in several files beside it
 *     .npy, .npz                      numpy.lib.format; compressed archives too
 *
 * Files are hostile until shown otherwise. Nothing in them is executed: pickles are read by an
 * interpreter that knows the operations and names which such files need, and refuses all else with
 * its name and place. Every tensor lies wholly in the file. What is made while reading is in
 * proportion to the file's size.
 *
 * Files are mapped: a tensor is a view, not aligned to anything, until hc_weights_close(). A file
 * that is cut short while it is mapped ends the process, so the view is for loading, not for
 * keeping. Any thread may call; a struct hc_weights has no lock.
 *
 * HC_NOT_FOUND is a file that is not there, HC_INVALID_ARGUMENT one that is broken or refused,
 * HC_UNIMPLEMENTED a kind of content that is known but not read, HC_RESOURCE_EXHAUSTED one that
 * needs more memory than there is.
 */
#ifndef HC_WEIGHTS_WEIGHTS_H
#define HC_WEIGHTS_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"
#include "tensor/dtype.h"

enum { HC_WEIGHTS_MAX_DIMS = 8 };

struct hc_weights_tensor {
    struct hc_text name; /* "0.weight"; "" for the one tensor of a .npy file */
    enum hc_dtype dtype; /* never BYTES */
    int64_t dims[HC_WEIGHTS_MAX_DIMS];
    int64_t strides[HC_WEIGHTS_MAX_DIMS]; /* in elements, none negative */
    size_t n_dims;
    const char *data; /* the first element, little-endian */
};

enum hc_weights_attribute_kind { HC_WEIGHTS_NONE, HC_WEIGHTS_NUMBER, HC_WEIGHTS_TEXT };

/* What a module was made with: eps, negative_slope, approximate. */
struct hc_weights_attribute {
    struct hc_text name;
    enum hc_weights_attribute_kind kind;
    double number; /* 0 and 1 for truth */
    struct hc_text text;
};

/* One layer of a torch.nn.Sequential, or the module that the file is of. */
struct hc_weights_module {
    const char *type;    /* the class, without its package: "Linear" */
    struct hc_text name; /* "2", "1.0" in a Sequential within; "" for the only one */
    const struct hc_weights_attribute *attributes;
    size_t n_attributes;
};

struct hc_weights {
    const struct hc_weights_tensor *tensors;
    size_t n_tensors;
    const struct hc_weights_module *modules; /* in the order of their execution */
    size_t n_modules;                        /* 0: the file holds tensors only */
    bool ordered;        /* tensors come in the order in which the model was made */
    size_t content_size; /* bytes of content: what all tensors can sensibly come to */
    struct hc_weights_reader *_reader;
};

/* Whether NAME ends as files of weights do. */
bool hc_weights_is_file_name(const char *name);

/* Read the file PATH, whose name's end tells its format. */
enum hc_code hc_weights_open(const char *path, struct hc_weights **weights, struct hc_error *error);

/* NULL is fine. */
void hc_weights_close(struct hc_weights *weights);

HC_CLEANUP(weights, struct hc_weights *, hc_weights_close);

enum hc_weights_format {
    HC_WEIGHTS_TORCH,
    HC_WEIGHTS_SAFETENSORS,
    HC_WEIGHTS_NPY,
    HC_WEIGHTS_NPZ,
};

/* Read BYTES, which must stay until hc_weights_close(). */
enum hc_code hc_weights_read(enum hc_weights_format format, struct hc_text bytes,
                             struct hc_weights **weights, struct hc_error *error);

/* The tensor of that name, or NULL. */
const struct hc_weights_tensor *hc_weights_find(const struct hc_weights *weights,
                                                struct hc_text name);

/* The attribute of that name, or NULL. */
const struct hc_weights_attribute *hc_weights_attribute(const struct hc_weights_module *module,
                                                        const char *name);

#endif
