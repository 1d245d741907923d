/* Model configurations as JSON: printing. */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_escape.h"
#include "fields.h"
#include "model/config_json.h"
#include "wire/number.h"

enum { MAX_FIELDS = 64 };

/* Where Triton's JSON is not what the .proto file says. */
enum quirk {
    QUIRK_STRINGS,     /* 64-bit integers stay strings, as proto3 JSON has them */
    QUIRK_NEWER,       /* a scalar that Triton 2.51 does not know: only when set */
    QUIRK_AFTER_ONEOF, /* the message's oneof is declared just before this field */
};

static const struct quirk_row {
    const ProtobufCMessageDescriptor *message;
    const char *field;
    enum quirk quirk;
} quirk_rows[] = {
    {&inference__model_config__descriptor, "instance_group", QUIRK_AFTER_ONEOF},
    {&inference__model_ensembling__descriptor, "max_inflight_requests", QUIRK_NEWER},
    {&inference__model_instance_group__secondary_device__descriptor, "device_id", QUIRK_STRINGS},
    {&inference__model_optimization_policy__cuda__graph_spec__shape__descriptor, "dim",
     QUIRK_STRINGS},
    {&inference__model_sequence_batching__descriptor, "max_sequence_idle_microseconds",
     QUIRK_AFTER_ONEOF},
    {&inference__model_sequence_batching__initial_state__descriptor, "dims", QUIRK_STRINGS},
};

static bool has_quirk(const ProtobufCMessageDescriptor *message,
                      const ProtobufCFieldDescriptor *field, enum quirk quirk) {
    for (size_t i = 0; i < sizeof quirk_rows / sizeof quirk_rows[0]; i++) {
        const struct quirk_row *row = &quirk_rows[i];
        if (row->message == message && row->quirk == quirk &&
            strcmp(row->field, field->name) == 0) {
            return true;
        }
    }
    return false;
}

static bool in_oneof(const ProtobufCFieldDescriptor *field) {
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

/*
 * The place of FIELD among those of its message. protobuf-c lays structs out in the order of
 * declaration, but for oneofs, which it puts last.
 */
static unsigned place_in_order(const ProtobufCMessageDescriptor *message,
                               const ProtobufCFieldDescriptor *field) {
    for (unsigned i = 0; i < message->n_fields && in_oneof(field); i++) {
        if (has_quirk(message, &message->fields[i], QUIRK_AFTER_ONEOF)) {
            return 2 * message->fields[i].offset - 1;
        }
    }
    return 2 * field->offset;
}

/* The fields of MESSAGE in the order of declaration; their number. */
static size_t order_fields(const ProtobufCMessageDescriptor *message,
                           const ProtobufCFieldDescriptor *fields[MAX_FIELDS]) {
    assert(message->n_fields <= MAX_FIELDS);
    unsigned places[MAX_FIELDS];
    for (size_t i = 0; i < message->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->fields[i];
        unsigned place = place_in_order(message, field);
        size_t j = i;
        for (; j > 0 && places[j - 1] > place; j--) {
            places[j] = places[j - 1];
            fields[j] = fields[j - 1];
        }
        places[j] = place;
        fields[j] = field;
    }
    return message->n_fields;
}

static bool is_printed(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
    if (hc_field_repeated(field)) {
        return true;
    }
    bool always = field->type != PROTOBUF_C_TYPE_MESSAGE && !in_oneof(field) &&
                  !has_quirk(message->descriptor, field, QUIRK_NEWER);
    return always || hc_field_is_set(message, field);
}

/* As protobuf prints it for Triton, which then reads it as an integer where it looks like one. */
static void print_real(struct hc_buf *json, const ProtobufCFieldDescriptor *field, double value) {
    if (!isfinite(value)) {
        hc_buf_append_string(json, isnan(value) ? "\"NaN\""
                                   : value > 0  ? "\"Infinity\""
                                                : "\"-Infinity\"");
        return;
    }
    bool is_float = field->type == PROTOBUF_C_TYPE_FLOAT;
    char text[HC_NUMBER_ROOM];
    snprintf(text, sizeof text, "%.*g", is_float ? FLT_DIG : DBL_DIG, value);
    double read = strtod(text, NULL);
    if (is_float ? (float)read != (float)value : read != value) {
        snprintf(text, sizeof text, "%.*g", is_float ? FLT_DIG + 3 : DBL_DIG + 2, value);
    }
    read = strtod(text, NULL);
    char number[HC_NUMBER_ROOM];
    size_t size = strpbrk(text, ".e") == NULL ? hc_number_print_int64((int64_t)read, number)
                                              : hc_number_print_double(read, number);
    hc_buf_append(json, number, size);
}

static void print_enum(struct hc_buf *json, const ProtobufCFieldDescriptor *field, int number) {
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(field->descriptor, number);
    if (value != NULL) {
        hc_buf_appendf(json, "\"%s\"", value->name);
    } else {
        hc_buf_appendf(json, "%d", number);
    }
}

static void print_message(struct hc_buf *json, const ProtobufCMessage *message);

static void print_value(struct hc_buf *json, const ProtobufCFieldDescriptor *field,
                        union hc_value value) {
    char number[HC_NUMBER_ROOM];
    switch (hc_field_kind(field)) {
    case HC_VALUE_INTEGER:
        if (field->type == PROTOBUF_C_TYPE_ENUM) {
            print_enum(json, field, (int)value.integer);
        } else {
            hc_buf_append(json, number, hc_number_print_int64(value.integer, number));
        }
        return;
    case HC_VALUE_NATURAL:
        hc_buf_append(json, number, hc_number_print_uint64(value.natural, number));
        return;
    case HC_VALUE_REAL:
        print_real(json, field, value.real);
        return;
    case HC_VALUE_BOOL:
        hc_buf_append_string(json, value.boolean ? "true" : "false");
        return;
    case HC_VALUE_STRING:
        hc_json_append_string(json, hc_text_of(value.string));
        return;
    case HC_VALUE_MESSAGE:
        print_message(json, value.message);
        return;
    }
}

/* In quotes, unless it is a string, which has its own. */
static void print_quoted(struct hc_buf *json, const ProtobufCFieldDescriptor *field,
                         union hc_value value) {
    const char *quote = field->type == PROTOBUF_C_TYPE_STRING ? "" : "\"";
    hc_buf_append_string(json, quote);
    print_value(json, field, value);
    hc_buf_append_string(json, quote);
}

static void print_map(struct hc_buf *json, const ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *map) {
    hc_buf_append_char(json, '{');
    for (size_t i = 0; i < hc_field_count(message, map); i++) {
        const ProtobufCMessage *entry = hc_field_get(message, map, i).message;
        const ProtobufCFieldDescriptor *key = hc_map_key(map);
        const ProtobufCFieldDescriptor *value = hc_map_value(map);
        hc_buf_append_string(json, i > 0 ? "," : "");
        print_quoted(json, key, hc_field_get(entry, key, 0));
        hc_buf_append_char(json, ':');
        print_value(json, value, hc_field_get(entry, value, 0));
    }
    hc_buf_append_char(json, '}');
}

static void print_field(struct hc_buf *json, const ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *field) {
    if (hc_field_is_map(field)) {
        print_map(json, message, field);
        return;
    }
    bool repeated = hc_field_repeated(field);
    size_t n = repeated ? hc_field_count(message, field) : 1;
    bool quoted = has_quirk(message->descriptor, field, QUIRK_STRINGS);
    hc_buf_append_string(json, repeated ? "[" : "");
    for (size_t i = 0; i < n; i++) {
        hc_buf_append_string(json, i > 0 ? "," : "");
        union hc_value value = hc_field_get(message, field, i);
        if (quoted) {
            print_quoted(json, field, value);
        } else {
            print_value(json, field, value);
        }
    }
    hc_buf_append_string(json, repeated ? "]" : "");
}

static void print_message(struct hc_buf *json, const ProtobufCMessage *message) {
    const ProtobufCFieldDescriptor *fields[MAX_FIELDS];
    size_t n = order_fields(message->descriptor, fields);
    char separator = '{';
    for (size_t i = 0; i < n; i++) {
        if (is_printed(message, fields[i])) {
            hc_buf_append_char(json, separator);
            hc_buf_appendf(json, "\"%s\":", fields[i]->name);
            print_field(json, message, fields[i]);
            separator = ',';
        }
    }
    hc_buf_append_string(json, separator == '{' ? "{}" : "}");
}

void hc_config_json_print(const Inference__ModelConfig *config, struct hc_buf *json) {
    print_message(json, &config->base);
}
