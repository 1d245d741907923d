/* Protobuf's text format: fields and messages. */
#include "model/pbtxt.h"

#include <stdio.h>

#include "nearest.h"
#include "pbtxt_value.h"

/* What the current token is not. */
static enum hc_code fail_expected(struct hc_lexer *lexer, const char *expected) {
    char words[HC_TOKEN_WORDS_SIZE];
    return hc_lexer_fail(lexer, &lexer->token, "found %s, expected %s",
                         hc_token_words(&lexer->token, words), expected);
}

static enum hc_code accept(struct hc_lexer *lexer, char symbol, bool *accepted) {
    *accepted = hc_token_is(&lexer->token, symbol);
    return *accepted ? hc_lexer_next(lexer) : HC_OK;
}

static enum hc_code read_fields(struct hc_lexer *lexer, ProtobufCMessage *message, unsigned depth);

static enum hc_code read_message(struct hc_lexer *lexer, const ProtobufCFieldDescriptor *field,
                                 unsigned depth, union hc_value *value) {
    struct hc_token opening = lexer->token;
    bool angle = hc_token_is(&opening, '<');
    if (!angle && !hc_token_is(&opening, '{')) {
        char expected[HC_TOKEN_WORDS_SIZE];
        snprintf(expected, sizeof expected, "\"{\" for %.32s", field->name);
        return fail_expected(lexer, expected);
    }
    if (depth >= HC_PBTXT_MAX_DEPTH) {
        return hc_lexer_fail(lexer, &opening, "messages are nested too deep");
    }
    HC_TRY(hc_lexer_next(lexer));
    hc_auto(message) message = hc_message_create(field->descriptor);
    HC_TRY(read_fields(lexer, message, depth + 1));
    if (!hc_token_is(&lexer->token, angle ? '>' : '}')) {
        char words[HC_TOKEN_WORDS_SIZE];
        return hc_lexer_fail(
            lexer, &lexer->token, "found %s, expected the \"%c\" of %s, which begins on line %u",
            hc_token_words(&lexer->token, words), angle ? '>' : '}', field->name, opening.line);
    }
    HC_TRY(hc_lexer_next(lexer));
    value->message = hc_take(message);
    return HC_OK;
}

static enum hc_code read_one(struct hc_lexer *lexer, ProtobufCMessage *message,
                             const ProtobufCFieldDescriptor *field, unsigned depth) {
    union hc_value value;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        HC_TRY(read_message(lexer, field, depth, &value));
    } else {
        HC_TRY(hc_pbtxt_read_value(lexer, field, &value));
    }
    hc_field_put(message, field, value);
    return HC_OK;
}

/* What follows the "[" of a list, and its "]". */
static enum hc_code read_list(struct hc_lexer *lexer, ProtobufCMessage *message,
                              const ProtobufCFieldDescriptor *field, unsigned depth) {
    bool more;
    bool closed;
    HC_TRY(accept(lexer, ']', &closed));
    while (!closed) {
        HC_TRY(read_one(lexer, message, field, depth));
        HC_TRY(accept(lexer, ']', &closed));
        if (!closed) {
            HC_TRY(accept(lexer, ',', &more));
            if (!more) {
                return fail_expected(lexer, "\",\" or \"]\"");
            }
        }
    }
    return HC_OK;
}

/* The field that the current token names; NULL when there is none, or none to be given now. */
static const ProtobufCFieldDescriptor *find_field(struct hc_lexer *lexer,
                                                  const ProtobufCMessage *message) {
    if (lexer->token.kind != HC_TOKEN_NAME) {
        fail_expected(lexer, "the name of a field");
        return NULL;
    }
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    const ProtobufCFieldDescriptor *field = hc_message_find(descriptor, lexer->token.text);
    if (field == NULL) {
        char words[HC_TOKEN_WORDS_SIZE];
        char suggestion[HC_SUGGESTION_SIZE];
        hc_lexer_fail(lexer, &lexer->token, "%s has no field %s%s", descriptor->short_name,
                      hc_token_words(&lexer->token, words),
                      hc_suggest_field(descriptor, lexer->token.text, suggestion));
        return NULL;
    }
    const ProtobufCFieldDescriptor *rival = hc_field_rival(message, field);
    if (rival != NULL && rival != field) {
        hc_lexer_fail(lexer, &lexer->token, "%s cannot be given together with %s", field->name,
                      rival->name);
        return NULL;
    }
    if (!hc_field_repeated(field) && hc_field_is_set(message, field)) {
        hc_lexer_fail(lexer, &lexer->token, "%s is given twice", field->name);
        return NULL;
    }
    return field;
}

static enum hc_code read_field(struct hc_lexer *lexer, ProtobufCMessage *message, unsigned depth) {
    const ProtobufCFieldDescriptor *field = find_field(lexer, message);
    bool colon;
    bool list = false;
    bool separator;
    if (field == NULL) {
        return HC_INVALID_ARGUMENT;
    }
    HC_TRY(hc_lexer_next(lexer));
    HC_TRY(accept(lexer, ':', &colon));
    if (!colon && field->type != PROTOBUF_C_TYPE_MESSAGE) {
        return fail_expected(lexer, "\":\"");
    }
    if (hc_field_repeated(field)) {
        HC_TRY(accept(lexer, '[', &list));
    }
    HC_TRY(list ? read_list(lexer, message, field, depth) : read_one(lexer, message, field, depth));
    HC_TRY(accept(lexer, ';', &separator));
    return separator ? HC_OK : accept(lexer, ',', &separator);
}

/* Fields up to the end, or to what closes the message. */
static enum hc_code read_fields(struct hc_lexer *lexer, ProtobufCMessage *message, unsigned depth) {
    while (lexer->token.kind != HC_TOKEN_END && !hc_token_is(&lexer->token, '}') &&
           !hc_token_is(&lexer->token, '>')) {
        HC_TRY(read_field(lexer, message, depth));
    }
    hc_message_settle(message);
    return HC_OK;
}

enum hc_code hc_pbtxt_parse(const ProtobufCMessageDescriptor *descriptor, struct hc_text text,
                            const char *file, ProtobufCMessage **message, struct hc_error *error) {
    struct hc_lexer lexer;
    HC_TRY(hc_lexer_begin(&lexer, text, file, error));
    hc_auto(message) result = hc_message_create(descriptor);
    HC_TRY(read_fields(&lexer, result, 0));
    if (lexer.token.kind != HC_TOKEN_END) {
        return fail_expected(&lexer, "the name of a field");
    }
    *message = hc_take(result);
    return HC_OK;
}
