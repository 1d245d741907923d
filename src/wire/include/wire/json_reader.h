/*
 * A strict reader of JSON text (RFC 8259) that lies complete in memory: one value after the other
 * is pulled out of it, nothing is built. What it accepts, and how it refuses the rest, follows
 * RapidJSON as Triton uses it:
 *
 *   - NaN, Inf and Infinity are numbers, also with a minus; integers of 64 bits are exact;
 *   - strings may hold any byte but control characters, UTF-8 is not checked; \u0000 is a byte like
 *     any other; half a surrogate pair is refused when it is the first half;
 *   - a byte order mark before the document is skipped, and nothing after a NUL byte counts;
 *   - of members with the same name callers take the first.
 *
 *     hc_json_begin(&json, text);
 *     if (hc_json_read(&json, &value) && value.kind == HC_JSON_OBJECT) {
 *         while (hc_json_next_member(&json, &name) && hc_json_read(&json, &value)) {
 *             … or hc_json_skip(&json, &value) …
 *         }
 *     }
 *     HC_TRY(hc_json_end(&json, error));
 *
 * A reader that met a mistake reads no further: every function returns false from then on, which
 * ends the loops, and hc_json_end() tells what it was. Nothing recurses, nothing is allocated.
 */
#ifndef HC_WIRE_JSON_READER_H
#define HC_WIRE_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/pool.h"
#include "base/text.h"
#include "wire/number.h"

/* Arrays and objects may be nested so deep; deeper ones are refused. */
enum { HC_JSON_MAX_DEPTH = 512 };

enum hc_json_failure {
    HC_JSON_NO_FAILURE,
    HC_JSON_EMPTY,
    HC_JSON_NOT_SINGULAR, /* something follows the document */
    HC_JSON_INVALID_VALUE,
    HC_JSON_NO_NAME,
    HC_JSON_NO_COLON,
    HC_JSON_NO_COMMA_IN_OBJECT,
    HC_JSON_NO_COMMA_IN_ARRAY,
    HC_JSON_BAD_HEX,
    HC_JSON_BAD_SURROGATE,
    HC_JSON_BAD_ESCAPE,
    HC_JSON_NO_QUOTE,
    HC_JSON_NUMBER_TOO_BIG,
    HC_JSON_NO_FRACTION,
    HC_JSON_NO_EXPONENT,
    HC_JSON_TOO_DEEP,
};

struct hc_json_reader {
    const char *_start;
    const char *_place;
    const char *_end;
    unsigned _depth; /* arrays and objects that are open */
    bool _fresh;     /* the innermost has just been opened */
    enum hc_json_failure _failure;
};

/* A string as it stands in the text, quotes left out. */
struct hc_json_string {
    struct hc_text raw;
    size_t size; /* once decoded; less than that of RAW if and only if there are escapes */
};

enum hc_json_kind {
    HC_JSON_NONE, /* no value; zeroed memory reads as a value that is not there */
    HC_JSON_NULL,
    HC_JSON_BOOL,
    HC_JSON_NUMBER,
    HC_JSON_STRING,
    HC_JSON_ARRAY,
    HC_JSON_OBJECT,
};

struct hc_json_value {
    enum hc_json_kind kind;
    const char *start; /* in the text */
    union {
        bool boolean;
        struct hc_number number;
        struct hc_json_string string;
    };
};

static inline bool hc_json_failed(const struct hc_json_reader *json) {
    return json->_failure != HC_JSON_NO_FAILURE;
}

/* TEXT must outlive the reader and the strings that come out of it. */
void hc_json_begin(struct hc_json_reader *json, struct hc_text text);

/*
 * Read the value at which the reader stands: first the document, then what hc_json_next_element()
 * or hc_json_next_member() announced. Arrays and objects are merely opened: their elements or
 * members must be asked for until there are none, or skipped.
 */
bool hc_json_read(struct hc_json_reader *json, struct hc_json_value *value);

/* Whether the array that is open has another element; if not, it is closed. */
bool hc_json_next_element(struct hc_json_reader *json);

/* Whether the object that is open has another member, and its name; if not, it is closed. */
bool hc_json_next_member(struct hc_json_reader *json, struct hc_json_string *name);

/* Skip what is left of VALUE, the last one read. */
bool hc_json_skip(struct hc_json_reader *json, const struct hc_json_value *value);

/*
 * The document has been read: check that nothing follows, and report what was wrong, if anything.
 * HC_INTERNAL (as Triton has it) for text that is not JSON, HC_INVALID_ARGUMENT for
 * HC_JSON_TOO_DEEP.
 */
enum hc_code hc_json_end(struct hc_json_reader *json, struct hc_error *error);

/*
 * VALUE as what it is expected to be. When it is something else, HC_INTERNAL with Triton's words
 * for it ("attempt to access JSON non-string as string"); the caller says of which member, by
 * hc_error_prefix(). Integers are exact, 1.0 is none; every number is a double.
 */
enum hc_code hc_json_as_string(const struct hc_json_value *value, struct hc_json_string *string,
                               struct hc_error *error);
enum hc_code hc_json_as_bool(const struct hc_json_value *value, bool *boolean,
                             struct hc_error *error);
enum hc_code hc_json_as_int64(const struct hc_json_value *value, int64_t *number,
                              struct hc_error *error);
enum hc_code hc_json_as_uint64(const struct hc_json_value *value, uint64_t *number,
                               struct hc_error *error);
enum hc_code hc_json_as_double(const struct hc_json_value *value, double *number,
                               struct hc_error *error);
/* Of arrays and objects there is nothing but the kind. */
enum hc_code hc_json_as_array(const struct hc_json_value *value, struct hc_error *error);
enum hc_code hc_json_as_object(const struct hc_json_value *value, struct hc_error *error);

/* Whether the string, once decoded, is ASCII, which must be short (under 64 bytes). */
bool hc_json_string_is(struct hc_json_string string, const char *ascii);

/* Write the decoded string, its size in bytes, to PLACE. */
void hc_json_string_decode(struct hc_json_string string, char *place);

/*
 * The decoded string: a view of the document where there are no escapes, else a copy from POOL.
 * False without memory.
 */
bool hc_json_string_text(struct hc_json_string string, struct hc_pool *pool, struct hc_text *text);

#endif
