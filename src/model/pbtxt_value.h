/*
 * Values in protobuf's text format. Private to the parser.
 */
#ifndef HC_MODEL_PBTXT_VALUE_H
#define HC_MODEL_PBTXT_VALUE_H

#include "fields.h"
#include "pbtxt_lexer.h"

/* Read a value for FIELD, no message, at the current token. A string is from the heap. */
enum hc_code hc_pbtxt_read_value(struct hc_lexer *lexer, const ProtobufCFieldDescriptor *field,
                                 union hc_value *value);

#endif
