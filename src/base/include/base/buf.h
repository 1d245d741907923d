/*
 * A growing array of bytes, for building texts and messages and for what a socket delivers.
 *
 * struct hc_buf is plain data: zeroed is empty; hc_buf_finish() releases it and leaves it empty.
 * Bytes live from data[0] to data[size - 1]; pointers into it hold until the next call that adds.
 */
#ifndef HC_BASE_BUF_H
#define HC_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

struct hc_buf {
    char *data;
    size_t size;
    size_t capacity;
};

void hc_buf_finish(struct hc_buf *buf);

/*
 * Make room for SIZE more bytes and return where they go; size grows only by hc_buf_commit().
 * hc_buf_reserve() ends the process when there is no memory; hc_buf_reserve_try() returns NULL,
 * and is the one for sizes that came from outside.
 */
char *hc_buf_reserve(struct hc_buf *buf, size_t size) __attribute__((returns_nonnull));
char *hc_buf_reserve_try(struct hc_buf *buf, size_t size);

static inline void hc_buf_commit(struct hc_buf *buf, size_t size) {
    buf->size += size;
}

static inline void hc_buf_append(struct hc_buf *buf, const void *data, size_t size) {
    if (size > 0) {
        memcpy(hc_buf_reserve(buf, size), data, size);
        buf->size += size;
    }
}

static inline void hc_buf_append_text(struct hc_buf *buf, struct hc_text text) {
    hc_buf_append(buf, text.data, text.size);
}

static inline void hc_buf_append_string(struct hc_buf *buf, const char *string) {
    hc_buf_append(buf, string, strlen(string));
}

static inline void hc_buf_append_char(struct hc_buf *buf, char c) {
    *hc_buf_reserve(buf, 1) = c;
    buf->size++;
}

void hc_buf_appendf(struct hc_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void hc_buf_appendfv(struct hc_buf *buf, const char *format, va_list args);

/* Drop the first SIZE bytes, moving the rest to the front. */
void hc_buf_consume(struct hc_buf *buf, size_t size);

static inline void hc_buf_clear(struct hc_buf *buf) {
    buf->size = 0;
}

/* End the text with a NUL that does not count and return it; still owned by BUF. */
const char *hc_buf_string(struct hc_buf *buf);

/* The text with a NUL, now owned by the caller (free()); BUF is empty afterwards. */
char *hc_buf_take(struct hc_buf *buf);

static inline struct hc_text hc_buf_text(const struct hc_buf *buf) {
    return (struct hc_text){buf->data, buf->size};
}

#define hc_auto_buf __attribute__((cleanup(hc_buf_finish))) struct hc_buf

#endif
