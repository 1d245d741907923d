/* The JSON reader: from one value to the next. */
#include "wire/json_reader.h"

#include <assert.h>

#include "json_parts.h"

/* The texts are RapidJSON's: they are what Triton's clients see. */
static const char *const failure_texts[] = {
    [HC_JSON_EMPTY] = "The document is empty.",
    [HC_JSON_NOT_SINGULAR] = "The document root must not be followed by other values.",
    [HC_JSON_INVALID_VALUE] = "Invalid value.",
    [HC_JSON_NO_NAME] = "Missing a name for object member.",
    [HC_JSON_NO_COLON] = "Missing a colon after a name of object member.",
    [HC_JSON_NO_COMMA_IN_OBJECT] = "Missing a comma or '}' after an object member.",
    [HC_JSON_NO_COMMA_IN_ARRAY] = "Missing a comma or ']' after an array element.",
    [HC_JSON_BAD_HEX] = "Incorrect hex digit after \\u escape in string.",
    [HC_JSON_BAD_SURROGATE] = "The surrogate pair in string is invalid.",
    [HC_JSON_BAD_ESCAPE] = "Invalid escape character in string.",
    [HC_JSON_NO_QUOTE] = "Missing a closing quotation mark in string.",
    [HC_JSON_NUMBER_TOO_BIG] = "Number too big to be stored in double.",
    [HC_JSON_NO_FRACTION] = "Miss fraction part in number.",
    [HC_JSON_NO_EXPONENT] = "Miss exponent in number.",
};

bool hc_json_fail(struct hc_json_reader *json, enum hc_json_failure failure, const char *place) {
    if (!hc_json_failed(json)) {
        json->_failure = failure;
        json->_place = place;
    }
    return false;
}

static bool fail_here(struct hc_json_reader *json, enum hc_json_failure failure) {
    return hc_json_fail(json, failure, json->_place);
}

void hc_json_begin(struct hc_json_reader *json, struct hc_text text) {
    *json = (struct hc_json_reader){text.data, text.data, text.data + text.size, 0, false, 0};
    if (hc_text_starts(text, "\xef\xbb\xbf")) {
        json->_place += 3;
    }
    hc_json_skip_blanks(json);
    if (hc_json_peek(json) == '\0') {
        fail_here(json, HC_JSON_EMPTY);
    }
}

static bool open_value(struct hc_json_reader *json, enum hc_json_kind kind,
                       struct hc_json_value *value) {
    if (json->_depth == HC_JSON_MAX_DEPTH) {
        return fail_here(json, HC_JSON_TOO_DEEP);
    }
    json->_place++;
    json->_depth++;
    json->_fresh = true;
    value->kind = kind;
    return true;
}

static void close_value(struct hc_json_reader *json) {
    assert(json->_depth > 0);
    json->_place++;
    json->_depth--;
    json->_fresh = false;
}

static bool read_word(struct hc_json_reader *json, const char *word) {
    for (; *word != '\0'; word++) {
        if (hc_json_peek(json) != *word) {
            return fail_here(json, HC_JSON_INVALID_VALUE);
        }
        json->_place++;
    }
    return true;
}

static bool read_bool(struct hc_json_reader *json, bool boolean, struct hc_json_value *value) {
    value->kind = HC_JSON_BOOL;
    value->boolean = boolean;
    return read_word(json, boolean ? "true" : "false");
}

static bool read_number(struct hc_json_reader *json, struct hc_json_value *value) {
    static const enum hc_json_failure failures[] = {
        [HC_NUMBER_INVALID] = HC_JSON_INVALID_VALUE,
        [HC_NUMBER_MISSES_FRACTION] = HC_JSON_NO_FRACTION,
        [HC_NUMBER_MISSES_EXPONENT] = HC_JSON_NO_EXPONENT,
        [HC_NUMBER_TOO_BIG] = HC_JSON_NUMBER_TOO_BIG,
    };
    struct hc_text rest = {json->_place, (size_t)(json->_end - json->_place)};
    size_t size;
    enum hc_number_result result = hc_number_read(rest, &value->number, &size);
    if (result != HC_NUMBER_READ) {
        return hc_json_fail(json, failures[result], json->_place + size);
    }
    json->_place += size;
    value->kind = HC_JSON_NUMBER;
    return true;
}

bool hc_json_read(struct hc_json_reader *json, struct hc_json_value *value) {
    value->kind = HC_JSON_NONE;
    if (hc_json_failed(json)) {
        return false;
    }
    hc_json_skip_blanks(json);
    value->start = json->_place;
    switch (hc_json_peek(json)) {
    case '"':
        value->kind = HC_JSON_STRING;
        return hc_json_read_string(json, &value->string);
    case '[':
        return open_value(json, HC_JSON_ARRAY, value);
    case '{':
        return open_value(json, HC_JSON_OBJECT, value);
    case 't':
        return read_bool(json, true, value);
    case 'f':
        return read_bool(json, false, value);
    case 'n':
        value->kind = HC_JSON_NULL;
        return read_word(json, "null");
    default:
        return read_number(json, value);
    }
}

/* To the next item of what is open, past the comma before it, or past the END of them all. */
static bool next_item(struct hc_json_reader *json, char end, enum hc_json_failure no_comma) {
    if (hc_json_failed(json)) {
        return false;
    }
    hc_json_skip_blanks(json);
    char c = hc_json_peek(json);
    if (c == end) {
        close_value(json);
        return false;
    }
    if (json->_fresh) {
        json->_fresh = false;
        return true;
    }
    if (c != ',') {
        return fail_here(json, no_comma);
    }
    json->_place++;
    return true;
}

bool hc_json_next_element(struct hc_json_reader *json) {
    return next_item(json, ']', HC_JSON_NO_COMMA_IN_ARRAY);
}

bool hc_json_next_member(struct hc_json_reader *json, struct hc_json_string *name) {
    if (!next_item(json, '}', HC_JSON_NO_COMMA_IN_OBJECT)) {
        return false;
    }
    hc_json_skip_blanks(json);
    if (hc_json_peek(json) != '"') {
        return fail_here(json, HC_JSON_NO_NAME);
    }
    if (!hc_json_read_string(json, name)) {
        return false;
    }
    hc_json_skip_blanks(json);
    if (hc_json_peek(json) != ':') {
        return fail_here(json, HC_JSON_NO_COLON);
    }
    json->_place++;
    return true;
}

enum hc_code hc_json_end(struct hc_json_reader *json, struct hc_error *error) {
    if (!hc_json_failed(json)) {
        assert(json->_depth == 0);
        hc_json_skip_blanks(json);
        if (hc_json_peek(json) != '\0') {
            fail_here(json, HC_JSON_NOT_SINGULAR);
        }
    }
    switch (json->_failure) {
    case HC_JSON_NO_FAILURE:
        return HC_OK;
    case HC_JSON_TOO_DEEP:
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "JSON nesting depth exceeds maximum allowed limit (%d)",
                            HC_JSON_MAX_DEPTH);
    default:
        return hc_error_set(error, HC_INTERNAL,
                            "failed to parse the request JSON buffer: %s at %zu",
                            failure_texts[json->_failure], (size_t)(json->_place - json->_start));
    }
}
