/*
 * What the parts of the JSON reader share. Private to this library.
 */
#ifndef HC_WIRE_JSON_PARTS_H
#define HC_WIRE_JSON_PARTS_H

#include "wire/json_reader.h"

/* Stop at PLACE; false, for the caller to return. */
bool hc_json_fail(struct hc_json_reader *json, enum hc_json_failure failure, const char *place);

/* The byte at which the reader stands. The end of the text reads as NUL, and so does a NUL. */
static inline char hc_json_peek(const struct hc_json_reader *json) {
    return json->_place < json->_end ? *json->_place : '\0';
}

static inline bool hc_json_is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline void hc_json_skip_blanks(struct hc_json_reader *json) {
    while (json->_place < json->_end && hc_json_is_blank(*json->_place)) {
        json->_place++;
    }
}

/* Read the string whose opening quote the reader stands at. */
bool hc_json_read_string(struct hc_json_reader *json, struct hc_json_string *string);

/* Whether the string, once decoded, equals ASCII, which must be short (under 64 bytes). */
bool hc_json_string_equals(struct hc_json_string string, struct hc_text ascii);

/* How many bytes from PLACE on are neither quote, backslash nor control character. */
size_t hc_json_plain_size(const char *place, const char *end);

#endif
