/*
 * Where we answer otherwise than Triton did, on purpose: our answer, and why.
 */
#ifndef HC_TESTS_UNIT_WIRE_RECORDED_DIFFERENCES_H
#define HC_TESTS_UNIT_WIRE_RECORDED_DIFFERENCES_H

#define AT(text, place) "failed to parse the request JSON buffer: " text " at " place

static const struct difference {
    const char *group;
    const char *name;
    int status;
    const char *message;
    const char *reason;
} differences[] = {
    {"syntax", "text [10e308]", 500, AT("Number too big to be stored in double.", "1"),
     "it is; Triton makes it infinite unless the exponent alone is too big"},
    {"syntax", "text [0e999]", 500,
     "Unable to parse 'inputs': attempt to access non-existing object member 'inputs'",
     "it is a number, 0"},
    {"syntax", "text [NaN.5]", 500, AT("Missing a comma or ']' after an array element.", "4"),
     "that is no number"},
    {"syntax", "text [Infinity.5]", 500, AT("Missing a comma or ']' after an array element.", "9"),
     "that is no number"},
    {"syntax", "text [NaInf]", 500, AT("Invalid value.", "3"), "that is no number"},
    {"syntax", "half a byte order mark", 500, AT("Invalid value.", "0"), "that is no mark"},
    {"syntax", "600 arrays", 400, "JSON nesting depth exceeds maximum allowed limit (512)",
     "nesting has a limit; Triton goes on until its stack ends"},
    {"inputs", "shape [18446744073709551615]", 400,
     "invalid shape for input 'IN0': shape [-1] contains one or more invalid dimensions",
     "Triton dies"},
    {"inputs", "shape [2,18446744073709551615]", 400,
     "invalid shape for input 'IN0': shape [2,-1] contains one or more invalid dimensions",
     "Triton dies"},
    {"inputs", "shape [9223372036854775808]", 400,
     "invalid shape for input 'IN0': shape [-9223372036854775808] contains one or more invalid "
     "dimensions",
     "Triton allocates by the wrapped product"},
    {"inputs", "shape [9223372036854775807]", 400,
     "byte size overflow for input 'IN0': element count (9223372036854775807) * data type size (4) "
     "exceeds maximum allowed size (9223372036854775807)",
     "Triton dies"},
    {"inputs", "shape [4611686018427387904]", 400,
     "byte size overflow for input 'IN0': element count (4611686018427387904) * data type size (4) "
     "exceeds maximum allowed size (9223372036854775807)",
     "Triton dies"},
    {"inputs", "shape [9223372036854775807,2]", 400,
     "invalid shape for input 'IN0': shape [9223372036854775807,2] causes total element count to "
     "exceed maximum size of 9223372036854775807",
     "Triton dies"},
    {"inputs", "shape [4294967296,4294967296]", 400,
     "invalid shape for input 'IN0': shape [4294967296,4294967296] causes total element count to "
     "exceed maximum size of 9223372036854775807",
     "for Triton the product wraps to 0, so it takes the tensor for an empty one"},
    {"data", "100 deep with 1 inside", 400,
     "Unable to parse 'data': JSON nesting depth exceeds maximum allowed limit (100)",
     "the limit of later versions, with their message"},
    {"data", "101 deep with 1 inside", 400,
     "Unable to parse 'data': JSON nesting depth exceeds maximum allowed limit (100)",
     "the limit of later versions, with their message"},
    {"data", "101 deep with nothing inside", 400,
     "Unable to parse 'data': JSON nesting depth exceeds maximum allowed limit (100)",
     "the limit of later versions, with their message"},
    {"data", "strings 100 deep", 400, "JSON nesting depth exceeds maximum allowed limit (100)",
     "the limit of later versions, with their message"},
};

#endif
