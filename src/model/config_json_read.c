/* Model configurations as JSON: reading. */
#include <ctype.h>

#include "config_json_value.h"
#include "model/config_json.h"
#include "nearest.h"

/*
 * Inside, errors are never NULL, and their message begins with the place as far as it is known,
 * then ": ". Text that is no JSON ends the reading without a message; the reader has it.
 */

static enum hc_code in_field(enum hc_code code, const char *name, struct hc_error *error) {
    return code == HC_OK ? HC_OK : hc_error_prefix(error, ".%s", name);
}

static enum hc_code in_element(enum hc_code code, size_t index, struct hc_error *error) {
    return code == HC_OK ? HC_OK : hc_error_prefix(error, "[%zu]", index);
}

static enum hc_code fail_expected(const struct hc_json_value *json, const char *expected,
                                  struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT, ": found %s, expected %s",
                        hc_config_json_words(json), expected);
}

static enum hc_code fail_no_json(struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT, "%s", "");
}

static enum hc_code read_object(struct hc_json_reader *reader, ProtobufCMessage *message,
                                struct hc_error *error);

static enum hc_code read_value(struct hc_json_reader *reader, const ProtobufCFieldDescriptor *field,
                               const struct hc_json_value *json, union hc_value *value,
                               struct hc_error *error) {
    if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
        return hc_config_json_value(field, json, value, error);
    }
    if (json->kind != HC_JSON_OBJECT) {
        return fail_expected(json, "an object", error);
    }
    hc_auto(message) message = hc_message_create(field->descriptor);
    HC_TRY(read_object(reader, message, error));
    value->message = hc_take(message);
    return HC_OK;
}

/* Read a value and put it into the field. */
static enum hc_code read_into(struct hc_json_reader *reader, ProtobufCMessage *message,
                              const ProtobufCFieldDescriptor *field, struct hc_error *error) {
    struct hc_json_value json;
    union hc_value value;
    if (!hc_json_read(reader, &json)) {
        return fail_no_json(error);
    }
    HC_TRY(read_value(reader, field, &json, &value, error));
    hc_field_put(message, field, value);
    return HC_OK;
}

static enum hc_code read_array(struct hc_json_reader *reader, ProtobufCMessage *message,
                               const ProtobufCFieldDescriptor *field, struct hc_error *error) {
    for (size_t i = 0; hc_json_next_element(reader); i++) {
        HC_TRY(in_element(read_into(reader, message, field, error), i, error));
    }
    return HC_OK;
}

static enum hc_code read_entry(struct hc_json_reader *reader, ProtobufCMessage *message,
                               const ProtobufCFieldDescriptor *map, struct hc_json_string name,
                               struct hc_error *error) {
    union hc_value key;
    hc_auto(message) entry = hc_message_create(map->descriptor);
    HC_TRY(hc_config_json_key(hc_map_key(map), name, &key, error));
    hc_field_put(entry, hc_map_key(map), key);
    HC_TRY(read_into(reader, entry, hc_map_value(map), error));
    hc_field_put(message, map, (union hc_value){.message = hc_take(entry)});
    return HC_OK;
}

static enum hc_code read_map(struct hc_json_reader *reader, ProtobufCMessage *message,
                             const ProtobufCFieldDescriptor *map, struct hc_error *error) {
    struct hc_json_string name;
    while (hc_json_next_member(reader, &name)) {
        enum hc_code code = read_entry(reader, message, map, name, error);
        if (code != HC_OK) {
            return hc_error_prefix(error, "[\"%.*s\"]", HC_TEXT_ARGS(name.raw));
        }
    }
    return HC_OK;
}

static enum hc_code read_field(struct hc_json_reader *reader, ProtobufCMessage *message,
                               const ProtobufCFieldDescriptor *field, struct hc_error *error) {
    struct hc_json_value json;
    union hc_value value;
    if (!hc_json_read(reader, &json)) {
        return fail_no_json(error);
    }
    if (json.kind == HC_JSON_NULL) {
        return HC_OK;
    }
    const ProtobufCFieldDescriptor *rival = hc_field_rival(message, field);
    if (rival != NULL && rival != field) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, ": cannot be given together with %s",
                            rival->name);
    }
    bool given = hc_field_repeated(field) ? hc_field_count(message, field) > 0
                                          : hc_field_is_set(message, field);
    if (given) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, ": is given twice");
    }
    if (hc_field_is_map(field)) {
        return json.kind == HC_JSON_OBJECT ? read_map(reader, message, field, error)
                                           : fail_expected(&json, "an object", error);
    }
    if (hc_field_repeated(field) && json.kind == HC_JSON_ARRAY) {
        return read_array(reader, message, field, error);
    }
    HC_TRY(read_value(reader, field, &json, &value, error));
    hc_field_put(message, field, value);
    return HC_OK;
}

/* Whether NAME is that of the .proto file with "_x" written as "X". */
static bool is_camel_case(struct hc_text name, const char *original) {
    size_t i = 0;
    for (; *original != '\0'; original++, i++) {
        bool upper = original[0] == '_' && original[1] != '\0';
        original += upper;
        char c = upper ? (char)toupper((unsigned char)*original) : *original;
        if (i >= name.size || name.data[i] != c) {
            return false;
        }
    }
    return i == name.size;
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *descriptor,
                                                  struct hc_text name) {
    const ProtobufCFieldDescriptor *field = hc_message_find(descriptor, name);
    for (unsigned i = 0; field == NULL && i < descriptor->n_fields; i++) {
        if (is_camel_case(name, descriptor->fields[i].name)) {
            field = &descriptor->fields[i];
        }
    }
    return field;
}

static enum hc_code read_member(struct hc_json_reader *reader, ProtobufCMessage *message,
                                struct hc_json_string name, struct hc_error *error) {
    hc_auto_buf text = {0};
    hc_config_json_text(name, &text);
    const ProtobufCFieldDescriptor *field = find_field(message->descriptor, hc_buf_text(&text));
    if (field == NULL) {
        char suggestion[HC_SUGGESTION_SIZE];
        return hc_error_set(error, HC_INVALID_ARGUMENT, ": %s has no field \"%.64s\"%s",
                            message->descriptor->short_name, hc_buf_string(&text),
                            hc_suggest_field(message->descriptor, hc_buf_text(&text), suggestion));
    }
    return in_field(read_field(reader, message, field, error), field->name, error);
}

/* The members of the object that has been opened. */
static enum hc_code read_object(struct hc_json_reader *reader, ProtobufCMessage *message,
                                struct hc_error *error) {
    struct hc_json_string name;
    while (hc_json_next_member(reader, &name)) {
        HC_TRY(read_member(reader, message, name, error));
    }
    hc_message_settle(message);
    return HC_OK;
}

static enum hc_code read_document(struct hc_json_reader *reader, ProtobufCMessage *message,
                                  struct hc_error *error) {
    struct hc_json_value json;
    if (!hc_json_read(reader, &json)) {
        return fail_no_json(error);
    }
    if (json.kind != HC_JSON_OBJECT) {
        return fail_expected(&json, "an object", error);
    }
    return read_object(reader, message, error);
}

enum hc_code hc_config_json_read(struct hc_text json, Inference__ModelConfig **config,
                                 struct hc_error *error) {
    if (json.size > HC_CONFIG_MAX_SIZE) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "a model configuration of %zu bytes is larger than %d", json.size,
                            HC_CONFIG_MAX_SIZE);
    }
    struct hc_error inner = {0};
    struct hc_json_reader reader;
    hc_json_begin(&reader, json);
    hc_auto(message) message = hc_message_create(&inference__model_config__descriptor);
    enum hc_code code = read_document(&reader, message, &inner);
    if (code == HC_OK || hc_json_failed(&reader)) {
        code = hc_json_end(&reader, &inner);
    }
    if (code != HC_OK) {
        size_t n_skipped = strspn(inner.message, inner.message[0] == '.' ? "." : ": ");
        return hc_error_set(error, HC_INVALID_ARGUMENT, "%s", inner.message + n_skipped);
    }
    *config = (Inference__ModelConfig *)hc_take(message);
    return HC_OK;
}
