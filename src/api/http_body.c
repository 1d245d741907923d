/* Reading bodies of requests, compressed ones among them. */
#include "http_body.h"

#include "base/cleanup.h"

enum { PIECE_SIZE = 64 << 10 }; /* of compressed data, at once */

enum hc_code http_body_coding(const struct http_body *body, enum hc_coding *coding,
                              struct hc_error *error) {
    const struct hc_http_request *http = hc_http_request(body->exchange);
    const struct hc_http_header *header =
        hc_http_find(http->headers, http->n_headers, "content-encoding");
    *coding = HC_CODING_IDENTITY;
    if (header != NULL && !hc_coding_find(header->value, coding)) {
        return hc_error_set(error, HC_UNIMPLEMENTED, "Unsupported compression type");
    }
    return HC_OK;
}

static enum hc_code too_large(struct hc_error *error) {
    return hc_error_set(error, HC_OUT_OF_RANGE, "request body is too large");
}

static void end_decoding(struct http_body *body, const struct hc_error *error) {
    hc_inflater_destroy(hc_take(body->_inflater));
    body->_decoded = true;
    body->_on_body(body->exchange, (struct hc_text){0}, error);
}

static void on_piece(struct hc_http_exchange *exchange, struct hc_text bytes,
                     const struct hc_error *failure) {
    struct http_body *body = hc_http_data(exchange);
    struct hc_error error;
    enum hc_code code = HC_OK;
    if (failure != NULL) {
        end_decoding(body, failure);
        return;
    }
    if (bytes.size > body->_limit) {
        code = too_large(&error);
    } else if (bytes.size > 0) {
        body->_limit -= bytes.size;
        code = hc_inflater_add(body->_inflater, bytes, &body->_content, &error);
    } else {
        code = hc_inflater_end(body->_inflater, &error);
    }
    if (code == HC_OK && bytes.size > 0) {
        hc_http_read_some(exchange, PIECE_SIZE, on_piece);
    } else {
        end_decoding(body, code == HC_OK ? NULL : &error);
    }
}

void http_body_decode(struct http_body *body, enum hc_coding coding, uint64_t compressed_limit,
                      size_t limit, hc_http_body_fn on_body) {
    uint64_t size;
    body->_on_body = on_body;
    body->_limit = compressed_limit;
    body->_inflater = hc_inflater_create(coding, limit);
    if (hc_http_body_left(body->exchange, &size) && size > compressed_limit) {
        struct hc_error error;
        too_large(&error);
        end_decoding(body, &error);
        return;
    }
    hc_http_read_some(body->exchange, PIECE_SIZE, on_piece);
}

static size_t decoded_left(const struct http_body *body) {
    return body->_content.size - body->_place;
}

bool http_body_left(const struct http_body *body, uint64_t *size) {
    if (!body->_decoded) {
        return hc_http_body_left(body->exchange, size);
    }
    *size = decoded_left(body);
    return true;
}

/* The next SIZE bytes of a decompressed body; false when there are fewer. */
static bool take(struct http_body *body, size_t size, struct hc_text *bytes,
                 struct hc_error *error) {
    size_t left = decoded_left(body);
    if (size > left) {
        hc_error_set(error, HC_INVALID_ARGUMENT,
                     "request body ends %zu bytes before what was announced", size - left);
        return false;
    }
    *bytes = (struct hc_text){body->_content.data + body->_place, size};
    body->_place += size;
    return true;
}

void http_body_read(struct http_body *body, size_t size, hc_http_body_fn on_body) {
    struct hc_text bytes = {0};
    struct hc_error error;
    if (!body->_decoded) {
        hc_http_read(body->exchange, size, on_body);
    } else {
        bool ok = take(body, size, &bytes, &error);
        on_body(body->exchange, bytes, ok ? NULL : &error);
    }
}

void http_body_read_all(struct http_body *body, size_t limit, hc_http_body_fn on_body) {
    struct hc_error error;
    if (!body->_decoded) {
        hc_http_read_all(body->exchange, limit, on_body);
    } else if (decoded_left(body) > limit) {
        too_large(&error);
        on_body(body->exchange, (struct hc_text){0}, &error);
    } else {
        http_body_read(body, decoded_left(body), on_body);
    }
}

void http_body_read_into(struct http_body *body, const struct iovec *iov, size_t n_iov,
                         hc_http_body_fn on_body) {
    struct hc_error error;
    if (!body->_decoded) {
        hc_http_read_into(body->exchange, iov, n_iov, on_body);
        return;
    }
    for (size_t i = 0; i < n_iov; i++) {
        struct hc_text bytes;
        if (!take(body, iov[i].iov_len, &bytes, &error)) {
            on_body(body->exchange, (struct hc_text){0}, &error);
            return;
        }
        memcpy(iov[i].iov_base, bytes.data, bytes.size);
    }
    on_body(body->exchange, (struct hc_text){0}, NULL);
}

void http_body_finish(struct http_body *body) {
    hc_inflater_destroy(hc_take(body->_inflater));
    hc_buf_finish(&body->_content);
}
