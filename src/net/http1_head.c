/* Reading the head of an HTTP/1.1 request: its lines, and what they say about the rest. */
#include "http1_text.h"

void hc_http1_head_init(struct hc_http1_head *head, const struct hc_http1_limits *limits,
                        struct hc_http_header *headers) {
    *head = (struct hc_http1_head){.request.headers = headers, ._limits = limits};
}

static enum hc_http1_result refuse(struct hc_http1_head *head, int status, const char *message) {
    head->failure = (struct hc_http1_failure){status, message};
    return HC_HTTP1_BAD;
}

static void move_view(struct hc_text *view, const char *from, const char *to) {
    if (view->data != NULL) {
        view->data = to + (view->data - from);
    }
}

void hc_http1_head_move(struct hc_http1_head *head, const char *data) {
    const char *from = head->_data;
    struct hc_http_request *request = &head->request;
    if (data == from) {
        return;
    }
    move_view(&request->method, from, data);
    move_view(&request->target, from, data);
    move_view(&request->path, from, data);
    move_view(&request->query, from, data);
    for (size_t i = 0; i < request->n_headers; i++) {
        move_view(&request->headers[i].name, from, data);
        move_view(&request->headers[i].value, from, data);
    }
    head->_data = data;
}

/* "HTTP/1.1" and its kin. */
static enum hc_http1_result read_version(struct hc_http1_head *head, struct hc_text text) {
    if (text.size != 8 || memcmp(text.data, "HTTP/", 5) != 0 || text.data[5] < '0' ||
        text.data[5] > '9' || text.data[6] != '.' || text.data[7] < '0' || text.data[7] > '9') {
        return refuse(head, 400, "malformed request line");
    }
    if (text.data[5] != '1') {
        return refuse(head, 505, "HTTP version not supported");
    }
    head->minor_version = text.data[7] == '0' ? 0 : 1;
    return HC_HTTP1_DONE;
}

/* http://host:port/path: what follows the authority; false when it is no such target. */
static bool skip_origin(struct hc_text *target) {
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t size = strlen(schemes[i]);
        if (target->size > size && strncasecmp(target->data, schemes[i], size) == 0) {
            struct hc_text rest = hc_http1_skip(*target, size);
            size_t end = 0;
            while (end < rest.size && rest.data[end] != '/' && rest.data[end] != '?') {
                end++;
            }
            *target = hc_http1_skip(rest, end);
            return end > 0 && rest.data[0] != ':' &&
                   hc_http1_is_authority((struct hc_text){rest.data, end});
        }
    }
    return false;
}

static enum hc_http1_result read_target(struct hc_http1_head *head) {
    struct hc_text rest = head->request.target;
    if (hc_text_is(head->request.method, "CONNECT")) {
        return refuse(head, 501, "CONNECT is not implemented");
    }
    if (hc_text_is(rest, "*") && hc_text_is(head->request.method, "OPTIONS")) {
        head->request.path = rest;
        return HC_HTTP1_DONE;
    }
    if ((rest.data[0] != '/' && !skip_origin(&rest)) || !hc_http1_is_encoded(rest, HC_HTTP1_URI)) {
        return refuse(head, 400, "malformed request target");
    }
    const char *mark = rest.size > 0 ? memchr(rest.data, '?', rest.size) : NULL;
    size_t path_size = mark != NULL ? (size_t)(mark - rest.data) : rest.size;
    head->request.path = (struct hc_text){rest.data, path_size};
    if (path_size == 0) {
        /* "http://host" has the path "/"; the scheme's first slash will do as its view. */
        head->request.path =
            (struct hc_text){memchr(head->request.target.data, '/', head->request.target.size), 1};
    }
    if (mark != NULL) {
        head->request.query = hc_http1_skip(rest, path_size + 1);
    }
    return HC_HTTP1_DONE;
}

static enum hc_http1_result read_request_line(struct hc_http1_head *head, struct hc_text line) {
    size_t method_size = hc_http1_span(line, HC_HTTP1_TOKEN);
    if (method_size == 0 || method_size == line.size || line.data[method_size] != ' ') {
        return refuse(head, 400, "malformed request line");
    }
    struct hc_text rest = hc_http1_skip(line, method_size + 1);
    const char *blank = rest.size > 0 ? memchr(rest.data, ' ', rest.size) : NULL;
    if (blank == NULL || blank == rest.data) {
        return refuse(head, 400, "malformed request line");
    }
    head->request.method = (struct hc_text){line.data, method_size};
    head->request.target = (struct hc_text){rest.data, (size_t)(blank - rest.data)};
    enum hc_http1_result result =
        read_version(head, hc_http1_skip(rest, head->request.target.size + 1));
    return result == HC_HTTP1_DONE ? read_target(head) : result;
}

static enum hc_http1_result note_length(struct hc_http1_head *head, struct hc_text value) {
    if (head->_has_length || !hc_text_number(value, INT64_MAX, &head->request.content_length)) {
        return refuse(head, 400, "invalid Content-Length");
    }
    head->_has_length = true;
    return HC_HTTP1_DONE;
}

static enum hc_http1_result note_coding(struct hc_http1_head *head, struct hc_text value) {
    if (head->request.chunked || value.size == 0) {
        return refuse(head, 400, "invalid Transfer-Encoding");
    }
    if (!hc_text_is_nocase(value, "chunked")) {
        return refuse(head, 501, "Transfer-Encoding other than chunked is not implemented");
    }
    head->request.chunked = true;
    return HC_HTTP1_DONE;
}

static enum hc_http1_result note_host(struct hc_http1_head *head, struct hc_text value) {
    if (++head->_n_hosts > 1 || !hc_http1_is_authority(value)) {
        return refuse(head, 400, "invalid Host");
    }
    return HC_HTTP1_DONE;
}

static enum hc_http1_result note_connection(struct hc_http1_head *head, struct hc_text value) {
    struct hc_text item;
    while (hc_http1_next_item(&value, &item)) {
        head->_says_close |= hc_text_is_nocase(item, "close");
        head->_says_keep_alive |= hc_text_is_nocase(item, "keep-alive");
    }
    return HC_HTTP1_DONE;
}

static enum hc_http1_result note_expectation(struct hc_http1_head *head, struct hc_text value) {
    if (head->minor_version == 0) {
        return HC_HTTP1_DONE; /* it cannot mean it */
    }
    if (!hc_text_is_nocase(value, "100-continue")) {
        return refuse(head, 417, "unknown expectation");
    }
    head->expects_continue = true;
    return HC_HTTP1_DONE;
}

/* The headers that this layer acts upon, found by the sizes of their names, all different. */
static enum hc_http1_result note_field(struct hc_http1_head *head, struct hc_text name,
                                       struct hc_text value) {
    static const struct {
        const char *name;
        enum hc_http1_result (*note)(struct hc_http1_head *head, struct hc_text value);
    } fields[] = {
        [4] = {"Host", note_host},
        [6] = {"Expect", note_expectation},
        [10] = {"Connection", note_connection},
        [14] = {"Content-Length", note_length},
        [17] = {"Transfer-Encoding", note_coding},
    };
    if (name.size < sizeof fields / sizeof fields[0] && fields[name.size].name != NULL &&
        strncasecmp(name.data, fields[name.size].name, name.size) == 0) {
        return fields[name.size].note(head, value);
    }
    return HC_HTTP1_DONE;
}

static enum hc_http1_result read_header_line(struct hc_http1_head *head, struct hc_text line) {
    struct hc_http_header *field = &head->request.headers[head->request.n_headers];
    if (head->request.n_headers == head->_limits->n_headers) {
        return refuse(head, 431, "too many header fields");
    }
    if (!hc_http1_read_field(line, field)) {
        return refuse(head, 400, "malformed header field");
    }
    head->request.n_headers++;
    return note_field(head, field->name, field->value);
}

/* The empty line has come: see whether everything fits together. */
static enum hc_http1_result finish(struct hc_http1_head *head) {
    if (head->minor_version >= 1 && head->_n_hosts == 0) {
        return refuse(head, 400, "missing Host");
    }
    if (head->request.chunked && (head->_has_length || head->minor_version == 0)) {
        return refuse(head, 400, "invalid Transfer-Encoding");
    }
    head->keep_alive = !head->_says_close && (head->minor_version >= 1 || head->_says_keep_alive);
    return HC_HTTP1_DONE;
}

/* LINE is without its CRLF. HC_HTTP1_DONE only after the last. */
static enum hc_http1_result read_line(struct hc_http1_head *head, struct hc_text line, size_t end) {
    if (head->_fields > 0) {
        if (line.size == 0) {
            return finish(head);
        }
        return read_header_line(head, line) == HC_HTTP1_BAD ? HC_HTTP1_BAD : HC_HTTP1_MORE;
    }
    if (line.size == 0 && head->_line == 0) {
        return HC_HTTP1_MORE; /* the one empty line that may come before a request */
    }
    head->_fields = end;
    return read_request_line(head, line) == HC_HTTP1_BAD ? HC_HTTP1_BAD : HC_HTTP1_MORE;
}

/* Whether the line in progress, or complete, that reaches to END goes beyond the limits. */
static enum hc_http1_result check_size(struct hc_http1_head *head, size_t end) {
    if (head->_fields == 0 && end - head->_line > head->_limits->line_size) {
        return refuse(head, 414, "request line too long");
    }
    if (head->_fields > 0 && end - head->_fields > head->_limits->fields_size) {
        return refuse(head, 431, "header fields too large");
    }
    return HC_HTTP1_DONE;
}

enum hc_http1_result hc_http1_head_read(struct hc_http1_head *head, const char *data, size_t size,
                                        size_t *head_size) {
    hc_http1_head_move(head, data);
    for (;;) {
        const char *newline = memchr(data + head->_scanned, '\n', size - head->_scanned);
        size_t end = newline != NULL ? (size_t)(newline - data) + 1 : size;
        if (check_size(head, end) == HC_HTTP1_BAD) {
            return HC_HTTP1_BAD;
        }
        head->_scanned = end;
        if (newline == NULL) {
            return HC_HTTP1_MORE;
        }
        if (end - head->_line < 2 || newline[-1] != '\r') {
            return refuse(head, 400, "line without CRLF at its end");
        }
        struct hc_text line = {data + head->_line, end - head->_line - 2};
        enum hc_http1_result result = read_line(head, line, end);
        head->_line = end;
        if (result != HC_HTTP1_MORE) {
            *head_size = end;
            return result;
        }
    }
}
