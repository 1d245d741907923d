/* Writing texts, numbers and parameters as JSON. */
#include "json_write.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json_escape.h"
#include "json_parts.h"
#include "wire/number.h"

enum { ESCAPE_SIZE_MAX = 6, QUOTES_SIZE = 2 };

static bool write_escaped(struct hc_buf *buf, struct hc_text text) {
    size_t room;
    if (!hc_size_mul(text.size, ESCAPE_SIZE_MAX, &room) || !hc_size_add(room, QUOTES_SIZE, &room) ||
        hc_buf_reserve_try(buf, room) == NULL) {
        return false;
    }
    hc_json_append_string(buf, text);
    return true;
}

bool hc_json_write_text(struct hc_buf *buf, struct hc_text text) {
    if (hc_json_plain_size(text.data, text.data + text.size) < text.size) {
        return write_escaped(buf, text);
    }
    size_t room;
    if (!hc_size_add(text.size, QUOTES_SIZE, &room)) {
        return false;
    }
    char *place = hc_buf_reserve_try(buf, room);
    if (place == NULL) {
        return false;
    }
    *place = '"';
    if (text.size > 0) {
        memcpy(place + 1, text.data, text.size);
    }
    place[1 + text.size] = '"';
    hc_buf_commit(buf, room);
    return true;
}

/*
 * Bytes of the UTF-8 sequence that TEXT, not empty, begins with; 0 if it does not begin with one
 * (RFC 3629 §4: no surrogates, nothing longer than it need be, nothing beyond U+10FFFF).
 */
static size_t sequence_size(struct hc_text text) {
    const unsigned char *bytes = (const unsigned char *)text.data;
    unsigned char first = bytes[0];
    size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first > 0xf4 || size > text.size) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool bad =
        size > 2 && ((first == 0xe0 && bytes[1] < 0xa0) || (first == 0xed && bytes[1] > 0x9f) ||
                     (first == 0xf0 && bytes[1] < 0x90) || (first == 0xf4 && bytes[1] > 0x8f));
    return bad ? 0 : size;
}

/* How much of TEXT is UTF-8. */
static size_t valid_size(struct hc_text text) {
    size_t size = 0;
    while (size < text.size) {
        size_t more = sequence_size((struct hc_text){text.data + size, text.size - size});
        if (more == 0) {
            break;
        }
        size += more;
    }
    return size;
}

bool hc_json_write_text_replaced(struct hc_buf *buf, struct hc_text text) {
    static const struct hc_text replacement = {"\xef\xbf\xbd", 3};
    size_t valid = valid_size(text);
    if (valid == text.size) {
        return hc_json_write_text(buf, text);
    }
    hc_auto_buf repaired = {0};
    size_t room;
    if (!hc_size_mul(text.size, replacement.size, &room) ||
        hc_buf_reserve_try(&repaired, room) == NULL) {
        return false;
    }
    while (valid < text.size) {
        hc_buf_append(&repaired, text.data, valid);
        hc_buf_append_text(&repaired, replacement);
        text = (struct hc_text){text.data + valid + 1, text.size - valid - 1};
        valid = valid_size(text);
    }
    hc_buf_append_text(&repaired, text);
    return hc_json_write_text(buf, hc_buf_text(&repaired));
}

size_t hc_json_print_double_or_null(double value, char *place) {
    static const char null[] = {'n', 'u', 'l', 'l'};
    if (isfinite(value)) {
        return hc_number_print_double(value, place);
    }
    memcpy(place, null, sizeof null);
    return sizeof null;
}

bool hc_json_write_parameter(struct hc_buf *buf, const struct hc_wire_parameter *parameter,
                             struct hc_infer_json_policy policy) {
    char number[HC_NUMBER_ROOM];
    switch (parameter->kind) {
    case HC_WIRE_STRING:
        return hc_json_write_text(buf, parameter->string);
    case HC_WIRE_INT64:
        hc_buf_append(buf, number, hc_number_print_int64(parameter->int64, number));
        return true;
    case HC_WIRE_BOOL:
        hc_buf_append_string(buf, parameter->boolean ? "true" : "false");
        return true;
    default:
        hc_buf_append(buf, number,
                      policy.nan == HC_INFER_JSON_NAN_AS_NULL
                          ? hc_json_print_double_or_null(parameter->real, number)
                          : hc_number_print_double(parameter->real, number));
        return true;
    }
}

enum hc_code hc_json_write_no_memory(struct hc_error *error) {
    return hc_error_set(error, HC_UNAVAILABLE, "not enough memory for the response");
}
