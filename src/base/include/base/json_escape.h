/*
 * Writing a string as JSON (RFC 8259 §7): quotes, backslashes and control characters escaped, all
 * other bytes as they are. The one place that does it, for logs, errors and answers.
 */
#ifndef HC_BASE_JSON_ESCAPE_H
#define HC_BASE_JSON_ESCAPE_H

#include "base/buf.h"

/* Append TEXT with quotes around it. */
void hc_json_append_string(struct hc_buf *buf, struct hc_text text);

#endif
