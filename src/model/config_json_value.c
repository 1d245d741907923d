/* Scalars of proto3 JSON. */
#include "config_json_value.h"

#include <math.h>

#include "base/utf8.h"
#include "nearest.h"
#include "wire/number.h"

const char *hc_config_json_words(const struct hc_json_value *value) {
    switch (value->kind) {
    case HC_JSON_NULL:
        return "null";
    case HC_JSON_BOOL:
        return value->boolean ? "true" : "false";
    case HC_JSON_NUMBER:
        return "a number";
    case HC_JSON_STRING:
        return "a string";
    case HC_JSON_ARRAY:
        return "an array";
    default:
        return "an object";
    }
}

static enum hc_code fail_expected(const struct hc_json_value *json, const char *expected,
                                  struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT, ": found %s, expected %s",
                        hc_config_json_words(json), expected);
}

bool hc_config_json_text(struct hc_json_string string, struct hc_buf *text) {
    hc_auto_buf bytes = {0};
    hc_json_string_decode(string, hc_buf_reserve(&bytes, string.size));
    hc_buf_commit(&bytes, string.size);
    if (string.size > 0 && memchr(bytes.data, '\0', string.size) != NULL) {
        return false;
    }
    hc_utf8_append(text, hc_buf_text(&bytes));
    return true;
}

static enum hc_code read_string(struct hc_json_string string, union hc_value *value,
                                struct hc_error *error) {
    hc_auto_buf text = {0};
    if (!hc_config_json_text(string, &text)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, ": a string cannot hold a NUL byte");
    }
    value->string = hc_buf_take(&text);
    return HC_OK;
}

/* A number as such or in a string. */
static bool read_number(const struct hc_json_value *json, struct hc_number *number) {
    if (json->kind == HC_JSON_NUMBER) {
        *number = json->number;
        return true;
    }
    size_t size;
    return json->kind == HC_JSON_STRING &&
           hc_number_read(json->string.raw, number, &size) == HC_NUMBER_READ &&
           size == json->string.raw.size;
}

/* Make 4.0 and 1e3 integers. */
static void make_integer(struct hc_number *number) {
    if (number->kind == HC_NUMBER_DOUBLE && number->real == trunc(number->real) &&
        fabs(number->real) < 0x1p53) {
        *number = (struct hc_number){HC_NUMBER_INT64, {.int64 = (int64_t)number->real}};
    }
}

static enum hc_code read_integer(const ProtobufCFieldDescriptor *field,
                                 const struct hc_json_value *json, union hc_value *value,
                                 struct hc_error *error) {
    struct hc_number number;
    if (!read_number(json, &number)) {
        return fail_expected(json, "an integer", error);
    }
    make_integer(&number);
    if (number.kind == HC_NUMBER_DOUBLE) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, ": found %.17g, expected an integer",
                            number.real);
    }
    bool fits = number.kind == HC_NUMBER_INT64 ? hc_field_fits_integer(field, number.int64)
                                               : hc_field_fits_natural(field, number.uint64);
    if (!fits) {
        char text[HC_NUMBER_ROOM];
        size_t size = number.kind == HC_NUMBER_INT64 ? hc_number_print_int64(number.int64, text)
                                                     : hc_number_print_uint64(number.uint64, text);
        return hc_error_set(error, HC_INVALID_ARGUMENT, ": %.*s is out of range", (int)size, text);
    }
    value->natural = number.uint64; /* the bits of a signed one, too */
    return HC_OK;
}

static enum hc_code read_enum(const ProtobufCFieldDescriptor *field,
                              const struct hc_json_value *json, union hc_value *value,
                              struct hc_error *error) {
    const ProtobufCEnumDescriptor *descriptor = field->descriptor;
    const ProtobufCEnumValue *found = NULL;
    struct hc_number number;
    hc_auto_buf text = {0};
    if (json->kind == HC_JSON_STRING && !read_number(json, &number)) {
        hc_config_json_text(json->string, &text);
        found = hc_enum_find(descriptor, hc_buf_text(&text), true);
    } else {
        HC_TRY(read_integer(field, json, value, error));
        found = protobuf_c_enum_descriptor_get_value(descriptor, (int)value->integer);
        hc_buf_appendf(&text, "%d", (int)value->integer);
    }
    if (found == NULL) {
        char suggestion[HC_SUGGESTION_SIZE];
        return hc_error_set(error, HC_INVALID_ARGUMENT, ": %s has no value \"%.64s\"%s",
                            descriptor->short_name, hc_buf_string(&text),
                            hc_suggest_value(descriptor, hc_buf_text(&text), suggestion));
    }
    value->integer = found->value;
    return HC_OK;
}

static bool read_bool(const struct hc_json_value *json, bool *boolean) {
    if (json->kind == HC_JSON_BOOL) {
        *boolean = json->boolean;
        return true;
    }
    *boolean = json->kind == HC_JSON_STRING && hc_json_string_is(json->string, "true");
    return *boolean || (json->kind == HC_JSON_STRING && hc_json_string_is(json->string, "false"));
}

/* JSON proper has no names for these numbers, so that they come in strings. */
static bool read_real(const struct hc_json_value *json, double *real) {
    struct hc_number number;
    if (!read_number(json, &number)) {
        return false;
    }
    *real = hc_number_double(number);
    return true;
}

enum hc_code hc_config_json_value(const ProtobufCFieldDescriptor *field,
                                  const struct hc_json_value *json, union hc_value *value,
                                  struct hc_error *error) {
    if (field->type == PROTOBUF_C_TYPE_ENUM) {
        return read_enum(field, json, value, error);
    }
    switch (hc_field_kind(field)) {
    case HC_VALUE_BOOL:
        return read_bool(json, &value->boolean) ? HC_OK
                                                : fail_expected(json, "true or false", error);
    case HC_VALUE_REAL:
        return read_real(json, &value->real) ? HC_OK : fail_expected(json, "a number", error);
    case HC_VALUE_STRING:
        return json->kind == HC_JSON_STRING ? read_string(json->string, value, error)
                                            : fail_expected(json, "a string", error);
    default:
        return read_integer(field, json, value, error);
    }
}

enum hc_code hc_config_json_key(const ProtobufCFieldDescriptor *key, struct hc_json_string name,
                                union hc_value *value, struct hc_error *error) {
    struct hc_json_value json = {.kind = HC_JSON_STRING, .string = name};
    return hc_config_json_value(key, &json, value, error);
}
