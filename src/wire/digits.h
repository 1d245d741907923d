/*
 * Eight bytes of text at a time, as one word: runs of decimal digits. Private to this library; the
 * caller makes sure that eight bytes are there. Little-endian, as the tensors of the protocol are.
 */
#ifndef HC_WIRE_DIGITS_H
#define HC_WIRE_DIGITS_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "words of text are taken apart from their lowest byte on"
#endif

#define HC_DIGITS_ZEROS UINT64_C(0x3030303030303030)

/* The bytes at PLACE, minus '0' each. */
static inline uint64_t hc_digits_word(const char *place) {
    uint64_t word;
    memcpy(&word, place, sizeof word);
    return word ^ HC_DIGITS_ZEROS;
}

/*
 * How many of the eight are digits, from the first on. Bytes below ten stay below 0x80 when 0x76 is
 * added; of the others, at least the first has its highest bit set then or had it before.
 */
static inline unsigned hc_digits_count(uint64_t word) {
    uint64_t others = ((word + UINT64_C(0x7676767676767676)) | word) & UINT64_C(0x8080808080808080);
    return others == 0 ? 8 : (unsigned)__builtin_ctzll(others) / 8;
}

/* The value of eight digits: neighbours into pairs, pairs into fours, fours into the sum. */
static inline uint64_t hc_digits_value(uint64_t word) {
    uint64_t pairs = word * 10 + (word >> 8);
    uint64_t high = (pairs & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064);
    uint64_t low = (pairs >> 16 & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001);
    return (high + low) >> 32;
}

/* The value of the first COUNT digits, below eight. */
static inline uint64_t hc_digits_part(uint64_t word, unsigned count) {
    return hc_digits_value(word << 8 << (56 - 8 * count));
}

#endif
