/*
 * Base64 (https://www.rfc-editor.org/rfc/rfc4648, section 4), with or without padding at the end.
 */
#ifndef HC_WIRE_BASE64_H
#define HC_WIRE_BASE64_H

#include <stdbool.h>

#include "base/text.h"

/* No text decodes to more bytes than that. */
static inline size_t hc_base64_max_size(size_t text_size) {
    return text_size / 4 * 3 + 3;
}

/* Write the bytes, *SIZE of them, to PLACE, which has room for the most; false for other text. */
bool hc_base64_decode(struct hc_text text, char *place, size_t *size);

#endif
