// Runs of numbers: digits are taken eight at a time, doubles are made by fast_float's algorithm.
#include "elements.h"

#include <cstring>

#include <fast_float/fast_float.h>

#include "digits.h"
#include "json_parts.h"

namespace {

constexpr ptrdiff_t plain_room = 64; // as far as a number below may be looked at
constexpr uint64_t powers_of_ten[] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};

// VALUE with COUNT more digits; false when it overflows.
bool append(uint64_t *value, uint64_t digits, unsigned count) {
    return !__builtin_mul_overflow(*value, powers_of_ten[count], value) &&
           !__builtin_add_overflow(*value, digits, value);
}

// The digits at PLACE are appended to VALUE; returns how many, 0 for none or too many. Whole words
// are told by a branch, which is mostly foreseen, so that the next need not wait for it.
unsigned read_digits(const char *place, uint64_t *value) {
    for (unsigned n_before = 0; n_before <= 16; n_before += 8) {
        uint64_t word = hc_digits_word(place + n_before);
        unsigned count = hc_digits_count(word);
        if (count < 8) {
            return append(value, hc_digits_part(word, count), count) ? n_before + count : 0;
        }
        if (!append(value, hc_digits_value(word), 8)) {
            return 0;
        }
    }
    return 0;
}

// The digits before the point; 0 if there are none, too many, or a needless zero.
unsigned read_whole(const char *place, uint64_t *value) {
    if (place[1] == '.') {
        *value = (uint64_t)(unsigned char)(*place - '0');
        return *value < 10 ? 1 : 0;
    }
    *value = 0;
    unsigned count = read_digits(place, value);
    return *place == '0' && count > 1 ? 0 : count;
}

constexpr double exact_powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};

// SIGNIFICAND / 10^N, by the library's algorithm where the two may not be exact as doubles.
bool scale_down(uint64_t significand, unsigned n, double *value) {
    if (n < 8 && significand <= UINT64_C(1) << 53) {
        *value = (double)significand / exact_powers[n];
        return true;
    }
    auto result =
        fast_float::compute_float<fast_float::binary_format<double>>(-(int64_t)n, significand);
    fast_float::to_float(false, result, *value);
    return result.power2 >= 0;
}

// Without a branch: signs may well be random.
double negate_if(bool minus, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits ^= (uint64_t)minus << 63;
    memcpy(&value, &bits, sizeof bits);
    return value;
}

struct plain {
    const char *end; // NULL if it is no plain number
    unsigned leaf;
};

constexpr plain not_plain = {nullptr, 0};

// Whether a number that stops at PLACE goes on there.
bool goes_on(const char *place) {
    return *place == '.' || *place == 'e' || *place == 'E';
}

// DIGITS, which end at END, as an integer.
plain make_integer(const char *end, bool minus, uint64_t digits, int64_t *value) {
    if (goes_on(end) || digits > INT64_MAX) {
        return not_plain;
    }
    *value = minus ? -(int64_t)digits : (int64_t)digits;
    return {end, (unsigned)(*value < 0 ? HC_LEAF_NEGATIVE : HC_LEAF_NATURAL)};
}

plain read_integer(const char *place, int64_t *value) {
    uint64_t digits;
    bool minus = *place == '-';
    place += minus ? 1 : 0;
    unsigned count = read_whole(place, &digits);
    return count > 0 ? make_integer(place + count, minus, digits, value) : not_plain;
}

plain read_real(const char *place, double *value) {
    uint64_t significand;
    bool minus = *place == '-';
    place += minus ? 1 : 0;
    unsigned n_whole = read_whole(place, &significand);
    place += n_whole;
    if (n_whole == 0) {
        return not_plain;
    }
    if (*place != '.') {
        int64_t integer = 0;
        plain result = make_integer(place, minus, significand, &integer);
        *value = (double)integer;
        return result;
    }
    unsigned n_fraction = read_digits(place + 1, &significand);
    place += 1 + n_fraction;
    if (n_fraction == 0 || goes_on(place) || !scale_down(significand, n_fraction, value)) {
        return not_plain;
    }
    *value = negate_if(minus, *value);
    return {place, HC_LEAF_REAL};
}

// The number at PLACE to ELEMENT.
template <hc_elements_form form> plain take(const char *place, char *element) {
    if (form == HC_ELEMENTS_INTEGER) {
        int64_t value = 0;
        plain result = read_integer(place, &value);
        memcpy(element, &value, sizeof value);
        return result;
    }
    double value = 0;
    plain result = read_real(place, &value);
    if (form == HC_ELEMENTS_FP32) {
        float narrow = (float)value;
        memcpy(element, &narrow, sizeof narrow);
    } else {
        memcpy(element, &value, sizeof value);
    }
    return result;
}

const char *skip_blanks(const char *place, const char *end) {
    while (place < end && hc_json_is_blank(*place)) {
        place++;
    }
    return place;
}

template <hc_elements_form form>
bool take_run(hc_json_reader *json, hc_elements_sink *sink, hc_elements_summary *summary) {
    const char *place = json->_place;
    const char *end = json->_end;
    hc_elements_sink left = *sink;
    unsigned leaves = summary->leaves;
    bool due = true;
    while (due && left.n_room > 0 && end - place >= plain_room) {
        if (hc_json_is_blank(*place)) {
            place = skip_blanks(place + 1, end);
            if (end - place < plain_room) {
                break;
            }
        }
        plain number = take<form>(place, left.place);
        if (number.end == nullptr) {
            break;
        }
        leaves |= number.leaf;
        left.place += left.element_size;
        left.n_room--;
        due = *number.end == ',';
        place = number.end + (due ? 1 : 0);
    }
    json->_place = place;
    summary->n_leaves += sink->n_room - left.n_room;
    summary->leaves = leaves;
    *sink = left;
    return due;
}

} // namespace

bool hc_elements_run(struct hc_json_reader *json, struct hc_elements_sink *sink,
                     struct hc_elements_summary *summary) {
    switch (sink->form) {
    case HC_ELEMENTS_FP32:
        return take_run<HC_ELEMENTS_FP32>(json, sink, summary);
    case HC_ELEMENTS_INTEGER:
        return take_run<HC_ELEMENTS_INTEGER>(json, sink, summary);
    default:
        return take_run<HC_ELEMENTS_FP64>(json, sink, summary);
    }
}
