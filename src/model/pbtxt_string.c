/* The content of string tokens. */
#include "base/utf8.h"
#include "pbtxt_lexer.h"

static bool digit_value(char c, unsigned base, unsigned *value) {
    unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') : (unsigned)(c | 0x20) - 'a' + 10;
    if (digit >= base) {
        return false;
    }
    *value = digit;
    return true;
}

/* A number of at most N_MAX digits at *PLACE, which goes behind it; false when there are fewer
 * than N_MIN. */
static bool read_digits(const char **place, const char *end, unsigned base, unsigned n_min,
                        unsigned n_max, uint32_t *number) {
    uint32_t value = 0;
    unsigned n = 0;
    unsigned digit;
    while (n < n_max && *place < end && digit_value(**place, base, &digit)) {
        value = value * base + digit;
        (*place)++;
        n++;
    }
    *number = value;
    return n >= n_min;
}

static bool is_surrogate(uint32_t code, uint32_t first) {
    return code >= first && code < first + 0x400;
}

/* \uXXXX, of which two may be a surrogate pair, and \UXXXXXXXX. */
static bool decode_unicode(const char **place, const char *end, unsigned n_digits,
                           struct hc_buf *bytes) {
    uint32_t code;
    uint32_t low;
    if (!read_digits(place, end, 16, n_digits, n_digits, &code)) {
        return false;
    }
    if (is_surrogate(code, 0xd800) && end - *place > 2 && (*place)[0] == '\\' &&
        (*place)[1] == 'u') {
        const char *next = *place + 2;
        if (read_digits(&next, end, 16, 4, 4, &low) && is_surrogate(low, 0xdc00)) {
            *place = next;
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    if (code > 0x10ffff) {
        return false;
    }
    hc_utf8_append_code(bytes, code); /* half a pair is not UTF-8 and is replaced later */
    return true;
}

/* The escape behind the backslash at *PLACE. */
static bool decode_escape(const char **place, const char *end, struct hc_buf *bytes) {
    static const char letters[] = "abfnrtv\\?'\"";
    static const char meanings[] = "\a\b\f\n\r\t\v\\?'\"";
    uint32_t code;
    if (read_digits(place, end, 8, 1, 3, &code)) {
        hc_buf_append_char(bytes, (char)code);
        return true;
    }
    char c = *(*place)++;
    const char *letter = c != '\0' ? strchr(letters, c) : NULL;
    if (letter != NULL) {
        hc_buf_append_char(bytes, meanings[letter - letters]);
        return true;
    }
    if (c == 'x' || c == 'X') {
        bool ok = read_digits(place, end, 16, 1, 2, &code);
        hc_buf_append_char(bytes, (char)code);
        return ok;
    }
    return (c == 'u' && decode_unicode(place, end, 4, bytes)) ||
           (c == 'U' && decode_unicode(place, end, 8, bytes));
}

enum hc_code hc_lexer_decode(struct hc_lexer *lexer, const struct hc_token *token,
                             struct hc_buf *content) {
    hc_auto_buf bytes = {0};
    const char *place = token->text.data + 1;
    const char *end = token->text.data + token->text.size - 1;
    while (place < end) {
        struct hc_token here = *token;
        here.column += (size_t)(place - token->text.data);
        char c = *place++;
        if (c != '\\') {
            hc_buf_append_char(&bytes, c);
        } else if (!decode_escape(&place, end, &bytes)) {
            return hc_lexer_fail(lexer, &here, "a string has no such escape");
        }
    }
    if (bytes.size > 0 && memchr(bytes.data, '\0', bytes.size) != NULL) {
        return hc_lexer_fail(lexer, token, "a string cannot hold a NUL byte");
    }
    hc_utf8_append(content, hc_buf_text(&bytes));
    return HC_OK;
}
