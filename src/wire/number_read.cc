// Reading one number of any form: the grammar is checked here, fast_float makes the double.
#include "wire/number.h"

#include <cmath>
#include <cstring>

#include <fast_float/fast_float.h>

namespace {

enum class form { integer, real, special };

const char *skip_digits(const char *place, const char *end) {
    while (place < end && *place >= '0' && *place <= '9') {
        place++;
    }
    return place;
}

// The scanners move PLACE to the end of the number, or to the byte that is wrong.

hc_number_result scan_special(const char **place, const char *end) {
    const char *start = *place;
    const char *word = *start == 'N' ? "NaN" : "Infinity";
    while (*place < end && *word != '\0' && **place == *word) {
        (*place)++;
        word++;
    }
    ptrdiff_t size = *place - start;
    return size == strlen("Inf") || *word == '\0' ? HC_NUMBER_READ : HC_NUMBER_INVALID;
}

hc_number_result scan_fraction(const char **place, const char *end) {
    const char *digits = *place + 1;
    *place = skip_digits(digits, end);
    return *place > digits ? HC_NUMBER_READ : HC_NUMBER_MISSES_FRACTION;
}

hc_number_result scan_exponent(const char **place, const char *end) {
    const char *digits = *place + 1;
    if (digits < end && (*digits == '+' || *digits == '-')) {
        digits++;
    }
    *place = skip_digits(digits, end);
    return *place > digits ? HC_NUMBER_READ : HC_NUMBER_MISSES_EXPONENT;
}

hc_number_result scan_decimal(const char **place, const char *end, form *found) {
    const char *digits = *place;
    *place = *digits == '0' ? digits + 1 : skip_digits(digits, end);
    if (*place == digits) {
        return HC_NUMBER_INVALID;
    }
    *found = form::integer;
    hc_number_result result = HC_NUMBER_READ;
    if (*place < end && **place == '.') {
        *found = form::real;
        result = scan_fraction(place, end);
    }
    if (result == HC_NUMBER_READ && *place < end && (**place | 0x20) == 'e') {
        *found = form::real;
        result = scan_exponent(place, end);
    }
    return result;
}

hc_number_result scan(const char **place, const char *end, form *found) {
    if (*place == end) {
        return HC_NUMBER_INVALID;
    }
    if (**place == 'N' || **place == 'I') {
        *found = form::special;
        return scan_special(place, end);
    }
    return scan_decimal(place, end, found);
}

// The digits up to END as an integer; false when it fits neither kind.
bool read_integer(const char *digits, const char *end, bool minus, struct hc_number *number) {
    uint64_t value = 0;
    for (; digits < end; digits++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*digits - '0'), &value)) {
            return false;
        }
    }
    if (value <= (uint64_t)INT64_MAX + (minus ? 1 : 0)) {
        number->kind = HC_NUMBER_INT64;
        number->int64 = (int64_t)(minus ? -value : value);
        return true;
    }
    number->kind = HC_NUMBER_UINT64;
    number->uint64 = value;
    return !minus;
}

} // namespace

hc_number_result hc_number_read(struct hc_text text, struct hc_number *number, size_t *size) {
    const char *end = text.data + text.size;
    bool minus = text.size > 0 && *text.data == '-';
    const char *digits = text.data + (minus ? 1 : 0);
    const char *place = digits;
    form found = form::real;
    hc_number_result result = scan(&place, end, &found);
    *size = (size_t)(place - text.data);
    if (result != HC_NUMBER_READ ||
        (found == form::integer && read_integer(digits, place, minus, number))) {
        return result;
    }
    number->kind = HC_NUMBER_DOUBLE;
    if (found == form::special) {
        number->real = *digits == 'N' ? NAN : minus ? -INFINITY : INFINITY;
        return HC_NUMBER_READ;
    }
    fast_float::from_chars(text.data, place, number->real);
    if (std::isinf(number->real)) {
        *size = 0;
        return HC_NUMBER_TOO_BIG;
    }
    return HC_NUMBER_READ;
}
