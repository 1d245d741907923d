/* Classification of outputs. */
#include "core/classify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "tensor/bytes.h"
#include "tensor/shape.h"

/* One element. Long doubles hold every value of every type. */
struct candidate {
    long double value;
    size_t index;
};

#define LOAD(type, place)                                                                          \
    ({                                                                                             \
        type value_;                                                                               \
        memcpy(&value_, (place), sizeof value_);                                                   \
        (long double)value_;                                                                       \
    })

static long double load(enum hc_dtype dtype, const char *place) {
    switch (dtype) {
    case HC_DTYPE_UINT8:
        return LOAD(uint8_t, place);
    case HC_DTYPE_UINT16:
        return LOAD(uint16_t, place);
    case HC_DTYPE_UINT32:
        return LOAD(uint32_t, place);
    case HC_DTYPE_UINT64:
        return LOAD(uint64_t, place);
    case HC_DTYPE_INT8:
        return LOAD(int8_t, place);
    case HC_DTYPE_INT16:
        return LOAD(int16_t, place);
    case HC_DTYPE_INT32:
        return LOAD(int32_t, place);
    case HC_DTYPE_INT64:
        return LOAD(int64_t, place);
    case HC_DTYPE_FP32:
        return LOAD(float, place);
    default:
        return LOAD(double, place);
    }
}

static bool is_real(enum hc_dtype dtype) {
    return dtype == HC_DTYPE_FP32 || dtype == HC_DTYPE_FP64;
}

static bool has_classes(enum hc_dtype dtype) {
    return is_real(dtype) || (dtype >= HC_DTYPE_UINT8 && dtype <= HC_DTYPE_INT64);
}

/* Whether A comes before B. What is no number comes last. */
static bool is_better(const struct candidate *a, const struct candidate *b) {
    if (isnan(a->value) || isnan(b->value)) {
        return isnan(a->value) == isnan(b->value) ? a->index < b->index : isnan(b->value);
    }
    return a->value != b->value ? a->value > b->value : a->index < b->index;
}

static int compare(const void *a, const void *b) {
    return is_better(a, b) ? -1 : 1;
}

/* Let the worst of a heap's N candidates rise to its top from below PLACE. */
static void sift_down(struct candidate *heap, size_t n, size_t place) {
    for (;;) {
        size_t worst = place;
        for (size_t child = 2 * place + 1; child <= 2 * place + 2 && child < n; child++) {
            worst = is_better(&heap[worst], &heap[child]) ? child : worst;
        }
        if (worst == place) {
            return;
        }
        struct candidate swapped = heap[place];
        heap[place] = heap[worst];
        heap[worst] = swapped;
        place = worst;
    }
}

/* The N_BEST > 0 of N elements, in order. */
static void choose(enum hc_dtype dtype, const char *data, size_t n, size_t n_best,
                   struct candidate *best) {
    size_t element_size = hc_dtype_size(dtype);
    for (size_t i = 0; i < n_best; i++) {
        best[i] = (struct candidate){load(dtype, data + i * element_size), i};
    }
    for (size_t i = n_best / 2; i-- > 0;) {
        sift_down(best, n_best, i);
    }
    for (size_t i = n_best; i < n; i++) {
        struct candidate candidate = {load(dtype, data + i * element_size), i};
        if (is_better(&candidate, &best[0])) {
            best[0] = candidate;
            sift_down(best, n_best, 0);
        }
    }
    qsort(best, n_best, sizeof *best, compare);
}

static void append_class(struct hc_buf *buf, const struct hc_model_io *io, enum hc_dtype dtype,
                         const struct candidate *candidate) {
    hc_auto_buf text = {0};
    hc_buf_appendf(&text, is_real(dtype) ? "%Lf:%zu" : "%.0Lf:%zu", candidate->value,
                   candidate->index);
    if (io != NULL && candidate->index < io->n_labels && io->labels[candidate->index].size > 0) {
        hc_buf_append_char(&text, ':');
        hc_buf_append_text(&text, io->labels[candidate->index]);
    }
    hc_bytes_put_prefix(hc_buf_reserve(buf, HC_BYTES_PREFIX_SIZE), (uint32_t)text.size);
    hc_buf_commit(buf, HC_BYTES_PREFIX_SIZE);
    hc_buf_append_text(buf, hc_buf_text(&text));
}

/* How the elements are divided: into rows of a batch, which there is one of without batches. */
struct rows {
    bool batched;
    size_t n;
    size_t n_elements; /* of each */
    size_t n_best;     /* wanted of each */
};

static enum hc_code divide(const struct hc_model *model, const struct hc_output *output,
                           uint64_t count, struct rows *rows, struct hc_error *error) {
    bool batched = model->max_batch_size > 0 && output->n_dims > 0;
    int64_t n_elements;
    size_t size;
    if (!hc_shape_byte_size(output->dtype, output->dims, output->n_dims, &size) ||
        size != output->size ||
        !hc_shape_count(output->dims + batched, output->n_dims - batched, &n_elements)) {
        return hc_error_set(error, HC_INTERNAL,
                            "output tensor shape does not match size of output for '%.*s'",
                            HC_TEXT_ARGS(output->name));
    }
    rows->batched = batched;
    rows->n = batched ? (size_t)output->dims[0] : 1;
    rows->n_elements = (size_t)n_elements;
    rows->n_best = count < rows->n_elements ? (size_t)count : rows->n_elements;
    return HC_OK;
}

static enum hc_code no_memory(struct hc_error *error) {
    return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for the classes of an output");
}

static enum hc_code append_classes(const struct hc_model *model, const struct hc_output *output,
                                   const struct rows *rows, struct hc_buf *buf,
                                   struct hc_error *error) {
    const struct hc_model_io *io = hc_model_find_output(model, output->name);
    size_t row_size = rows->n_elements * hc_dtype_size(output->dtype);
    size_t best_size;
    hc_auto(memory) best = hc_size_mul(rows->n_best, sizeof(struct candidate), &best_size)
                               ? hc_alloc_try(best_size + 1)
                               : NULL;
    if (best == NULL) {
        return no_memory(error);
    }
    for (size_t i = 0; i < rows->n && rows->n_best > 0; i++) {
        struct candidate *candidates = best;
        choose(output->dtype, output->data + i * row_size, rows->n_elements, rows->n_best,
               candidates);
        for (size_t j = 0; j < rows->n_best; j++) {
            append_class(buf, io, output->dtype, &candidates[j]);
        }
    }
    return HC_OK;
}

enum hc_code hc_classify(const struct hc_model *model, const struct hc_output *output,
                         uint64_t count, struct hc_pool *pool, struct hc_output *classes,
                         struct hc_error *error) {
    hc_auto_buf texts = {0};
    struct rows rows;
    if (!has_classes(output->dtype)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "class result not available for output due to unsupported type '%s'",
                            hc_dtype_name(output->dtype));
    }
    HC_TRY(divide(model, output, count, &rows, error));
    HC_TRY(append_classes(model, output, &rows, &texts, error));
    char *data = hc_pool_alloc_try(pool, texts.size + 1, 1);
    if (data == NULL) {
        return no_memory(error);
    }
    if (texts.size > 0) {
        memcpy(data, texts.data, texts.size);
    }
    int64_t *dims = hc_pool_alloc(pool, 2 * sizeof *dims);
    dims[0] = (int64_t)rows.n;
    dims[1] = (int64_t)rows.n_best;
    size_t n_dims = rows.batched ? 2 : 1;
    *classes = (struct hc_output){
        .name = output->name,
        .dtype = HC_DTYPE_BYTES,
        .dims = dims + 2 - n_dims,
        .n_dims = n_dims,
        .data = data,
        .size = texts.size,
    };
    return HC_OK;
}
