/* Strings of JSON text: where they end, what they decode to. */
#include <string.h>

#include "json_parts.h"

enum { BLOCK_SIZE = 64 };

static bool is_plain(char c) {
    return c != '"' && c != '\\' && (unsigned char)c >= 0x20;
}

/* Without a branch, so that compilers look at many bytes at a time. */
static bool block_is_plain(const char *block) {
    unsigned char others = 0;
    for (int i = 0; i < BLOCK_SIZE; i++) {
        unsigned char c = (unsigned char)block[i];
        others |= (unsigned char)((c == '"') | (c == '\\') | (c < 0x20));
    }
    return others == 0;
}

static uint64_t repeat(unsigned char byte) {
    return byte * UINT64_C(0x0101010101010101);
}

/* The highest bit of the first byte of WORD that is below LIMIT, and perhaps of later bytes. */
static uint64_t mark_below(uint64_t word, unsigned char limit) {
    return (word - repeat(limit)) & ~word & repeat(0x80);
}

/* As many of the eight bytes at PLACE as come before the first that is not plain. */
static size_t plain_bytes(const char *place) {
    uint64_t word;
    memcpy(&word, place, sizeof word);
    uint64_t others = mark_below(word ^ repeat('"'), 1) | mark_below(word ^ repeat('\\'), 1) |
                      mark_below(word, 0x20);
    return others == 0 ? 8 : (size_t)__builtin_ctzll(others) / 8;
}

size_t hc_json_plain_size(const char *place, const char *end) {
    const char *start = place;
    while (end - place >= BLOCK_SIZE && block_is_plain(place)) {
        place += BLOCK_SIZE;
    }
    while (end - place >= 8) {
        size_t size = plain_bytes(place);
        place += size;
        if (size < 8) {
            return (size_t)(place - start);
        }
    }
    while (place < end && is_plain(*place)) {
        place++;
    }
    return (size_t)(place - start);
}

/* The number of bytes that CODEPOINT takes as UTF-8, written to UTF8. Surrogates are let through.
 */
static size_t encode(uint32_t codepoint, char *utf8) {
    if (codepoint < 0x80) {
        utf8[0] = (char)codepoint;
        return 1;
    }
    if (codepoint < 0x800) {
        utf8[0] = (char)(0xc0 | codepoint >> 6);
        utf8[1] = (char)(0x80 | (codepoint & 0x3f));
        return 2;
    }
    if (codepoint < 0x10000) {
        utf8[0] = (char)(0xe0 | codepoint >> 12);
        utf8[1] = (char)(0x80 | (codepoint >> 6 & 0x3f));
        utf8[2] = (char)(0x80 | (codepoint & 0x3f));
        return 3;
    }
    utf8[0] = (char)(0xf0 | codepoint >> 18);
    utf8[1] = (char)(0x80 | (codepoint >> 12 & 0x3f));
    utf8[2] = (char)(0x80 | (codepoint >> 6 & 0x3f));
    utf8[3] = (char)(0x80 | (codepoint & 0x3f));
    return 4;
}

/* Four hexadecimal digits, past which PLACE moves. */
static bool read_hex(const char **place, const char *end, uint32_t *value) {
    uint32_t sum = 0;
    if (end - *place < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)*(*place)++;
        unsigned digit = c - '0';
        unsigned letter = (c | 0x20u) - 'a';
        if (digit > 9 && letter > 5) {
            return false;
        }
        sum = sum << 4 | (digit <= 9 ? digit : letter + 10);
    }
    *value = sum;
    return true;
}

static enum hc_json_failure read_codepoint(const char **place, const char *end,
                                           uint32_t *codepoint) {
    uint32_t first;
    uint32_t second;
    if (!read_hex(place, end, &first)) {
        return HC_JSON_BAD_HEX;
    }
    *codepoint = first;
    if (first < 0xd800 || first > 0xdbff) {
        return HC_JSON_NO_FAILURE;
    }
    if (end - *place < 2 || memcmp(*place, "\\u", 2) != 0) {
        return HC_JSON_BAD_SURROGATE;
    }
    *place += 2;
    if (!read_hex(place, end, &second)) {
        return HC_JSON_BAD_HEX;
    }
    *codepoint = ((first - 0xd800) << 10 | (second - 0xdc00)) + 0x10000;
    return second >= 0xdc00 && second <= 0xdfff ? HC_JSON_NO_FAILURE : HC_JSON_BAD_SURROGATE;
}

/* The escape at PLACE, which moves past it: its bytes, at most four, and their number. */
static enum hc_json_failure read_escape(const char **place, const char *end, char *utf8,
                                        size_t *size) {
    static const char plain[256] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };
    if (++*place == end) {
        return HC_JSON_BAD_ESCAPE;
    }
    char kind = *(*place)++;
    if (kind == 'u') {
        uint32_t codepoint = 0;
        enum hc_json_failure failure = read_codepoint(place, end, &codepoint);
        *size = encode(codepoint, utf8);
        return failure;
    }
    utf8[0] = plain[(unsigned char)kind];
    *size = 1;
    return utf8[0] != '\0' ? HC_JSON_NO_FAILURE : HC_JSON_BAD_ESCAPE;
}

bool hc_json_read_string(struct hc_json_reader *json, struct hc_json_string *string) {
    const char *start = json->_place + 1;
    const char *place = start;
    size_t size = 0;
    for (;;) {
        size_t plain_size = hc_json_plain_size(place, json->_end);
        place += plain_size;
        size += plain_size;
        if (place == json->_end || *place == '\0') {
            return hc_json_fail(json, HC_JSON_NO_QUOTE, place);
        }
        if (*place == '"') {
            break;
        }
        const char *escape = place;
        char utf8[4];
        size_t escape_size = 0;
        enum hc_json_failure failure = *place == '\\'
                                           ? read_escape(&place, json->_end, utf8, &escape_size)
                                           : HC_JSON_BAD_ESCAPE; /* a control character */
        if (failure != HC_JSON_NO_FAILURE) {
            return hc_json_fail(json, failure, escape);
        }
        size += escape_size;
    }
    *string = (struct hc_json_string){{start, (size_t)(place - start)}, size};
    json->_place = place + 1;
    return true;
}

/* SIZE bytes from BYTES to PLACE, or as many as there is room for before LIMIT. */
static char *put(char *place, const char *limit, const char *bytes, size_t size) {
    size_t room = (size_t)(limit - place);
    size = size < room ? size : room;
    memcpy(place, bytes, size);
    return place + size;
}

void hc_json_string_decode(struct hc_json_string string, char *place) {
    const char *raw = string.raw.data;
    const char *end = raw + string.raw.size;
    const char *limit = place + string.size;
    if (string.size == string.raw.size) {
        put(place, limit, raw, string.size);
        return;
    }
    while (raw < end) {
        size_t plain_size = hc_json_plain_size(raw, end);
        place = put(place, limit, raw, plain_size);
        raw += plain_size;
        if (raw < end) {
            char utf8[4] = {0};
            size_t size = 0;
            read_escape(&raw, end, utf8, &size);
            place = put(place, limit, utf8, size);
        }
    }
}

bool hc_json_string_equals(struct hc_json_string string, struct hc_text ascii) {
    char decoded[64];
    if (string.size != ascii.size || string.size > sizeof decoded) {
        return false;
    }
    if (string.size == string.raw.size) {
        return hc_text_equal(string.raw, ascii);
    }
    hc_json_string_decode(string, decoded);
    return hc_text_equal((struct hc_text){decoded, string.size}, ascii);
}

bool hc_json_string_is(struct hc_json_string string, const char *ascii) {
    return hc_json_string_equals(string, hc_text_of(ascii));
}

bool hc_json_string_text(struct hc_json_string string, struct hc_pool *pool, struct hc_text *text) {
    if (string.size == string.raw.size) {
        *text = string.raw;
        return true;
    }
    char *copy = hc_pool_alloc_try(pool, string.size > 0 ? string.size : 1, 1);
    if (copy == NULL) {
        return false;
    }
    hc_json_string_decode(string, copy);
    *text = (struct hc_text){copy, string.size};
    return true;
}
