/*
 * NumPy's files. The header of a .npy is a Python dictionary on one line,
 *
 *     {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 *
 * and an .npz is a zip archive of such files.
 */
#include <string.h>

#include "base/alloc.h"
#include "bytes.h"
#include "reader.h"
#include "zip.h"

static const char magic[] = "\x93NUMPY";

static enum hc_code broken(struct hc_text name, const char *what, struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT, "'%.*s' is not a sound .npy file: %s",
                        HC_TEXT_ARGS(name), what);
}

static void skip_blanks(struct bytes *header) {
    while (bytes_left(header) > 0 && strchr(" \t", header->data[header->at]) != NULL) {
        header->at++;
    }
}

/* Take TOKEN and the blanks around it. */
static bool take(struct bytes *header, const char *token) {
    skip_blanks(header);
    size_t size = strlen(token);
    if (bytes_left(header) < size || memcmp(header->data + header->at, token, size) != 0) {
        return false;
    }
    header->at += size;
    skip_blanks(header);
    return true;
}

static bool take_string(struct bytes *header, struct hc_text *string) {
    const char *begin = header->data + header->at + 1;
    const char *end;
    if (!take(header, "'") ||
        (end = memchr(header->data + header->at, '\'', bytes_left(header))) == NULL) {
        return false;
    }
    *string = (struct hc_text){begin, (size_t)(end - begin)};
    header->at = (size_t)(end - header->data);
    return take(header, "'");
}

static bool take_extent(struct bytes *header, int64_t *extent) {
    struct hc_text digits = {header->data + header->at, 0};
    while (digits.size < bytes_left(header) && digits.data[digits.size] >= '0' &&
           digits.data[digits.size] <= '9') {
        digits.size++;
    }
    uint64_t number;
    if (!hc_text_number(digits, INT64_MAX, &number)) {
        return false;
    }
    header->at += digits.size;
    *extent = (int64_t)number;
    return true;
}

static bool take_shape(struct bytes *header, struct hc_weights_tensor *tensor) {
    if (!take(header, "(")) {
        return false;
    }
    while (!take(header, ")")) {
        if (tensor->n_dims == HC_WEIGHTS_MAX_DIMS ||
            !take_extent(header, &tensor->dims[tensor->n_dims])) {
            return false;
        }
        tensor->n_dims++;
        if (!take(header, ",")) {
            return take(header, ")");
        }
    }
    return true;
}

static const struct {
    const char *descr;
    enum hc_dtype dtype;
} descr_rows[] = {
    {"<f4", HC_DTYPE_FP32},  {"<f8", HC_DTYPE_FP64},  {"<f2", HC_DTYPE_FP16},
    {"|i1", HC_DTYPE_INT8},  {"|u1", HC_DTYPE_UINT8}, {"<i2", HC_DTYPE_INT16},
    {"<i4", HC_DTYPE_INT32}, {"<i8", HC_DTYPE_INT64}, {"|b1", HC_DTYPE_BOOL},
};

static enum hc_dtype find_dtype(struct hc_text descr) {
    for (size_t i = 0; i < sizeof descr_rows / sizeof descr_rows[0]; i++) {
        if (hc_text_is(descr, descr_rows[i].descr)) {
            return descr_rows[i].dtype;
        }
    }
    return HC_DTYPE_INVALID;
}

/* One of the three members, which may come in any order. */
static bool take_member(struct bytes *header, struct hc_weights_tensor *tensor, bool *fortran) {
    struct hc_text key;
    struct hc_text descr;
    if (!take_string(header, &key) || !take(header, ":")) {
        return false;
    }
    if (hc_text_is(key, "descr") && take_string(header, &descr)) {
        tensor->dtype = find_dtype(descr);
        return true;
    }
    if (hc_text_is(key, "fortran_order")) {
        *fortran = take(header, "True");
        return *fortran || take(header, "False");
    }
    return hc_text_is(key, "shape") && take_shape(header, tensor);
}

static bool take_header(struct bytes *header, struct hc_weights_tensor *tensor, bool *fortran) {
    if (!take(header, "{")) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        if (!take_member(header, tensor, fortran) || (!take(header, ",") && i < 2)) {
            return false;
        }
    }
    return take(header, "}");
}

/* The text of the header, whose size has two bytes, or four from version 2 on. */
static bool find_header(struct bytes *bytes, struct hc_text *header) {
    struct hc_text begin;
    uint64_t version;
    uint64_t minor;
    uint64_t size;
    return bytes_text(bytes, sizeof magic - 1, &begin) && hc_text_is(begin, magic) &&
           bytes_number(bytes, 1, &version) && version >= 1 && version <= 3 &&
           bytes_number(bytes, 1, &minor) && bytes_number(bytes, version == 1 ? 2 : 4, &size) &&
           bytes_text(bytes, size, header);
}

enum hc_code read_npy(struct hc_weights_reader *reader, struct hc_text name, struct hc_text bytes,
                      struct hc_error *error) {
    struct bytes rest = {bytes.data, bytes.size, 0};
    struct hc_text text;
    struct hc_weights_tensor tensor = {.name = name};
    bool fortran = false;
    if (!find_header(&rest, &text)) {
        return broken(name, "it does not begin as one", error);
    }
    struct bytes header = {text.data, text.size, 0};
    if (!take_header(&header, &tensor, &fortran)) {
        return broken(name, "its header is not as NumPy writes it", error);
    }
    if (tensor.dtype == HC_DTYPE_INVALID) {
        return hc_error_set(error, HC_UNIMPLEMENTED,
                            "array '%.*s' is of a type that weights are not", HC_TEXT_ARGS(name));
    }
    if (!reader_set_strides(&tensor, fortran)) {
        return broken(name, "its shape is too large", error);
    }
    tensor.data = rest.data + rest.at;
    return reader_add(reader, &tensor, bytes_left(&rest) / hc_dtype_size(tensor.dtype), error);
}

enum hc_code read_npz(struct hc_weights_reader *reader, struct hc_text bytes,
                      struct hc_error *error) {
    static const size_t end_size = sizeof ".npy" - 1;
    struct zip zip;
    reader->archive_size = bytes.size;
    HC_TRY(zip_read(bytes, &reader->pool, &zip, error));
    for (size_t i = 0; i < zip.n_members; i++) {
        struct hc_text name = zip.members[i].name;
        if (name.size < end_size || memcmp(name.data + name.size - end_size, ".npy", 4) != 0) {
            return hc_error_set(error, HC_INVALID_ARGUMENT, "its member '%.*s' is not an array",
                                HC_TEXT_ARGS(name));
        }
        struct hc_text content;
        HC_TRY(zip_content(reader, &zip.members[i], &content, error));
        name.size -= end_size;
        HC_TRY(read_npy(reader, name, content, error));
    }
    return HC_OK;
}
