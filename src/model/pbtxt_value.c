/* Values in protobuf's text format: numbers, names and strings. */
#include "pbtxt_value.h"

#include <math.h>

#include "base/alloc.h"
#include "nearest.h"

/* Report that the current token is not what FIELD needs. */
static enum hc_code fail_expected(struct hc_lexer *lexer, const ProtobufCFieldDescriptor *field,
                                  const char *expected) {
    char words[HC_TOKEN_WORDS_SIZE];
    return hc_lexer_fail(lexer, &lexer->token, "found %s, expected %s for %s",
                         hc_token_words(&lexer->token, words), expected, field->name);
}

static bool accept_minus(struct hc_lexer *lexer, enum hc_code *code) {
    if (!hc_token_is(&lexer->token, '-')) {
        return false;
    }
    *code = hc_lexer_next(lexer);
    return true;
}

/* The number of an integer token; false when it has more than 64 bits. */
static bool read_natural(struct hc_text text, uint64_t *number) {
    bool hex = text.size > 1 && (text.data[1] | 0x20) == 'x';
    unsigned base = hex ? 16 : text.data[0] == '0' ? 8 : 10;
    uint64_t value = 0;
    for (size_t i = hex ? 2 : 0; i < text.size; i++) {
        char c = text.data[i];
        unsigned digit = c <= '9' ? (unsigned)(c - '0') : (unsigned)(c | 0x20) - 'a' + 10;
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return false;
        }
    }
    *number = value;
    return true;
}

static enum hc_code fail_range(struct hc_lexer *lexer, const ProtobufCFieldDescriptor *field,
                               bool negative) {
    char words[HC_TOKEN_WORDS_SIZE];
    hc_token_words(&lexer->token, words);
    words[strlen(words) - 1] = '\0'; /* without its quotes */
    return hc_lexer_fail(lexer, &lexer->token, "%s%s is out of range for %s", negative ? "-" : "",
                         words + 1, field->name);
}

/* Integers of either sign, of either size, and the numbers of enums. */
static enum hc_code read_integer(struct hc_lexer *lexer, const ProtobufCFieldDescriptor *field,
                                 union hc_value *value) {
    enum hc_code code = HC_OK;
    bool natural = hc_field_kind(field) == HC_VALUE_NATURAL;
    bool negative = !natural && accept_minus(lexer, &code);
    HC_TRY(code);
    if (lexer->token.kind != HC_TOKEN_INTEGER) {
        return fail_expected(lexer, field, natural ? "an integer from 0" : "an integer");
    }
    uint64_t number;
    bool fits = read_natural(lexer->token.text, &number);
    if (fits && negative) {
        fits = number <= (uint64_t)INT64_MAX + 1 && hc_field_fits_integer(field, (int64_t)-number);
    } else if (fits) {
        fits = hc_field_fits_natural(field, number);
    }
    if (!fits) {
        return fail_range(lexer, field, negative);
    }
    value->natural = negative ? -number : number; /* the bits of a signed one, too */
    return hc_lexer_next(lexer);
}

static enum hc_code read_enum(struct hc_lexer *lexer, const ProtobufCFieldDescriptor *field,
                              union hc_value *value) {
    const ProtobufCEnumDescriptor *descriptor = field->descriptor;
    struct hc_token token = lexer->token;
    const ProtobufCEnumValue *found = NULL;
    if (token.kind == HC_TOKEN_NAME) {
        found = hc_enum_find(descriptor, token.text, false);
        HC_TRY(hc_lexer_next(lexer));
    } else if (token.kind == HC_TOKEN_INTEGER || hc_token_is(&token, '-')) {
        HC_TRY(read_integer(lexer, field, value));
        found = protobuf_c_enum_descriptor_get_value(descriptor, (int)value->integer);
    } else {
        return fail_expected(lexer, field, "a name");
    }
    if (found == NULL) {
        char words[HC_TOKEN_WORDS_SIZE];
        char suggestion[HC_SUGGESTION_SIZE];
        return hc_lexer_fail(lexer, &token, "%s has no value %s%s", descriptor->short_name,
                             hc_token_words(&token, words),
                             hc_suggest_value(descriptor, token.text, suggestion));
    }
    value->integer = found->value;
    return HC_OK;
}

static enum hc_code read_bool(struct hc_lexer *lexer, const ProtobufCFieldDescriptor *field,
                              union hc_value *value) {
    static const char *const yes[] = {"true", "True", "t"};
    static const char *const no[] = {"false", "False", "f"};
    struct hc_text text = lexer->token.text;
    if (lexer->token.kind == HC_TOKEN_INTEGER) {
        uint64_t number;
        if (read_natural(text, &number) && number <= 1) {
            value->boolean = number == 1;
            return hc_lexer_next(lexer);
        }
    } else if (lexer->token.kind == HC_TOKEN_NAME) {
        for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
            if (hc_text_is(text, yes[i]) || hc_text_is(text, no[i])) {
                value->boolean = hc_text_is(text, yes[i]);
                return hc_lexer_next(lexer);
            }
        }
    }
    return fail_expected(lexer, field, "true or false");
}

static bool read_real_name(struct hc_text name, double *number) {
    if (hc_text_is_nocase(name, "inf") || hc_text_is_nocase(name, "infinity")) {
        *number = INFINITY;
        return true;
    }
    *number = NAN;
    return hc_text_is_nocase(name, "nan");
}

static enum hc_code read_real(struct hc_lexer *lexer, const ProtobufCFieldDescriptor *field,
                              union hc_value *value) {
    enum hc_code code = HC_OK;
    bool negative = accept_minus(lexer, &code);
    HC_TRY(code);
    struct hc_text text = lexer->token.text;
    bool decimal = lexer->token.kind == HC_TOKEN_FLOAT || (lexer->token.kind == HC_TOKEN_INTEGER &&
                                                           (text.data[0] != '0' || text.size == 1));
    double number;
    if (decimal) {
        hc_auto(text) copy = hc_strndup(text.data, text.size);
        number = strtod(copy, NULL); /* stops at the f of 1f */
    } else if (lexer->token.kind != HC_TOKEN_NAME || !read_real_name(text, &number)) {
        return fail_expected(lexer, field, "a decimal number");
    }
    value->real = negative ? -number : number;
    return hc_lexer_next(lexer);
}

/* One literal after the other is one string. */
static enum hc_code read_string(struct hc_lexer *lexer, const ProtobufCFieldDescriptor *field,
                                union hc_value *value) {
    if (lexer->token.kind != HC_TOKEN_STRING) {
        return fail_expected(lexer, field, "a string in quotes");
    }
    hc_auto_buf content = {0};
    while (lexer->token.kind == HC_TOKEN_STRING) {
        HC_TRY(hc_lexer_decode(lexer, &lexer->token, &content));
        HC_TRY(hc_lexer_next(lexer));
    }
    value->string = hc_buf_take(&content);
    return HC_OK;
}

enum hc_code hc_pbtxt_read_value(struct hc_lexer *lexer, const ProtobufCFieldDescriptor *field,
                                 union hc_value *value) {
    if (field->type == PROTOBUF_C_TYPE_ENUM) {
        return read_enum(lexer, field, value);
    }
    switch (hc_field_kind(field)) {
    case HC_VALUE_REAL:
        return read_real(lexer, field, value);
    case HC_VALUE_BOOL:
        return read_bool(lexer, field, value);
    case HC_VALUE_STRING:
        return read_string(lexer, field, value);
    default:
        return read_integer(lexer, field, value);
    }
}
