/*
 * safetensors: eight bytes with the size of a JSON header, the header, the tensors' bytes. The
 * format wants them side by side, without holes or overlaps, and so do we.
 *
 *     {"__metadata__": {…}, "weight": {"dtype": "F32", "shape": [4, 3], "data_offsets": [0, 48]}}
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bytes.h"
#include "reader.h"
#include "tensor/shape.h"

enum { MAX_HEADER_SIZE = 16 << 20 };

HC_CLEANUP(json, cJSON *, cJSON_Delete);

static const struct {
    const char *name;
    enum hc_dtype dtype;
} dtype_rows[] = {
    {"F64", HC_DTYPE_FP64},  {"F32", HC_DTYPE_FP32},  {"F16", HC_DTYPE_FP16},
    {"BF16", HC_DTYPE_BF16}, {"I64", HC_DTYPE_INT64}, {"I32", HC_DTYPE_INT32},
    {"I16", HC_DTYPE_INT16}, {"I8", HC_DTYPE_INT8},   {"U8", HC_DTYPE_UINT8},
    {"BOOL", HC_DTYPE_BOOL},
};

static enum hc_code broken(const char *what, struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT, "is not a sound safetensors file: %s", what);
}

static enum hc_dtype find_dtype(const char *name) {
    for (size_t i = 0; name != NULL && i < sizeof dtype_rows / sizeof dtype_rows[0]; i++) {
        if (strcmp(name, dtype_rows[i].name) == 0) {
            return dtype_rows[i].dtype;
        }
    }
    return HC_DTYPE_INVALID;
}

/* A whole number that a double holds exactly. */
static bool read_number(const cJSON *item, uint64_t *number) {
    static const double limit = 9007199254740992.0; /* 2^53 */
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= limit) ||
        item->valuedouble != (double)(uint64_t)item->valuedouble) {
        return false;
    }
    *number = (uint64_t)item->valuedouble;
    return true;
}

static bool read_shape(const cJSON *shape, struct hc_weights_tensor *tensor) {
    const cJSON *item;
    if (!cJSON_IsArray(shape)) {
        return false;
    }
    cJSON_ArrayForEach(item, shape) {
        uint64_t extent;
        if (tensor->n_dims == HC_WEIGHTS_MAX_DIMS || !read_number(item, &extent)) {
            return false;
        }
        tensor->dims[tensor->n_dims++] = (int64_t)extent;
    }
    return true;
}

/* Where the tensor's bytes are, once it is certain that they are as many as it needs. */
static enum hc_code place(const cJSON *item, struct hc_text content,
                          struct hc_weights_tensor *tensor, struct hc_error *error) {
    uint64_t begin;
    uint64_t end;
    size_t size;
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(item, "data_offsets");
    if (!read_shape(cJSON_GetObjectItemCaseSensitive(item, "shape"), tensor) ||
        cJSON_GetArraySize(offsets) != 2 || !read_number(cJSON_GetArrayItem(offsets, 0), &begin) ||
        !read_number(cJSON_GetArrayItem(offsets, 1), &end)) {
        return broken("a tensor has no shape or place", error);
    }
    if (begin > end || end > content.size) {
        return broken("a tensor reaches beyond the end", error);
    }
    if (!hc_shape_byte_size(tensor->dtype, tensor->dims, tensor->n_dims, &size) ||
        size != end - begin || !reader_set_strides(tensor, false)) {
        return broken("a tensor's place is not of its shape's size", error);
    }
    tensor->data = content.data + begin;
    return HC_OK;
}

static enum hc_code add_tensor(struct hc_weights_reader *reader, const cJSON *item,
                               struct hc_text content, struct hc_error *error) {
    const char *dtype = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "dtype"));
    struct hc_text name = hc_text_of(item->string);
    struct hc_weights_tensor tensor = {
        .name = {hc_pool_copy(&reader->pool, name), name.size},
        .dtype = find_dtype(dtype),
    };
    if (tensor.dtype == HC_DTYPE_INVALID) {
        return hc_error_set(error, HC_UNIMPLEMENTED, "tensor '%s' is of a type that is not known",
                            item->string);
    }
    HC_TRY(place(item, content, &tensor, error));
    return reader_add(reader, &tensor, UINT64_MAX, error);
}

static int compare_places(const void *a, const void *b) {
    const struct hc_weights_tensor *first = *(const struct hc_weights_tensor *const *)a;
    const struct hc_weights_tensor *second = *(const struct hc_weights_tensor *const *)b;
    return (first->data > second->data) - (first->data < second->data);
}

/* The tensors from FIRST on must fill CONTENT. Empty ones are nowhere. */
static enum hc_code check_apart(const struct hc_weights_reader *reader, size_t first,
                                struct hc_text content, struct hc_error *error) {
    size_t n = reader->result.n_tensors - first;
    hc_auto(memory) memory = hc_alloc_array(n, sizeof(struct hc_weights_tensor *));
    const struct hc_weights_tensor **sorted = memory;
    for (size_t i = 0; i < n; i++) {
        sorted[i] = &reader->tensors[first + i];
    }
    qsort(sorted, n, sizeof(struct hc_weights_tensor *), compare_places);
    const char *end = content.data;
    for (size_t i = 0; i < n; i++) {
        size_t size = 0;
        hc_shape_byte_size(sorted[i]->dtype, sorted[i]->dims, sorted[i]->n_dims, &size);
        if (size > 0 && sorted[i]->data != end) {
            return broken(sorted[i]->data < end ? "tensors overlap" : "there is a hole", error);
        }
        end += size;
    }
    return end == content.data + content.size ? HC_OK
                                              : broken("there are bytes of no tensor", error);
}

enum hc_code read_safetensors(struct hc_weights_reader *reader, struct hc_text bytes,
                              struct hc_error *error) {
    struct bytes rest = {bytes.data, bytes.size, 0};
    uint64_t size;
    struct hc_text header;
    if (!bytes_number(&rest, 8, &size) || size > MAX_HEADER_SIZE ||
        !bytes_text(&rest, size, &header)) {
        return broken("its header is cut short or too large", error);
    }
    struct hc_text content = {bytes.data + rest.at, bytes_left(&rest)};
    hc_auto(json) json = cJSON_ParseWithLength(header.data, header.size);
    if (!cJSON_IsObject(json)) {
        return broken("its header is not a JSON object", error);
    }
    size_t first = reader->result.n_tensors;
    const cJSON *item;
    cJSON_ArrayForEach(item, json) {
        if (strcmp(item->string, "__metadata__") != 0) {
            HC_TRY(add_tensor(reader, item, content, error));
        }
    }
    return check_apart(reader, first, content, error);
}
