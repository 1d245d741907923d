/* Writing a string as JSON. */
#include "base/json_escape.h"

static const char short_escapes[32] = {
    ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
};

static bool needs_escape(unsigned char c) {
    return c < 0x20 || c == '"' || c == '\\';
}

static void append_escaped(struct hc_buf *buf, unsigned char c) {
    if (c >= 0x20) {
        hc_buf_append(buf, (char[]){'\\', (char)c}, 2);
    } else if (short_escapes[c] != '\0') {
        hc_buf_append(buf, (char[]){'\\', short_escapes[c]}, 2);
    } else {
        hc_buf_appendf(buf, "\\u%04X", c);
    }
}

void hc_json_append_string(struct hc_buf *buf, struct hc_text text) {
    hc_buf_append_char(buf, '"');
    size_t plain = 0; /* where the bytes begin that are not yet copied */
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (needs_escape(c)) {
            hc_buf_append(buf, text.data + plain, i - plain);
            append_escaped(buf, c);
            plain = i + 1;
        }
    }
    if (text.size > plain) {
        hc_buf_append(buf, text.data + plain, text.size - plain);
    }
    hc_buf_append_char(buf, '"');
}
