/*
 * Scalars of proto3 JSON. Private to the reader.
 */
#ifndef HC_MODEL_CONFIG_JSON_VALUE_H
#define HC_MODEL_CONFIG_JSON_VALUE_H

#include "fields.h"
#include "wire/json_reader.h"

#include "base/buf.h"

/*
 * JSON as a value of FIELD, no message; a string is from the heap. The message of an error begins
 * with ": ", for the place to be put before it.
 */
enum hc_code hc_config_json_value(const ProtobufCFieldDescriptor *field,
                                  const struct hc_json_value *json, union hc_value *value,
                                  struct hc_error *error);

/* NAME as the key KEY of a map. */
enum hc_code hc_config_json_key(const ProtobufCFieldDescriptor *key, struct hc_json_string name,
                                union hc_value *value, struct hc_error *error);

/* Append the decoded string, made UTF-8. False when it holds a NUL byte. */
bool hc_config_json_text(struct hc_json_string string, struct hc_buf *text);

/* What VALUE is, for messages: "an object". */
const char *hc_config_json_words(const struct hc_json_value *value);

#endif
