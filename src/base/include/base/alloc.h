/*
 * Memory from the heap.
 *
 * Two cases are kept apart. What the server needs for itself is small: hc_alloc() and its kin never
 * return NULL, and end the process with a message when there is no memory, since nothing sensible
 * is left to do. Sizes that a client, a file or another process chose go through hc_alloc_try(),
 * whose NULL becomes an error answer.
 */
#ifndef HC_BASE_ALLOC_H
#define HC_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory, released with free(). */
void *hc_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *hc_alloc_array(size_t n, size_t item_size) __attribute__((malloc, returns_nonnull));
void *hc_realloc(void *memory, size_t size) __attribute__((returns_nonnull));
char *hc_strdup(const char *text) __attribute__((malloc, returns_nonnull));
char *hc_strndup(const char *text, size_t size) __attribute__((malloc, returns_nonnull));
char *hc_format(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* Uninitialised memory, or NULL. */
void *hc_alloc_try(size_t size) __attribute__((malloc));

/* A zeroed struct of the given type: `struct hc_loop *loop = hc_new(struct hc_loop);` */
#define hc_new(type) ((type *)hc_alloc(sizeof(type)))

/* Sums and products of sizes; false when they overflow, and *RESULT is then untouched. */
static inline bool hc_size_add(size_t a, size_t b, size_t *result) {
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        return false;
    }
    *result = sum;
    return true;
}

static inline bool hc_size_mul(size_t a, size_t b, size_t *result) {
    size_t product;
    if (__builtin_mul_overflow(a, b, &product)) {
        return false;
    }
    *result = product;
    return true;
}

/* SIZE rounded up to a multiple of ALIGNMENT, a power of two. The caller knows it does not
 * overflow. */
static inline size_t hc_align_up(size_t size, size_t alignment) {
    return (size + alignment - 1) & ~(alignment - 1);
}

#endif
