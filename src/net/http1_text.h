/*
 * The characters and the lines that HTTP/1.1 is made of, shared by the readers of heads and bodies.
 */
#ifndef HC_NET_HTTP1_TEXT_H
#define HC_NET_HTTP1_TEXT_H

#include "net/http1.h"

enum {
    HC_HTTP1_TOKEN = 1, /* RFC 9110 tchar */
    HC_HTTP1_FIELD = 2, /* in a field's value: visible, blank, tab, or beyond ASCII */
    HC_HTTP1_URI = 4,   /* in a path or query, RFC 3986 pchar, "/" and "?"; "%" is checked apart */
    HC_HTTP1_HOST = 8,  /* in a registered name, "%" likewise */
    HC_HTTP1_IPV6 = 16, /* between brackets */
    HC_HTTP1_HEX = 32,
};

extern const unsigned char hc_http1_classes[256];

static inline bool hc_http1_is(char c, unsigned classes) {
    return (hc_http1_classes[(unsigned char)c] & classes) != 0;
}

/* The number of bytes at the start of TEXT that are of one of the classes. */
static inline size_t hc_http1_span(struct hc_text text, unsigned classes) {
    size_t i = 0;
    while (i < text.size && hc_http1_is(text.data[i], classes)) {
        i++;
    }
    return i;
}

static inline bool hc_http1_is_blank(char c) {
    return c == ' ' || c == '\t';
}

static inline struct hc_text hc_http1_skip(struct hc_text text, size_t size) {
    return (struct hc_text){text.data + size, text.size - size};
}

/* Without blanks and tabs around it. */
struct hc_text hc_http1_trim(struct hc_text text);

/* All bytes of the given class, and each '%' followed by two hexadecimal digits. */
bool hc_http1_is_encoded(struct hc_text text, unsigned classes);

/* A host and an optional port, as in Host and in an absolute target; an empty one too. */
bool hc_http1_is_authority(struct hc_text text);

/* Read a header or trailer line, given without its CRLF; false when it is not one. */
bool hc_http1_read_field(struct hc_text line, struct hc_http_header *field);

/*
 * Cut the next item off a comma-separated list, trimmed and perhaps empty; false at the end.
 */
bool hc_http1_next_item(struct hc_text *list, struct hc_text *item);

#endif
