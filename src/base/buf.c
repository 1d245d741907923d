/* A growing array of bytes. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { BUF_MIN_CAPACITY = 256 };

void hc_buf_finish(struct hc_buf *buf) {
    free(buf->data);
    *buf = (struct hc_buf){0};
}

char *hc_buf_reserve_try(struct hc_buf *buf, size_t size) {
    size_t needed;
    if (!hc_size_add(buf->size, size, &needed)) {
        return NULL;
    }
    if (needed > buf->capacity || buf->data == NULL) {
        size_t capacity = buf->capacity + buf->capacity / 2;
        if (capacity < needed) {
            capacity = needed;
        }
        if (capacity < BUF_MIN_CAPACITY) {
            capacity = BUF_MIN_CAPACITY;
        }
        char *data = realloc(buf->data, capacity);
        if (data == NULL) {
            return NULL;
        }
        buf->data = data;
        buf->capacity = capacity;
    }
    return buf->data + buf->size;
}

char *hc_buf_reserve(struct hc_buf *buf, size_t size) {
    char *place = hc_buf_reserve_try(buf, size);
    if (place == NULL) {
        fputs("hippocamp: out of memory\n", stderr);
        abort();
    }
    return place;
}

void hc_buf_appendfv(struct hc_buf *buf, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    size_t room = buf->capacity - buf->size;
    int size = vsnprintf(room > 0 ? buf->data + buf->size : NULL, room, format, args);
    if (size >= 0 && (size_t)size >= room) {
        char *place = hc_buf_reserve(buf, (size_t)size + 1);
        vsnprintf(place, (size_t)size + 1, format, again);
    }
    va_end(again);
    if (size > 0) {
        buf->size += (size_t)size;
    }
}

void hc_buf_appendf(struct hc_buf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    hc_buf_appendfv(buf, format, args);
    va_end(args);
}

void hc_buf_consume(struct hc_buf *buf, size_t size) {
    if (size >= buf->size) {
        buf->size = 0;
        return;
    }
    if (size > 0) {
        memmove(buf->data, buf->data + size, buf->size - size);
        buf->size -= size;
    }
}

const char *hc_buf_string(struct hc_buf *buf) {
    *hc_buf_reserve(buf, 1) = '\0';
    return buf->data;
}

char *hc_buf_take(struct hc_buf *buf) {
    hc_buf_string(buf);
    char *data = buf->data;
    *buf = (struct hc_buf){0};
    return data;
}
