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

void http_answer_json(struct hc_http_exchange *exchange, int status, struct hc_buf *body) {
    const struct hc_segment segment = {
        .data = body->data,
        .size = body->size,
        .release = free,
        .context = body->data,
    };
    *body = (struct hc_buf){0};
    hc_http_respond(exchange, status, &json_header, 1, &segment, 1);
}

void http_answer_status(struct hc_http_exchange *exchange, int status, struct hc_text message) {
    struct hc_buf body = {0};
    hc_buf_append_string(&body, "{\"error\":");
    hc_json_append_string(&body, message);
    hc_buf_append_char(&body, '}');
    http_answer_json(exchange, status, &body);
}

void http_answer_error(struct hc_http_exchange *exchange, enum hc_code code,
                       struct hc_text message) {
    http_answer_status(exchange, hc_code_http(code), message);
}
