/* Values of JSON text as what they are expected to be. */
#include "wire/json_reader.h"

static enum hc_code unexpected(const char *kind, struct hc_error *error) {
    return hc_error_set(error, HC_INTERNAL, "attempt to access JSON non-%s as %s", kind, kind);
}

enum hc_code hc_json_as_string(const struct hc_json_value *value, struct hc_json_string *string,
                               struct hc_error *error) {
    if (value->kind != HC_JSON_STRING) {
        return unexpected("string", error);
    }
    *string = value->string;
    return HC_OK;
}

enum hc_code hc_json_as_bool(const struct hc_json_value *value, bool *boolean,
                             struct hc_error *error) {
    if (value->kind != HC_JSON_BOOL) {
        return unexpected("boolean", error);
    }
    *boolean = value->boolean;
    return HC_OK;
}

enum hc_code hc_json_as_int64(const struct hc_json_value *value, int64_t *number,
                              struct hc_error *error) {
    if (value->kind != HC_JSON_NUMBER || value->number.kind != HC_NUMBER_INT64) {
        return unexpected("signed-integer", error);
    }
    *number = value->number.int64;
    return HC_OK;
}

enum hc_code hc_json_as_uint64(const struct hc_json_value *value, uint64_t *number,
                               struct hc_error *error) {
    if (value->kind == HC_JSON_NUMBER && value->number.kind == HC_NUMBER_UINT64) {
        *number = value->number.uint64;
        return HC_OK;
    }
    if (value->kind == HC_JSON_NUMBER && value->number.kind == HC_NUMBER_INT64 &&
        value->number.int64 >= 0) {
        *number = (uint64_t)value->number.int64;
        return HC_OK;
    }
    return unexpected("unsigned-integer", error);
}

enum hc_code hc_json_as_double(const struct hc_json_value *value, double *number,
                               struct hc_error *error) {
    if (value->kind != HC_JSON_NUMBER) {
        return hc_error_set(error, HC_INTERNAL, "attempt to access JSON non-number as double");
    }
    *number = hc_number_double(value->number);
    return HC_OK;
}

enum hc_code hc_json_as_array(const struct hc_json_value *value, struct hc_error *error) {
    return value->kind == HC_JSON_ARRAY ? HC_OK : unexpected("array", error);
}

enum hc_code hc_json_as_object(const struct hc_json_value *value, struct hc_error *error) {
    return value->kind == HC_JSON_OBJECT ? HC_OK : unexpected("object", error);
}
