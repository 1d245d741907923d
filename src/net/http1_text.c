/* The characters and the lines that HTTP/1.1 is made of. */
#include "http1_text.h"

enum {
    ALNUM = HC_HTTP1_TOKEN | HC_HTTP1_FIELD | HC_HTTP1_URI | HC_HTTP1_HOST,
    HEXDIG = ALNUM | HC_HTTP1_IPV6 | HC_HTTP1_HEX,
    /* RFC 3986 sub-delims that tokens may hold or not; "-", "." and "_", "~" */
    TOKEN_DELIM = HC_HTTP1_TOKEN | HC_HTTP1_FIELD | HC_HTTP1_URI | HC_HTTP1_HOST,
    OTHER_DELIM = HC_HTTP1_FIELD | HC_HTTP1_URI | HC_HTTP1_HOST,
};

const unsigned char hc_http1_classes[256] = {
    ['\t'] = HC_HTTP1_FIELD,
    [' '] = HC_HTTP1_FIELD,
    ['0' ... '9'] = HEXDIG,
    ['A' ... 'F'] = HEXDIG,
    ['G' ... 'Z'] = ALNUM,
    ['a' ... 'f'] = HEXDIG,
    ['g' ... 'z'] = ALNUM,
    ['!'] = TOKEN_DELIM,
    ['$'] = TOKEN_DELIM,
    ['&'] = TOKEN_DELIM,
    ['\''] = TOKEN_DELIM,
    ['*'] = TOKEN_DELIM,
    ['+'] = TOKEN_DELIM,
    ['-'] = TOKEN_DELIM,
    ['.'] = TOKEN_DELIM | HC_HTTP1_IPV6,
    ['_'] = TOKEN_DELIM,
    ['~'] = TOKEN_DELIM,
    ['('] = OTHER_DELIM,
    [')'] = OTHER_DELIM,
    [','] = OTHER_DELIM,
    [';'] = OTHER_DELIM,
    ['='] = OTHER_DELIM,
    ['#'] = HC_HTTP1_TOKEN | HC_HTTP1_FIELD,
    ['%'] = HC_HTTP1_TOKEN | HC_HTTP1_FIELD,
    ['^'] = HC_HTTP1_TOKEN | HC_HTTP1_FIELD,
    ['`'] = HC_HTTP1_TOKEN | HC_HTTP1_FIELD,
    ['|'] = HC_HTTP1_TOKEN | HC_HTTP1_FIELD,
    ['/'] = HC_HTTP1_FIELD | HC_HTTP1_URI,
    ['?'] = HC_HTTP1_FIELD | HC_HTTP1_URI,
    ['@'] = HC_HTTP1_FIELD | HC_HTTP1_URI,
    [':'] = HC_HTTP1_FIELD | HC_HTTP1_URI | HC_HTTP1_IPV6,
    ['"'] = HC_HTTP1_FIELD,
    ['<'] = HC_HTTP1_FIELD,
    ['>'] = HC_HTTP1_FIELD,
    ['['] = HC_HTTP1_FIELD,
    [']'] = HC_HTTP1_FIELD,
    ['\\'] = HC_HTTP1_FIELD,
    ['{'] = HC_HTTP1_FIELD,
    ['}'] = HC_HTTP1_FIELD,
    [0x80 ... 0xff] = HC_HTTP1_FIELD,
};

struct hc_text hc_http1_trim(struct hc_text text) {
    while (text.size > 0 && hc_http1_is_blank(text.data[0])) {
        text = hc_http1_skip(text, 1);
    }
    while (text.size > 0 && hc_http1_is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

bool hc_http1_is_encoded(struct hc_text text, unsigned classes) {
    for (;;) {
        text = hc_http1_skip(text, hc_http1_span(text, classes));
        if (text.size == 0) {
            return true;
        }
        if (text.size < 3 || text.data[0] != '%' || !hc_http1_is(text.data[1], HC_HTTP1_HEX) ||
            !hc_http1_is(text.data[2], HC_HTTP1_HEX)) {
            return false;
        }
        text = hc_http1_skip(text, 3);
    }
}

/* A colon and any number of digits, or nothing. */
static bool is_port(struct hc_text text) {
    if (text.size == 0) {
        return true;
    }
    if (text.data[0] != ':') {
        return false;
    }
    for (size_t i = 1; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    return true;
}

bool hc_http1_is_authority(struct hc_text text) {
    if (text.size > 0 && text.data[0] == '[') {
        struct hc_text inner = hc_http1_skip(text, 1);
        size_t size = hc_http1_span(inner, HC_HTTP1_IPV6);
        return size > 0 && size < inner.size && inner.data[size] == ']' &&
               is_port(hc_http1_skip(inner, size + 1));
    }
    const char *colon = text.size > 0 ? memchr(text.data, ':', text.size) : NULL;
    size_t host_size = colon != NULL ? (size_t)(colon - text.data) : text.size;
    return hc_http1_is_encoded((struct hc_text){text.data, host_size}, HC_HTTP1_HOST) &&
           is_port(hc_http1_skip(text, host_size));
}

bool hc_http1_read_field(struct hc_text line, struct hc_http_header *field) {
    size_t name_size = hc_http1_span(line, HC_HTTP1_TOKEN);
    if (name_size == 0 || name_size == line.size || line.data[name_size] != ':') {
        return false;
    }
    struct hc_text value = hc_http1_skip(line, name_size + 1);
    if (hc_http1_span(value, HC_HTTP1_FIELD) != value.size) {
        return false;
    }
    field->name = (struct hc_text){line.data, name_size};
    field->value = hc_http1_trim(value);
    return true;
}

bool hc_http1_next_item(struct hc_text *list, struct hc_text *item) {
    if (list->data == NULL) {
        return false;
    }
    const char *comma = memchr(list->data, ',', list->size);
    size_t size = comma != NULL ? (size_t)(comma - list->data) : list->size;
    *item = hc_http1_trim((struct hc_text){list->data, size});
    *list = comma != NULL ? hc_http1_skip(*list, size + 1) : (struct hc_text){NULL, 0};
    return true;
}
