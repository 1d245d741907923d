/* Base64: six bits a letter. */
#include "wire/base64.h"

#include <stdint.h>

static int value_of(char c) {
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

/* The text without its padding; false when it has more than fits. */
static bool strip_padding(struct hc_text *text) {
    size_t size = text->size;
    while (text->size > 0 && text->data[text->size - 1] == '=') {
        text->size--;
    }
    return size == text->size || (size % 4 == 0 && size - text->size <= 2);
}

bool hc_base64_decode(struct hc_text text, char *place, size_t *size) {
    uint32_t bits = 0;
    size_t n = 0;
    if (!strip_padding(&text) || text.size % 4 == 1) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        int value = value_of(text.data[i]);
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 0) {
            place[n++] = (char)(bits >> (2 * (3 - i % 4)));
        }
    }
    *size = n;
    return true;
}
