// Printing numbers: dragonbox finds the digits of a double, what is here lays them out. Digits are
// made eight at a time, as the bytes of one word.
#include "wire/number.h"

#include <cmath>
#include <cstring>

#include <dragonbox/dragonbox.h>

#include "digits.h"

namespace {

constexpr uint64_t ten_8 = 100000000;
constexpr uint64_t powers_of_ten[] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
};

void put_word(char *place, uint64_t word) {
    memcpy(place, &word, sizeof word);
}

// The eight decimal digits of VALUE, below 10^8, one a byte, the first in the lowest: halves into
// hundreds into digits, each step for all parts at once.
uint64_t eight_digits(uint64_t value) {
    uint64_t halves = value / 10000 | value % 10000 << 32;
    uint64_t hundreds = halves * 10486 >> 20 & 0x0000007f0000007f;
    uint64_t pairs = hundreds | (halves - hundreds * 100) << 16;
    uint64_t tens = pairs * 103 >> 10 & 0x000f000f000f000f;
    return tens | (pairs - tens * 10) << 8;
}

uint64_t eight_chars(uint64_t value) {
    return eight_digits(value) + HC_DIGITS_ZEROS;
}

// VALUE, below 10^8, without leading zeros.
size_t put_short(uint64_t value, char *place) {
    uint64_t digits = eight_digits(value);
    int n_zeros = digits == 0 ? 7 : __builtin_ctzll(digits) / 8;
    put_word(place, (digits + HC_DIGITS_ZEROS) >> (8 * n_zeros));
    return (size_t)(8 - n_zeros);
}

} // namespace

size_t hc_number_print_uint64(uint64_t value, char *place) {
    if (value < ten_8) {
        return put_short(value, place);
    }
    uint64_t high = value / ten_8;
    char *end = place;
    if (high < ten_8) {
        end += put_short(high, end);
    } else {
        end += put_short(high / ten_8, end);
        put_word(end, eight_chars(high % ten_8));
        end += 8;
    }
    put_word(end, eight_chars(value % ten_8));
    return (size_t)(end + 8 - place);
}

size_t hc_number_print_int64(int64_t value, char *place) {
    if (value >= 0) {
        return hc_number_print_uint64((uint64_t)value, place);
    }
    *place = '-';
    return 1 + hc_number_print_uint64(-(uint64_t)value, place + 1);
}

namespace {

// A decimal number as text: 17 digits, of which the first COUNT count and the rest are zeros, and
// the place of the point, counted from the first digit.
struct decimal {
    char first;
    uint64_t next;
    uint64_t last;
    int count;
    int point;
};

int count_digits(uint64_t value) {
    int guess = (64 - __builtin_clzll(value)) * 1233 >> 12; // log10 of 2 is 1233 / 4096
    return guess + (value >= powers_of_ten[guess] ? 1 : 0);
}

decimal make_decimal(uint64_t significand, int exponent) {
    int count = count_digits(significand);
    uint64_t value = significand * powers_of_ten[17 - count];
    uint64_t high = value / ten_8;
    return {(char)('0' + high / ten_8), eight_chars(high % ten_8), eight_chars(value % ten_8),
            count, count + exponent};
}

// In the layouts, words are stored whole: what they put after the end is overwritten or not text.

void put_digits(const decimal &number, char *place) {
    *place = number.first;
    put_word(place + 1, number.next);
    put_word(place + 9, number.last);
}

void put_with_point(const decimal &number, char *place) {
    place[0] = number.first;
    place[1] = '.';
    put_word(place + 2, number.next);
    put_word(place + 10, number.last);
}

// 1.5e-9, 1e21
size_t lay_out_power(const decimal &number, char *place) {
    put_with_point(number, place);
    size_t size = number.count > 1 ? (size_t)number.count + 1 : 1;
    place[size] = 'e';
    return size + 1 + hc_number_print_int64(number.point - 1, place + size + 1);
}

// 12.5: the word of the first eight bytes is put together from the digits before the point and,
// one further on, those after it.
size_t lay_out_point(const decimal &number, char *place) {
    put_with_point(number, place);
    if (number.point < 8) {
        uint64_t digits = (unsigned char)number.first | number.next << 8;
        uint64_t before = (UINT64_C(1) << (8 * number.point)) - 1;
        uint64_t after = ~before << 8;
        uint64_t point = (uint64_t)'.' << (8 * number.point);
        put_word(place, (digits & before) | point | (digits << 8 & after));
    } else {
        memmove(place + 1, place + 2, (size_t)number.point - 1);
        place[number.point] = '.';
    }
    return (size_t)number.count + 1;
}

void put_point_zero(char *place) {
    place[0] = '.';
    place[1] = '0';
}

// 12500.0
size_t lay_out_whole(const decimal &number, char *place) {
    put_digits(number, place);
    memset(place + 17, '0', 8);
    put_point_zero(place + number.point);
    return (size_t)number.point + 2;
}

size_t lay_out(const decimal &number, char *place) {
    if (number.point > 21 || number.point < -5) {
        return lay_out_power(number, place);
    }
    if (number.point >= number.count) {
        return lay_out_whole(number, place);
    }
    if (number.point > 0) {
        return lay_out_point(number, place);
    }
    int n_before = 2 - number.point; // bytes before the digits: 0.000
    put_word(place, (HC_DIGITS_ZEROS & ~UINT64_C(0xff00)) | (uint64_t)'.' << 8);
    put_digits(number, place + n_before);
    return (size_t)n_before + (size_t)number.count;
}

size_t put_special(double value, char *place) {
    const char *text = std::isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity";
    size_t size = 0;
    for (; text[size] != '\0'; size++) {
        place[size] = text[size];
    }
    return size;
}

// Whole numbers below 2^53, which all of their digits tell apart.
bool is_whole(double value) {
    return std::fabs(value) < 9007199254740992.0 && (double)(int64_t)value == value;
}

} // namespace

size_t hc_number_print_double(double value, char *place) {
    if (!std::isfinite(value)) {
        return put_special(value, place);
    }
    size_t sign = std::signbit(value) ? 1 : 0;
    *place = '-';
    place += sign;
    if (is_whole(value)) {
        size_t size = hc_number_print_uint64((uint64_t)std::fabs(value), place);
        put_point_zero(place + size);
        return sign + size + 2;
    }
    auto shortest = jkj::dragonbox::to_decimal(value, jkj::dragonbox::policy::sign::ignore);
    return sign + lay_out(make_decimal(shortest.significand, shortest.exponent), place);
}
