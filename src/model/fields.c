/* Messages of protobuf-c seen through the tables that describe them. */
#include "fields.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

static void *place_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    return (char *)message + field->offset;
}

/* The number of a repeated field's values. */
static size_t *count_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    return (size_t *)((char *)message + field->quantifier_offset);
}

/* The number of the oneof's member that is set, 0 for none. */
static uint32_t *choice_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    return (uint32_t *)((char *)message + field->quantifier_offset);
}

static bool in_oneof(const ProtobufCFieldDescriptor *field) {
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

enum hc_value_kind hc_field_kind(const ProtobufCFieldDescriptor *field) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return HC_VALUE_NATURAL;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return HC_VALUE_REAL;
    case PROTOBUF_C_TYPE_BOOL:
        return HC_VALUE_BOOL;
    case PROTOBUF_C_TYPE_STRING:
        return HC_VALUE_STRING;
    case PROTOBUF_C_TYPE_MESSAGE:
        return HC_VALUE_MESSAGE;
    default:
        assert(field->type != PROTOBUF_C_TYPE_BYTES);
        return HC_VALUE_INTEGER;
    }
}

static size_t value_size(const ProtobufCFieldDescriptor *field) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    default:
        return 4;
    }
}

bool hc_field_fits_integer(const ProtobufCFieldDescriptor *field, int64_t number) {
    if (hc_field_kind(field) == HC_VALUE_NATURAL) {
        return number >= 0 && hc_field_fits_natural(field, (uint64_t)number);
    }
    return value_size(field) == 8 || (number >= INT32_MIN && number <= INT32_MAX);
}

bool hc_field_fits_natural(const ProtobufCFieldDescriptor *field, uint64_t number) {
    if (hc_field_kind(field) == HC_VALUE_INTEGER) {
        return number <= INT64_MAX && hc_field_fits_integer(field, (int64_t)number);
    }
    return value_size(field) == 8 || number <= UINT32_MAX;
}

static union hc_value load(const ProtobufCFieldDescriptor *field, const void *place) {
    switch (hc_field_kind(field)) {
    case HC_VALUE_NATURAL:
        return (union hc_value){.natural = value_size(field) == 8 ? *(const uint64_t *)place
                                                                  : *(const uint32_t *)place};
    case HC_VALUE_REAL:
        return (union hc_value){.real = value_size(field) == 8 ? *(const double *)place
                                                               : (double)*(const float *)place};
    case HC_VALUE_BOOL:
        return (union hc_value){.boolean = *(const protobuf_c_boolean *)place != 0};
    case HC_VALUE_STRING:
        return (union hc_value){.string = *(char *const *)place};
    case HC_VALUE_MESSAGE:
        return (union hc_value){.message = *(ProtobufCMessage *const *)place};
    default:
        return (union hc_value){.integer = value_size(field) == 8 ? *(const int64_t *)place
                                                                  : *(const int32_t *)place};
    }
}

static void store(const ProtobufCFieldDescriptor *field, void *place, union hc_value value) {
    bool wide = value_size(field) == 8;
    switch (hc_field_kind(field)) {
    case HC_VALUE_NATURAL:
    case HC_VALUE_INTEGER: /* the same bits */
        if (wide) {
            *(uint64_t *)place = value.natural;
        } else {
            *(uint32_t *)place = (uint32_t)value.natural;
        }
        return;
    case HC_VALUE_REAL:
        if (wide) {
            *(double *)place = value.real;
        } else {
            *(float *)place = (float)value.real;
        }
        return;
    case HC_VALUE_BOOL:
        *(protobuf_c_boolean *)place = value.boolean;
        return;
    case HC_VALUE_STRING:
        *(char **)place = value.string;
        return;
    case HC_VALUE_MESSAGE:
        *(ProtobufCMessage **)place = value.message;
        return;
    }
}

/* protobuf-c releases strings unless they are the default, which is static. */
static void release(const ProtobufCFieldDescriptor *field, union hc_value value) {
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        hc_message_free(value.message);
    } else if (field->type == PROTOBUF_C_TYPE_STRING && value.string != field->default_value) {
        free(value.string);
    }
}

ProtobufCMessage *hc_message_create(const ProtobufCMessageDescriptor *descriptor) {
    ProtobufCMessage *message = hc_alloc(descriptor->sizeof_message);
    protobuf_c_message_init(descriptor, message);
    return message;
}

const ProtobufCFieldDescriptor *hc_message_find(const ProtobufCMessageDescriptor *descriptor,
                                                struct hc_text name) {
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        if (hc_text_is(name, descriptor->fields[i].name)) {
            return &descriptor->fields[i];
        }
    }
    return NULL;
}

const ProtobufCEnumValue *hc_enum_find(const ProtobufCEnumDescriptor *descriptor,
                                       struct hc_text name, bool nocase) {
    for (unsigned i = 0; i < descriptor->n_value_names; i++) {
        const char *candidate = descriptor->values_by_name[i].name;
        if (nocase ? hc_text_is_nocase(name, candidate) : hc_text_is(name, candidate)) {
            return &descriptor->values[descriptor->values_by_name[i].index];
        }
    }
    return NULL;
}

bool hc_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    if (in_oneof(field)) {
        return *choice_of(message, field) == field->id;
    }
    union hc_value value = load(field, place_of(message, field));
    switch (hc_field_kind(field)) {
    case HC_VALUE_REAL:
        return value.natural != 0; /* as protobuf has it, -0.0 is a value */
    case HC_VALUE_BOOL:
        return value.boolean;
    case HC_VALUE_STRING:
        return value.string != NULL && value.string[0] != '\0';
    case HC_VALUE_MESSAGE:
        return value.message != NULL;
    default:
        return value.natural != 0;
    }
}

const ProtobufCFieldDescriptor *hc_field_rival(const ProtobufCMessage *message,
                                               const ProtobufCFieldDescriptor *field) {
    uint32_t choice = in_oneof(field) ? *choice_of(message, field) : 0;
    return choice == 0 ? NULL
                       : protobuf_c_message_descriptor_get_field(message->descriptor, choice);
}

size_t hc_field_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    return *count_of(message, field);
}

union hc_value hc_field_get(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                            size_t index) {
    const char *place = place_of(message, field);
    if (hc_field_repeated(field)) {
        assert(index < *count_of(message, field));
        place = *(char *const *)place + index * value_size(field);
    }
    return load(field, place);
}

/* Make room for one more value of a repeated field and count it; the array. */
static char *grow(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    char **array = place_of(message, field);
    size_t *count = count_of(message, field);
    size_t size = (*count + 1) * value_size(field); /* once more than what memory holds already */
    *array = hc_realloc(*array, size);
    (*count)++;
    return *array;
}

static const ProtobufCMessageDescriptor *entry_of(const ProtobufCFieldDescriptor *map) {
    return map->descriptor;
}

/* protoc names the entries of a map after it and lets nobody else use that name. */
bool hc_field_is_map(const ProtobufCFieldDescriptor *field) {
    if (!hc_field_repeated(field) || field->type != PROTOBUF_C_TYPE_MESSAGE) {
        return false;
    }
    const ProtobufCMessageDescriptor *entry = entry_of(field);
    return entry->n_fields == 2 && strcmp(entry->fields[0].name, "key") == 0 &&
           strcmp(entry->fields[1].name, "value") == 0;
}

const ProtobufCFieldDescriptor *hc_map_key(const ProtobufCFieldDescriptor *map) {
    return &entry_of(map)->fields[0];
}

const ProtobufCFieldDescriptor *hc_map_value(const ProtobufCFieldDescriptor *map) {
    return &entry_of(map)->fields[1];
}

void hc_field_put(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                  union hc_value value) {
    if (hc_field_repeated(field)) {
        char *array = grow(message, field);
        store(field, array + (hc_field_count(message, field) - 1) * value_size(field), value);
        return;
    }
    void *place = place_of(message, field);
    if (in_oneof(field)) {
        assert(*choice_of(message, field) == 0);
        *choice_of(message, field) = field->id;
    } else {
        release(field, load(field, place));
    }
    store(field, place, value);
}

void hc_field_forget(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    char **array = place_of(message, field);
    free(*array);
    *array = NULL;
    *count_of(message, field) = 0;
}

void hc_field_clear(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    if (hc_field_repeated(field)) {
        for (size_t i = 0; i < hc_field_count(message, field); i++) {
            release(field, hc_field_get(message, field, i));
        }
        hc_field_forget(message, field);
        return;
    }
    const ProtobufCFieldDescriptor *set = in_oneof(field) ? hc_field_rival(message, field) : field;
    if (set == NULL) {
        return;
    }
    void *place = place_of(message, set);
    release(set, load(set, place));
    if (in_oneof(set)) {
        *choice_of(message, set) = 0;
    }
    union hc_value nothing = {.natural = 0};
    if (set->type == PROTOBUF_C_TYPE_STRING && !in_oneof(set)) {
        nothing.string = (char *)set->default_value;
    }
    store(set, place, nothing);
}
