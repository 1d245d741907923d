/*
 * Numbers as JSON text (RFC 8259 §6), both ways, without locale and without allocation. One C++
 * file behind a C interface: the two libraries that do it best are dragonbox (printing) and
 * fast_float (reading).
 *
 * Printed doubles are the shortest text that reads back as the same double, laid out as RapidJSON
 * does: `1.0`, `0.10000000149011612`, `1e21`, `1.5e-9`, `-0.0`, plain up to 21 digits before the
 * point and 5 zeros after it, always recognisable as not an integer. (RapidJSON's own digits come
 * from Grisu2, which now and then is one off in the last of them.) A float is widened first.
 *
 * Numbers read are strict JSON plus what RapidJSON's NaN-and-Inf flag adds: NaN, Inf and Infinity,
 * each with an optional minus. A number whose double would be infinite is refused, one too small
 * becomes 0.
 */
#ifndef HC_WIRE_NUMBER_H
#define HC_WIRE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Room for any number that is printed; the functions below may write to all of it. */
enum { HC_NUMBER_ROOM = 40 };

/* Write the number to PLACE, without a NUL, and return its size. */
size_t hc_number_print_double(double value, char *place);
size_t hc_number_print_int64(int64_t value, char *place);
size_t hc_number_print_uint64(uint64_t value, char *place);

enum hc_number_kind {
    HC_NUMBER_INT64,  /* an integer that fits an int64 */
    HC_NUMBER_UINT64, /* an integer that fits a uint64 only */
    HC_NUMBER_DOUBLE, /* has a fraction or an exponent, is no finite number, or fits neither */
};

struct hc_number {
    enum hc_number_kind kind;
    union {
        int64_t int64;
        uint64_t uint64;
        double real;
    };
};

static inline double hc_number_double(struct hc_number number) {
    switch (number.kind) {
    case HC_NUMBER_INT64:
        return (double)number.int64;
    case HC_NUMBER_UINT64:
        return (double)number.uint64;
    default:
        return number.real;
    }
}

enum hc_number_result {
    HC_NUMBER_READ,
    HC_NUMBER_INVALID,
    HC_NUMBER_MISSES_FRACTION, /* no digit after the point */
    HC_NUMBER_MISSES_EXPONENT, /* no digit after the e */
    HC_NUMBER_TOO_BIG,
};

/*
 * Read the number that TEXT begins with. *SIZE is the bytes it takes; when it is refused, those up
 * to the byte that is wrong, or 0 for HC_NUMBER_TOO_BIG. The bytes after it are not looked at.
 */
enum hc_number_result hc_number_read(struct hc_text text, struct hc_number *number, size_t *size);

#ifdef __cplusplus
}
#endif

#endif
