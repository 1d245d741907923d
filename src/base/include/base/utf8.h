/*
 * UTF-8 (RFC 3629): whether text is, and making it so.
 */
#ifndef HC_BASE_UTF8_H
#define HC_BASE_UTF8_H

#include "base/buf.h"

bool hc_utf8_valid(struct hc_text text);

/* Append TEXT, of which bytes that are not UTF-8 are each replaced by U+FFFD. */
void hc_utf8_append(struct hc_buf *buf, struct hc_text text);

/* Append the character CODE, at most 0x10ffff. */
void hc_utf8_append_code(struct hc_buf *buf, uint32_t code);

#endif
