/* UTF-8. */
#include "base/utf8.h"

void hc_utf8_append_code(struct hc_buf *buf, uint32_t code) {
    if (code < 0x80) {
        hc_buf_append_char(buf, (char)code);
        return;
    }
    unsigned n_more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    hc_buf_append_char(buf, (char)(leads[n_more] | code >> (6 * n_more)));
    while (n_more > 0) {
        n_more--;
        hc_buf_append_char(buf, (char)(0x80 | (code >> (6 * n_more) & 0x3f)));
    }
}

/* The bytes of the character at DATA (RFC 3629), 0 when it is none. */
static size_t utf8_size(const unsigned char *data, size_t room) {
    unsigned char c = data[0];
    if (c < 0x80) {
        return 1;
    }
    size_t size = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || size > room) {
        return 0;
    }
    unsigned char least = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char most = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (data[1] < least || data[1] > most) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if ((data[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return size;
}

bool hc_utf8_valid(struct hc_text text) {
    for (size_t i = 0; i < text.size;) {
        size_t size = utf8_size((const unsigned char *)text.data + i, text.size - i);
        if (size == 0) {
            return false;
        }
        i += size;
    }
    return true;
}

void hc_utf8_append(struct hc_buf *buf, struct hc_text text) {
    for (size_t i = 0; i < text.size;) {
        size_t size = utf8_size((const unsigned char *)text.data + i, text.size - i);
        if (size > 0) {
            hc_buf_append(buf, text.data + i, size);
        } else {
            hc_buf_append_string(buf, "\xef\xbf\xbd");
        }
        i += size > 0 ? size : 1;
    }
}
