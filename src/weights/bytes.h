/*
 * Reading little-endian numbers from bytes that may end anywhere.
 *
 * Every function takes what it reads off the front, and returns false, having taken nothing, when
 * there is not enough.
 */
#ifndef HC_WEIGHTS_BYTES_H
#define HC_WEIGHTS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

struct bytes {
    const char *data;
    size_t size;
    size_t at; /* never beyond size */
};

static inline size_t bytes_left(const struct bytes *bytes) {
    return bytes->size - bytes->at;
}

static inline bool bytes_text(struct bytes *bytes, uint64_t size, struct hc_text *text) {
    if (size > bytes_left(bytes)) {
        return false;
    }
    *text = (struct hc_text){bytes->data + bytes->at, (size_t)size};
    bytes->at += (size_t)size;
    return true;
}

/* An unsigned number of WIDTH bytes, 8 at most. */
static inline bool bytes_number(struct bytes *bytes, size_t width, uint64_t *number) {
    struct hc_text text;
    if (!bytes_text(bytes, width, &text)) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = width; i-- > 0;) {
        value = value << 8 | (uint8_t)text.data[i];
    }
    *number = value;
    return true;
}

/* Everything up to the next newline, which is taken as well. */
static inline bool bytes_line(struct bytes *bytes, struct hc_text *line) {
    const char *begin = bytes->data + bytes->at;
    const char *end = bytes_left(bytes) > 0 ? memchr(begin, '\n', bytes_left(bytes)) : NULL;
    if (end == NULL) {
        return false;
    }
    *line = (struct hc_text){begin, (size_t)(end - begin)};
    bytes->at += line->size + 1;
    return true;
}

#endif
