/* What the readers of the formats share: mappings, and tensors that are checked as they are added.
 */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "tensor/shape.h"

static void add_mapping(struct hc_weights_reader *reader, char *base, size_t size, bool mapped) {
    struct mapping *mapping = hc_pool_alloc(&reader->pool, sizeof *mapping);
    *mapping = (struct mapping){base, size, mapped, reader->mappings};
    reader->mappings = mapping;
}

void hc_weights_close(struct hc_weights *weights) {
    if (weights == NULL) {
        return;
    }
    struct hc_weights_reader *reader = weights->_reader;
    for (struct mapping *mapping = reader->mappings; mapping != NULL; mapping = mapping->next) {
        if (mapping->mapped) {
            munmap(mapping->base, mapping->size);
        } else {
            free(mapping->base);
        }
    }
    free(reader->by_name);
    free(reader->tensors);
    free(reader->modules);
    hc_pool_finish(&reader->pool);
    free(reader);
}

static enum hc_code fail(const char *what, struct hc_error *error) {
    enum hc_code code = errno == ENOENT || errno == ENOTDIR ? HC_NOT_FOUND : HC_INTERNAL;
    return hc_error_set(error, code, "%s: %s", what, strerror(errno));
}

enum hc_code reader_map(struct hc_weights_reader *reader, const char *path, struct hc_text *bytes,
                        struct hc_error *error) {
    struct stat status;
    hc_auto(fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0) {
        return fail("cannot be opened", error);
    }
    if (!S_ISREG(status.st_mode)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "is not a file");
    }
    if (status.st_size == 0) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "is empty");
    }
    size_t size = (size_t)status.st_size;
    char *base = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (base == MAP_FAILED) {
        return fail("cannot be mapped", error);
    }
    madvise(base, size, MADV_SEQUENTIAL);
    add_mapping(reader, base, size, true);
    reader->result.content_size += size;
    *bytes = (struct hc_text){base, size};
    return HC_OK;
}

enum hc_code reader_memory(struct hc_weights_reader *reader, size_t size, char **memory,
                           struct hc_error *error) {
    char *base = hc_alloc_try(size);
    if (base == NULL) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "no memory for %zu bytes of weights",
                            size);
    }
    add_mapping(reader, base, size, false);
    *memory = base;
    return HC_OK;
}

bool reader_set_strides(struct hc_weights_tensor *tensor, bool first_runs_fastest) {
    int64_t stride = 1;
    for (size_t i = 0; i < tensor->n_dims; i++) {
        size_t dim = first_runs_fastest ? i : tensor->n_dims - 1 - i;
        tensor->strides[dim] = stride;
        int64_t extent = tensor->dims[dim] > 0 ? tensor->dims[dim] : 1;
        if (__builtin_mul_overflow(stride, extent, &stride)) {
            return false;
        }
    }
    return true;
}

/* The elements from the first to the last of the tensor; false when they cannot be counted. */
static bool count_span(const struct hc_weights_tensor *tensor, uint64_t *span) {
    uint64_t last = 0;
    for (size_t i = 0; i < tensor->n_dims; i++) {
        uint64_t distance;
        if (tensor->strides[i] < 0 ||
            __builtin_mul_overflow((uint64_t)tensor->dims[i] - 1, (uint64_t)tensor->strides[i],
                                   &distance) ||
            __builtin_add_overflow(last, distance, &last)) {
            return false;
        }
    }
    return !__builtin_add_overflow(last, 1, span);
}

enum hc_code reader_add(struct hc_weights_reader *reader, const struct hc_weights_tensor *tensor,
                        uint64_t n_elements, struct hc_error *error) {
    int64_t count;
    uint64_t span = 0;
    if (!hc_shape_count(tensor->dims, tensor->n_dims, &count) ||
        (count > 0 && !count_span(tensor, &span))) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "tensor '%.*s' has a shape that makes no sense",
                            HC_TEXT_ARGS(tensor->name));
    }
    if ((uint64_t)count > n_elements || span > n_elements) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "tensor '%.*s' of %lld elements reaches beyond the %llu that there are",
                            HC_TEXT_ARGS(tensor->name), (long long)count,
                            (unsigned long long)n_elements);
    }
    size_t n = reader->result.n_tensors;
    if (n == MAX_TENSORS) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "has more than %d tensors", MAX_TENSORS);
    }
    if (n == reader->tensors_capacity) {
        reader->tensors_capacity = n > 0 ? 2 * n : 16;
        reader->tensors =
            hc_realloc(reader->tensors, reader->tensors_capacity * sizeof *reader->tensors);
    }
    reader->tensors[n] = *tensor;
    reader->result.n_tensors = n + 1;
    return HC_OK;
}

enum hc_code reader_add_module(struct hc_weights_reader *reader,
                               const struct hc_weights_module *module, struct hc_error *error) {
    size_t n = reader->result.n_modules;
    if (n == MAX_MODULES) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "has more than %d layers", MAX_MODULES);
    }
    if (n == reader->modules_capacity) {
        reader->modules_capacity = n > 0 ? 2 * n : 16;
        reader->modules =
            hc_realloc(reader->modules, reader->modules_capacity * sizeof *reader->modules);
    }
    reader->modules[n] = *module;
    reader->result.n_modules = n + 1;
    return HC_OK;
}

struct hc_text reader_join(struct hc_weights_reader *reader, struct hc_text prefix,
                           struct hc_text name) {
    if (prefix.size == 0) {
        return name;
    }
    size_t size = prefix.size + 1 + name.size;
    char *joined = hc_pool_alloc(&reader->pool, size);
    memcpy(joined, prefix.data, prefix.size);
    joined[prefix.size] = '.';
    memcpy(joined + prefix.size + 1, name.data, name.size);
    return (struct hc_text){joined, size};
}
