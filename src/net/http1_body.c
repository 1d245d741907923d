/* Reading the framing of an HTTP/1.1 body: a length, or chunks with their lines. */
#include <assert.h>

#include "http1_text.h"

enum { STATE_LENGTH, STATE_SIZE, STATE_CHUNK_END, STATE_TRAILERS };

void hc_http1_body_init(struct hc_http1_body *body, const struct hc_http1_head *head) {
    const struct hc_http_request *request = &head->request;
    body->run = request->chunked ? 0 : request->content_length;
    body->done = !request->chunked && request->content_length == 0;
    body->failure = (struct hc_http1_failure){0};
    body->_state = request->chunked ? STATE_SIZE : STATE_LENGTH;
    body->_n_extra = 0;
    body->_n_line = 0;
}

void hc_http1_body_take(struct hc_http1_body *body, uint64_t size) {
    assert(size <= body->run);
    body->run -= size;
    if (body->run == 0 && body->_state == STATE_LENGTH) {
        body->done = true;
    }
}

static enum hc_http1_result refuse(struct hc_http1_body *body, const char *message) {
    body->failure = (struct hc_http1_failure){400, message};
    return HC_HTTP1_BAD;
}

/* The hexadecimal digits at the start of TEXT, which they are cut off; false when it is too much.
 */
static bool read_hex(struct hc_text *text, uint64_t *number) {
    uint64_t value = 0;
    size_t n_digits = hc_http1_span(*text, HC_HTTP1_HEX);
    for (size_t i = 0; i < n_digits; i++) {
        unsigned char c = (unsigned char)text->data[i];
        unsigned digit = c <= '9' ? c - 0x30u : (c | 0x20u) - 'a' + 10;
        if (value >> 59 != 0) {
            return false; /* beyond 2^63 */
        }
        value = value << 4 | digit;
    }
    *text = hc_http1_skip(*text, n_digits);
    *number = value;
    return n_digits > 0;
}

static struct hc_text skip_blanks(struct hc_text text) {
    while (text.size > 0 && hc_http1_is_blank(text.data[0])) {
        text = hc_http1_skip(text, 1);
    }
    return text;
}

/* "…" with backslashes before any byte (RFC 9110 5.6.4); false when it does not end. */
static bool skip_quoted(struct hc_text *text) {
    for (size_t i = 1; i < text->size; i++) {
        char c = text->data[i];
        if (c == '"') {
            *text = hc_http1_skip(*text, i + 1);
            return true;
        }
        if (c == '\\') {
            i++;
        }
        if (i < text->size && !hc_http1_is(text->data[i], HC_HTTP1_FIELD)) {
            return false;
        }
    }
    return false;
}

static bool skip_token(struct hc_text *text) {
    size_t size = hc_http1_span(*text, HC_HTTP1_TOKEN);
    *text = hc_http1_skip(*text, size);
    return size > 0;
}

/* RFC 9112 7.1.1: *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ) */
static bool are_extensions(struct hc_text text) {
    while (text.size > 0) {
        text = skip_blanks(text);
        if (text.size == 0 || text.data[0] != ';') {
            return false;
        }
        text = skip_blanks(hc_http1_skip(text, 1));
        if (!skip_token(&text)) {
            return false;
        }
        struct hc_text rest = skip_blanks(text);
        if (rest.size > 0 && rest.data[0] == '=') {
            text = skip_blanks(hc_http1_skip(rest, 1));
            bool quoted = text.size > 0 && text.data[0] == '"';
            if (!(quoted ? skip_quoted(&text) : skip_token(&text))) {
                return false;
            }
        }
    }
    return true;
}

static enum hc_http1_result read_size_line(struct hc_http1_body *body, struct hc_text line) {
    uint64_t size;
    if (!read_hex(&line, &size)) {
        return refuse(body, "invalid chunk size");
    }
    if (!are_extensions(line)) {
        return refuse(body, "invalid chunk extension");
    }
    body->_n_extra += line.size;
    body->_state = size > 0 ? STATE_CHUNK_END : STATE_TRAILERS;
    body->run = size;
    return size > 0 ? HC_HTTP1_DONE : HC_HTTP1_MORE;
}

static enum hc_http1_result read_trailer_line(struct hc_http1_body *body, struct hc_text line) {
    struct hc_http_header field;
    if (line.size == 0) {
        body->done = true;
        return HC_HTTP1_DONE;
    }
    body->_n_extra += line.size;
    return hc_http1_read_field(line, &field) ? HC_HTTP1_MORE : refuse(body, "malformed trailer");
}

/* LINE is with its CRLF. */
static enum hc_http1_result read_line(struct hc_http1_body *body, struct hc_text line) {
    if (line.size < 2 || line.data[line.size - 2] != '\r') {
        return refuse(body, "line without CRLF at its end");
    }
    line.size -= 2;
    enum hc_http1_result result = HC_HTTP1_MORE;
    if (body->_state == STATE_CHUNK_END) {
        body->_state = STATE_SIZE;
    } else if (body->_state == STATE_SIZE) {
        result = read_size_line(body, line);
    } else {
        result = read_trailer_line(body, line);
    }
    if (result != HC_HTTP1_BAD && body->_n_extra > HC_HTTP1_CHUNK_EXTRA_SIZE) {
        return refuse(body, "chunk extensions and trailers too large");
    }
    return result;
}

/* A chunk is followed by CRLF: what else comes is refused without waiting for the line's end. */
static bool is_chunk_end(const struct hc_http1_body *body, struct hc_text piece) {
    return piece.size <= 2 - body->_n_line &&
           memcmp(piece.data, &"\r\n"[body->_n_line], piece.size) == 0;
}

/* A piece of the line in progress, with its newline if it is the last. */
static enum hc_http1_result read_piece(struct hc_http1_body *body, struct hc_text piece,
                                       bool is_last) {
    if (body->_state == STATE_CHUNK_END && !is_chunk_end(body, piece)) {
        return refuse(body, "chunk longer than its size");
    }
    if (piece.size > HC_HTTP1_CHUNK_LINE_SIZE - body->_n_line) {
        return refuse(body, "chunk line too long");
    }
    if (is_last && body->_n_line == 0) {
        return read_line(body, piece);
    }
    memcpy(body->_line + body->_n_line, piece.data, piece.size);
    body->_n_line += piece.size;
    if (!is_last) {
        return HC_HTTP1_MORE;
    }
    struct hc_text line = {body->_line, body->_n_line};
    body->_n_line = 0;
    return read_line(body, line);
}

enum hc_http1_result hc_http1_body_read(struct hc_http1_body *body, const char *data, size_t size,
                                        size_t *n_used) {
    assert(body->run == 0 && !body->done);
    enum hc_http1_result result = HC_HTTP1_MORE;
    size_t used = 0;
    while (result == HC_HTTP1_MORE && used < size) {
        const char *newline = memchr(data + used, '\n', size - used);
        size_t piece_size = newline != NULL ? (size_t)(newline - data) + 1 - used : size - used;
        struct hc_text piece = {data + used, piece_size};
        result = read_piece(body, piece, newline != NULL);
        used += piece_size;
    }
    *n_used = used;
    return result;
}
