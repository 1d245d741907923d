/*
 * Messages of protobuf-c seen through the tables that describe them, so that one piece of code
 * reads, prints or compares every field of every message. Private to this library.
 *
 * Messages are made of memory from the heap as protobuf_c_message_unpack() makes them, and are
 * released by protobuf_c_message_free_unpacked(message, NULL). They are proto3's without
 * `optional`: a field is repeated, a member of a oneof, or has a default that counts as not set.
 * Types are all but bytes.
 */
#ifndef HC_MODEL_FIELDS_H
#define HC_MODEL_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/cleanup.h"
#include "base/text.h"

static inline void hc_message_free(ProtobufCMessage *message) {
    protobuf_c_message_free_unpacked(message, NULL);
}

HC_CLEANUP(message, ProtobufCMessage *, hc_message_free);

/* Which member of union hc_value the values of a field are in. */
enum hc_value_kind {
    HC_VALUE_INTEGER, /* also enums */
    HC_VALUE_NATURAL,
    HC_VALUE_REAL,
    HC_VALUE_BOOL,
    HC_VALUE_STRING,
    HC_VALUE_MESSAGE,
};

union hc_value {
    int64_t integer;
    uint64_t natural;
    double real;
    bool boolean;
    char *string;
    ProtobufCMessage *message;
};

enum hc_value_kind hc_field_kind(const ProtobufCFieldDescriptor *field);

/* Whether a number fits the field, of the kinds integer, natural and enum. */
bool hc_field_fits_integer(const ProtobufCFieldDescriptor *field, int64_t number);
bool hc_field_fits_natural(const ProtobufCFieldDescriptor *field, uint64_t number);

static inline bool hc_field_repeated(const ProtobufCFieldDescriptor *field) {
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

/* Whether the field is a map: a repeated message with the fields key, 1, and value, 2. */
bool hc_field_is_map(const ProtobufCFieldDescriptor *field);

/* The map's fields key and value. */
const ProtobufCFieldDescriptor *hc_map_key(const ProtobufCFieldDescriptor *map);
const ProtobufCFieldDescriptor *hc_map_value(const ProtobufCFieldDescriptor *map);

/* All fields at their defaults. */
ProtobufCMessage *hc_message_create(const ProtobufCMessageDescriptor *descriptor);

/* The field of that name, NULL when there is none. */
const ProtobufCFieldDescriptor *hc_message_find(const ProtobufCMessageDescriptor *descriptor,
                                                struct hc_text name);

/* The value of that name, NULL when there is none; NOCASE: whatever the case of its letters. */
const ProtobufCEnumValue *hc_enum_find(const ProtobufCEnumDescriptor *descriptor,
                                       struct hc_text name, bool nocase);

/*
 * Whether a singular field is set: a member of a oneof that is the chosen one, a message that is
 * there, another value than the default.
 */
bool hc_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* The field that is set in the oneof of FIELD, perhaps itself; NULL for none and without oneof. */
const ProtobufCFieldDescriptor *hc_field_rival(const ProtobufCMessage *message,
                                               const ProtobufCFieldDescriptor *field);

/* The number of values in a repeated field. */
size_t hc_field_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* A value: that at INDEX of a repeated field, 0 of a singular one. Still owned by the message. */
union hc_value hc_field_get(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                            size_t index);

/*
 * Set a singular field, of which no message and no other member of its oneof may be set; append to
 * a repeated one. Strings and messages are taken over.
 */
void hc_field_put(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                  union hc_value value);

/* Release what is in the field and bring it to its default; of a oneof, whichever is set. */
void hc_field_clear(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* Make a repeated field empty without releasing its values, which belong to the caller now. */
void hc_field_forget(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/*
 * The message's fields have been put: bring its maps in the order of their keys, so that equal maps
 * are equal byte for byte. Of entries with one key the last counts.
 */
void hc_message_settle(ProtobufCMessage *message);

#endif
