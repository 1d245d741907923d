/* The forms of answers over HTTP. */
#include <stdlib.h>

#include "base/json_escape.h"
#include "http_internal.h"

static const struct hc_http_header json_header = {
    {"Content-Type", 12},
    {"application/json", 16},
};

void http_answer_empty(struct hc_http_exchange *exchange, int status) {
    hc_http_respond(exchange, status, NULL, 0, NULL, 0);
}

/* With MORE headers, NULL: none. */
static void answer_json(struct hc_http_exchange *exchange, int status,
                        const struct hc_http_header *more, struct hc_buf *body) {
    const struct hc_http_header headers[] = {json_header, more != NULL ? *more : json_header};
    const struct hc_segment segment = {
        .data = body->data,
        .size = body->size,
        .release = free,
        .context = body->data,
    };
    *body = (struct hc_buf){0};
    hc_http_respond(exchange, status, headers, more != NULL ? 2 : 1, &segment, 1);
}

void http_answer_json(struct hc_http_exchange *exchange, int status, struct hc_buf *body) {
    answer_json(exchange, status, NULL, body);
}

static void answer_message(struct hc_http_exchange *exchange, int status,
                           const struct hc_http_header *more, struct hc_text message) {
    struct hc_buf body = {0};
    hc_buf_append_string(&body, "{\"error\":");
    hc_json_append_string(&body, message);
    hc_buf_append_char(&body, '}');
    answer_json(exchange, status, more, &body);
}

void http_answer_status(struct hc_http_exchange *exchange, int status, struct hc_text message) {
    answer_message(exchange, status, NULL, message);
}

void http_answer_error(struct hc_http_exchange *exchange, enum hc_code code,
                       struct hc_text message) {
    answer_message(exchange, hc_code_http(code), NULL, message);
}

void http_answer_error_and_header(struct hc_http_exchange *exchange, enum hc_code code,
                                  struct hc_text message, const struct hc_http_header *header) {
    answer_message(exchange, hc_code_http(code), header, message);
}

void http_answer_preflight(struct hc_http_exchange *exchange) {
    const struct hc_http_request *http = hc_http_request(exchange);
    const struct hc_http_header *wanted =
        hc_http_find(http->headers, http->n_headers, "access-control-request-headers");
    const struct hc_http_header headers[] = {
        {HC_TEXT("Access-Control-Allow-Methods"), HC_TEXT("GET, HEAD, POST, OPTIONS")},
        {HC_TEXT("Access-Control-Max-Age"), HC_TEXT("86400")},
        {HC_TEXT("Access-Control-Allow-Headers"), wanted != NULL ? wanted->value : HC_TEXT("")},
    };
    hc_http_respond(exchange, 204, headers, wanted != NULL ? 3 : 2, NULL, 0);
}
