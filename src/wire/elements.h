/*
 * The elements of a tensor on their way from an array of JSON text to memory. Numbers mostly come
 * in runs, perhaps millions long, for which there is a loop of its own: it takes plain ones,
 * without an exponent, of not too many digits and not near the end of the text, and leaves the
 * others to hc_json_read(). Private to this library.
 */
#ifndef HC_WIRE_ELEMENTS_H
#define HC_WIRE_ELEMENTS_H

#include "wire/json_reader.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an array holds, in whatever way it is nested: kinds of values that are not arrays. */
enum hc_leaf {
    HC_LEAF_NULL = 1,
    HC_LEAF_BOOL = 2,
    HC_LEAF_NATURAL = 4,  /* an integer from 0 to INT64_MAX */
    HC_LEAF_NEGATIVE = 8, /* an integer from INT64_MIN to -1 */
    HC_LEAF_UINT64 = 16,  /* an integer from INT64_MAX + 1 to UINT64_MAX */
    HC_LEAF_REAL = 32,    /* any other number */
    HC_LEAF_STRING = 64,
    HC_LEAF_OBJECT = 128, /* what is in the object does not count */
};

/* The kind of a value that is no array. */
enum hc_leaf hc_leaf_of(const struct hc_json_value *value);

/* Of a value that is no array, an array with it alone is meant, but DEPTH is 0. */
struct hc_elements_summary {
    struct hc_text text;   /* the value itself, from its first byte to its last */
    uint64_t n_leaves;     /* values that are not arrays */
    unsigned leaves;       /* the kinds among them, enum hc_leaf */
    unsigned depth;        /* how many arrays are around the innermost value or array, at most */
    uint64_t strings_size; /* of the strings among them, decoded, in all */
};

enum hc_elements_form { HC_ELEMENTS_FP32, HC_ELEMENTS_FP64, HC_ELEMENTS_INTEGER, HC_ELEMENTS_BOOL };

enum { HC_ELEMENTS_SLACK = 8 };

/*
 * Where elements go, whatever their kind: what has no such form leaves any value, as the caller
 * will not use the elements then. Each is stored as eight bytes, of which the next overwrites all
 * but ELEMENT_SIZE (little endian: the low ones), so there must be HC_ELEMENTS_SLACK bytes after
 * the last.
 */
struct hc_elements_sink {
    enum hc_elements_form form;
    size_t element_size;
    char *place;
    uint64_t n_room; /* elements beyond these are dropped */
};

/*
 * At an element of an array: take as many numbers as fit, with the commas after them, and sum them
 * up. True when another element is to be read, false when it is to be asked for.
 */
bool hc_elements_run(struct hc_json_reader *json, struct hc_elements_sink *sink,
                     struct hc_elements_summary *summary);

/* As hc_json_skip(); what VALUE holds goes to SINK, or nowhere if that is NULL, and is summed up.
 */
bool hc_elements_collect(struct hc_json_reader *json, const struct hc_json_value *value,
                         struct hc_elements_sink *sink, struct hc_elements_summary *summary);

#ifdef __cplusplus
}
#endif

#endif
