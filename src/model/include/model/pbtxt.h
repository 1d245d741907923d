/*
 * Reading the text format of protocol buffers
 * (https://protobuf.dev/reference/protobuf/textformat-spec), in which config.pbtxt is written, into
 * the messages of protobuf-c. The tables that protobuf-c generates say what there is to read, so
 * any message is read that has the features of proto3 but for bytes, groups, extensions and Any.
 *
 * What is accepted is what protobuf's own parser accepts, which is a little more than the
 * specification: octal and hexadecimal integers, `1f`, True and t, a value beyond the largest float
 * as infinity, a singular field given twice when its first value was the default, a map's key given
 * twice (the last counts), `,` or `;` after any field. Refused beside that: strings with a NUL
 * byte, which these messages cannot hold, and enum numbers without a name. Bytes of a string that
 * are not UTF-8 are replaced by U+FFFD, one for each.
 *
 * Maps come out in the order of their keys.
 */
#ifndef HC_MODEL_PBTXT_H
#define HC_MODEL_PBTXT_H

#include <protobuf-c/protobuf-c.h>

#include "base/error.h"
#include "base/text.h"

/* Messages may be nested so deep; deeper ones are refused. */
enum { HC_PBTXT_MAX_DEPTH = 64 };

/*
 * Read TEXT, any bytes, as a message with that descriptor, to be released by
 * protobuf_c_message_free_unpacked(message, NULL). A mistake is HC_INVALID_ARGUMENT and told as
 * "FILE:LINE:COLUMN: what was found, what was expected", counting bytes from 1.
 */
enum hc_code hc_pbtxt_parse(const ProtobufCMessageDescriptor *descriptor, struct hc_text text,
                            const char *file, ProtobufCMessage **message, struct hc_error *error);

#endif
