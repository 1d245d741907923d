/*
 * The name that was meant, for messages about one that does not exist. Private to this library.
 */
#ifndef HC_MODEL_NEAREST_H
#define HC_MODEL_NEAREST_H

#include <protobuf-c/protobuf-c.h>

#include "base/text.h"

enum { HC_SUGGESTION_SIZE = 512 };

/*
 * "; did you mean \"max_batch_size\"?" written to SUGGESTION, which is returned: the field or value
 * whose name can be made of WORD with the fewest changed, added, left out and swapped letters,
 * their case aside. When none is near, the fields' is empty and the values' lists all there are.
 */
const char *hc_suggest_field(const ProtobufCMessageDescriptor *descriptor, struct hc_text word,
                             char suggestion[HC_SUGGESTION_SIZE]);
const char *hc_suggest_value(const ProtobufCEnumDescriptor *descriptor, struct hc_text word,
                             char suggestion[HC_SUGGESTION_SIZE]);

#endif
