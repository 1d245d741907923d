/*
 * Making text UTF-8 (RFC 3629). Private to this library.
 */
#ifndef HC_MODEL_UTF8_H
#define HC_MODEL_UTF8_H

#include "base/buf.h"

/* Append TEXT, of which bytes that are not UTF-8 are each replaced by U+FFFD. */
void hc_utf8_append(struct hc_buf *buf, struct hc_text text);

/* Append the character CODE, at most 0x10ffff. */
void hc_utf8_append_code(struct hc_buf *buf, uint32_t code);

#endif
