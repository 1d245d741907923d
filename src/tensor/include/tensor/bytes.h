/*
 * The BYTES datatype on the wire: each element a little-endian uint32 length and that many bytes,
 * one after the other in row-major order.
 */
#ifndef HC_TENSOR_BYTES_H
#define HC_TENSOR_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { HC_BYTES_PREFIX_SIZE = 4 };

/* Walks over the elements. {data, size, 0} to begin with; the memory may be shared and hostile. */
struct hc_bytes_reader {
    const char *data;
    size_t size;
    size_t offset;
};

enum hc_bytes_step {
    HC_BYTES_ELEMENT,           /* *ELEMENT is the next one */
    HC_BYTES_END,               /* nothing is left */
    HC_BYTES_INCOMPLETE_PREFIX, /* fewer than four bytes are left */
    HC_BYTES_INCOMPLETE_DATA,   /* the length exceeds what is left */
};

enum hc_bytes_step hc_bytes_next(struct hc_bytes_reader *reader, struct hc_text *element);

/* The length that the element after the last one claims; after HC_BYTES_INCOMPLETE_DATA. */
uint32_t hc_bytes_prefix(const struct hc_bytes_reader *reader);

/* The number of elements in SIZE bytes of DATA; false when they do not end where an element does.
 */
bool hc_bytes_count(const void *data, size_t size, uint64_t *count);

/* Write LENGTH as a prefix to four bytes at PLACE. */
void hc_bytes_put_prefix(void *place, uint32_t length);

#endif
