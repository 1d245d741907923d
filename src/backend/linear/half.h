/*
 * Numbers of 16 bits: IEEE half precision and the upper half of a float. Rounding is to the
 * nearest, ties to even, as processors do it.
 */
#ifndef HC_BACKEND_LINEAR_HALF_H
#define HC_BACKEND_LINEAR_HALF_H

#include <stdint.h>
#include <string.h>

static inline float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float bfloat_to_float(uint16_t bits) {
    return float_of_bits((uint32_t)bits << 16);
}

static inline uint16_t float_to_bfloat(float value) {
    uint32_t bits = bits_of_float(value);
    if ((bits & 0x7fffffff) > 0x7f800000) {
        return (uint16_t)(bits >> 16 | 0x40); /* stays no number when the rest is cut off */
    }
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* The exponent's bias is 15 instead of 127: a multiplication by 2^112 moves it, subnormals too. */
static inline float half_to_float(uint16_t half) {
    uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t bits = bits_of_float(float_of_bits(magnitude) * 0x1p112f);
    if (magnitude >= 0x7c00u << 13) {
        bits = magnitude | 0x7f800000; /* infinite, or no number */
    }
    return float_of_bits(bits | sign);
}

static inline uint16_t float_to_half(float value) {
    uint32_t bits = bits_of_float(value);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) {
        return sign | 0x7e00;
    }
    if (magnitude >= 0x47800000) { /* 2^16 */
        return sign | 0x7c00;
    }
    if (magnitude < 0x38800000) { /* below 2^-14: the sum with 0.5 rounds at the right place */
        uint32_t sum = bits_of_float(float_of_bits(magnitude) + 0.5F);
        return (uint16_t)(sign | (sum - 0x3f000000));
    }
    uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
    return (uint16_t)(sign | ((rounded - 0x38000000) >> 13));
}

#endif
