/*
 * The tokens of protobuf's text format, and telling where a mistake is. Private to the parser.
 */
#ifndef HC_MODEL_PBTXT_LEXER_H
#define HC_MODEL_PBTXT_LEXER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"

enum hc_token_kind {
    HC_TOKEN_END,
    HC_TOKEN_NAME,
    HC_TOKEN_INTEGER, /* without sign: decimal, 0x…, 0… */
    HC_TOKEN_FLOAT,   /* without sign */
    HC_TOKEN_STRING,  /* quotes and escapes as in the text */
    HC_TOKEN_SYMBOL,  /* one byte */
};

struct hc_token {
    enum hc_token_kind kind;
    struct hc_text text;
    unsigned line; /* from 1 */
    size_t column;
};

struct hc_lexer {
    const char *file;
    struct hc_error *error; /* what went wrong */
    struct hc_token token;  /* the one to look at */
    const char *_place;     /* after it */
    const char *_end;
    const char *_line_start;
    unsigned _line;
};

/* Begin with the first token. TEXT and FILE must outlive the lexer. */
enum hc_code hc_lexer_begin(struct hc_lexer *lexer, struct hc_text text, const char *file,
                            struct hc_error *error);

/* Go on to the next token; HC_TOKEN_END is followed by itself. */
enum hc_code hc_lexer_next(struct hc_lexer *lexer);

static inline bool hc_token_is(const struct hc_token *token, char symbol) {
    return token->kind == HC_TOKEN_SYMBOL && token->text.data[0] == symbol;
}

/* Append the content of a string token: its escapes decoded, its bytes made UTF-8. */
enum hc_code hc_lexer_decode(struct hc_lexer *lexer, const struct hc_token *token,
                             struct hc_buf *content);

/* Report a mistake at TOKEN; returns HC_INVALID_ARGUMENT. */
enum hc_code hc_lexer_fail(struct hc_lexer *lexer, const struct hc_token *token, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));

enum { HC_TOKEN_WORDS_SIZE = 64 };

/* What TOKEN is, in words for a message, written to WORDS, which is returned. */
const char *hc_token_words(const struct hc_token *token, char words[HC_TOKEN_WORDS_SIZE]);

#endif
