/* Memory from the heap, for those who cannot go on without it. */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *memory) {
    if (memory == NULL) {
        fputs("hippocamp: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *hc_alloc(size_t size) {
    return or_die(calloc(1, size > 0 ? size : 1));
}

void *hc_alloc_array(size_t n, size_t item_size) {
    return or_die(calloc(n > 0 ? n : 1, item_size > 0 ? item_size : 1));
}

void *hc_realloc(void *memory, size_t size) {
    return or_die(realloc(memory, size > 0 ? size : 1));
}

void *hc_alloc_try(size_t size) {
    return malloc(size > 0 ? size : 1);
}

char *hc_strdup(const char *text) {
    return or_die(strdup(text));
}

char *hc_strndup(const char *text, size_t size) {
    char *copy = or_die(malloc(size + 1));
    if (size > 0) {
        memcpy(copy, text, size);
    }
    copy[size] = '\0';
    return copy;
}

char *hc_format(const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&text, format, args);
    va_end(args);
    return or_die(size < 0 ? NULL : text);
}
