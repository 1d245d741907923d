/* The tokens of protobuf's text format. */
#include "pbtxt_lexer.h"

#include <stdarg.h>
#include <stdio.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_octal_digit(char c) {
    return c >= '0' && c <= '7';
}

static bool is_hex_digit(char c) {
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool is_name_start(char c) {
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

static bool is_name_byte(char c) {
    return is_name_start(c) || is_digit(c);
}

/* The next byte, NUL at the end. */
static char peek(const struct hc_lexer *lexer) {
    return lexer->_place < lexer->_end ? *lexer->_place : '\0';
}

static void skip_run(struct hc_lexer *lexer, bool (*belongs)(char c)) {
    while (lexer->_place < lexer->_end && belongs(*lexer->_place)) {
        lexer->_place++;
    }
}

static bool is_comment_byte(char c) {
    return c != '\n';
}

static void skip_blanks(struct hc_lexer *lexer) {
    for (; lexer->_place < lexer->_end; lexer->_place++) {
        switch (*lexer->_place) {
        case '#':
            skip_run(lexer, is_comment_byte);
            if (lexer->_place == lexer->_end) {
                return;
            }
            /* fall through */
        case '\n':
            lexer->_line++;
            lexer->_line_start = lexer->_place + 1;
            break;
        case ' ':
        case '\t':
        case '\r':
        case '\v':
        case '\f':
            break;
        default:
            return;
        }
    }
}

/* A mistake in the middle of the current token. */
static enum hc_code fail_here(struct hc_lexer *lexer, const char *message) {
    struct hc_token here = lexer->token;
    here.column += (size_t)(lexer->_place - here.text.data);
    return hc_lexer_fail(lexer, &here, "%s", message);
}

static enum hc_code read_exponent(struct hc_lexer *lexer) {
    lexer->_place++;
    if (peek(lexer) == '+' || peek(lexer) == '-') {
        lexer->_place++;
    }
    if (!is_digit(peek(lexer))) {
        return fail_here(lexer, "expected the digits of an exponent");
    }
    skip_run(lexer, is_digit);
    return HC_OK;
}

/* What follows the integer part of a decimal number. */
static enum hc_code read_fraction(struct hc_lexer *lexer) {
    if (peek(lexer) == '.') {
        lexer->token.kind = HC_TOKEN_FLOAT;
        lexer->_place++;
        skip_run(lexer, is_digit);
    }
    if ((peek(lexer) | 0x20) == 'e') {
        lexer->token.kind = HC_TOKEN_FLOAT;
        HC_TRY(read_exponent(lexer));
    }
    if ((peek(lexer) | 0x20) == 'f') {
        lexer->token.kind = HC_TOKEN_FLOAT;
        lexer->_place++;
    }
    return HC_OK;
}

static enum hc_code read_number(struct hc_lexer *lexer) {
    lexer->token.kind = HC_TOKEN_INTEGER;
    bool zero = peek(lexer) == '0';
    skip_run(lexer, is_digit);
    size_t n_digits = (size_t)(lexer->_place - lexer->token.text.data);
    if (zero && n_digits == 1 && (peek(lexer) | 0x20) == 'x') {
        lexer->_place++;
        if (!is_hex_digit(peek(lexer))) {
            return fail_here(lexer, "expected hexadecimal digits after \"0x\"");
        }
        skip_run(lexer, is_hex_digit);
    } else if (zero && n_digits > 1) {
        lexer->_place = lexer->token.text.data;
        skip_run(lexer, is_octal_digit);
        if (is_digit(peek(lexer))) {
            return fail_here(lexer,
                             "a number that begins with 0 is octal and has no digits 8 and 9");
        }
    } else {
        HC_TRY(read_fraction(lexer));
    }
    if (peek(lexer) == '.') {
        return fail_here(lexer, "this number cannot have a point here");
    }
    return HC_OK;
}

static enum hc_code read_string(struct hc_lexer *lexer) {
    char quote = *lexer->_place++;
    while (lexer->_place < lexer->_end && *lexer->_place != '\n') {
        char c = *lexer->_place++;
        if (c == quote) {
            return HC_OK;
        }
        if (c == '\\' && lexer->_place < lexer->_end && *lexer->_place != '\n') {
            lexer->_place++;
        }
    }
    return hc_lexer_fail(lexer, &lexer->token, "this string has no closing %c on its line", quote);
}

static enum hc_code read_token(struct hc_lexer *lexer) {
    char c = peek(lexer);
    if (lexer->_place == lexer->_end) {
        lexer->token.kind = HC_TOKEN_END;
    } else if (is_name_start(c)) {
        lexer->token.kind = HC_TOKEN_NAME;
        skip_run(lexer, is_name_byte);
    } else if (is_digit(c) ||
               (c == '.' && lexer->_end - lexer->_place > 1 && is_digit(lexer->_place[1]))) {
        return read_number(lexer);
    } else if (c == '"' || c == '\'') {
        lexer->token.kind = HC_TOKEN_STRING;
        return read_string(lexer);
    } else {
        lexer->token.kind = HC_TOKEN_SYMBOL;
        lexer->_place++;
    }
    return HC_OK;
}

enum hc_code hc_lexer_next(struct hc_lexer *lexer) {
    skip_blanks(lexer);
    lexer->token = (struct hc_token){
        .text = {lexer->_place, 0},
        .line = lexer->_line,
        .column = (size_t)(lexer->_place - lexer->_line_start) + 1,
    };
    HC_TRY(read_token(lexer));
    lexer->token.text.size = (size_t)(lexer->_place - lexer->token.text.data);
    return HC_OK;
}

enum hc_code hc_lexer_begin(struct hc_lexer *lexer, struct hc_text text, const char *file,
                            struct hc_error *error) {
    const char *start = text.size > 0 ? text.data : "";
    *lexer = (struct hc_lexer){
        .file = file,
        .error = error,
        ._place = start,
        ._end = start + text.size,
        ._line_start = start,
        ._line = 1,
    };
    return hc_lexer_next(lexer);
}

enum hc_code hc_lexer_fail(struct hc_lexer *lexer, const struct hc_token *token, const char *format,
                           ...) {
    va_list args;
    va_start(args, format);
    hc_error_setv(lexer->error, HC_INVALID_ARGUMENT, format, args);
    va_end(args);
    if (lexer->error != NULL) {
        hc_error_prefix(lexer->error, "%s:%u:%zu: ", lexer->file, token->line, token->column);
    }
    return HC_INVALID_ARGUMENT;
}

const char *hc_token_words(const struct hc_token *token, char words[HC_TOKEN_WORDS_SIZE]) {
    if (token->kind == HC_TOKEN_END) {
        return "the end of the file";
    }
    enum { SHOWN_SIZE = 40 };
    char shown[SHOWN_SIZE];
    size_t size = token->text.size < SHOWN_SIZE ? token->text.size : SHOWN_SIZE;
    for (size_t i = 0; i < size; i++) {
        char c = token->text.data[i];
        shown[i] = c >= ' ' && c <= '~' ? c : '?';
    }
    snprintf(words, HC_TOKEN_WORDS_SIZE,
             token->kind == HC_TOKEN_STRING ? "the string %.*s%s" : "\"%.*s%s\"", (int)size, shown,
             size < token->text.size ? "..." : "");
    return words;
}
