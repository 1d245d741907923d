/*
 * HTTP/1.1 requests and their bodies: a stream of pipelined requests is read at once and in pieces,
 * whose sizes the first byte of the input chooses. Both must see the same, and views must lie in
 * the bytes they are views of.
 */
#include "net/http1.h"

#include <stdlib.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N_HEADERS = 6 };

static const struct hc_http1_limits limits = {
    .line_size = 200, .fields_size = 400, .n_headers = N_HEADERS};

static void require(bool condition) {
    if (!condition) {
        abort();
    }
}

/* One reading of the stream; what it saw is written to `seen`. */
struct reading {
    struct hc_buf seen;
    struct hc_http1_head head;
    struct hc_http_header headers[N_HEADERS];
    struct hc_http1_body body;
    bool in_body;
    bool refused;
    struct hc_buf pending; /* of the head in progress */
};

static void note_view(struct reading *reading, struct hc_text view) {
    const struct hc_buf *pending = &reading->pending;
    require(view.size == 0 ||
            (view.data >= pending->data && view.data + view.size <= pending->data + pending->size));
    hc_buf_append_text(&reading->seen, view);
    hc_buf_append_char(&reading->seen, '|');
}

static void note_failure(struct reading *reading, struct hc_http1_failure failure) {
    require(failure.status >= 400 && failure.message != NULL);
    hc_buf_appendf(&reading->seen, "%d %s\n", failure.status, failure.message);
    reading->refused = true;
}

static void note_head(struct reading *reading) {
    const struct hc_http1_head *head = &reading->head;
    const struct hc_http_request *request = &head->request;
    require(request->n_headers <= N_HEADERS && request->method.size > 0 && request->path.size > 0);
    note_view(reading, request->method);
    note_view(reading, request->target);
    note_view(reading, request->path);
    note_view(reading, request->query);
    for (size_t i = 0; i < request->n_headers; i++) {
        note_view(reading, request->headers[i].name);
        note_view(reading, request->headers[i].value);
    }
    hc_buf_appendf(&reading->seen, "%u %d %d %d\n", head->minor_version, request->chunked,
                   head->keep_alive, head->expects_continue);
}

static void begin_head(struct reading *reading) {
    reading->in_body = false;
    hc_buf_clear(&reading->pending);
    hc_http1_head_init(&reading->head, &limits, reading->headers);
}

static void end_body_if_done(struct reading *reading) {
    if (reading->body.done) {
        hc_buf_append_string(&reading->seen, "<end>\n");
        begin_head(reading);
    }
}

/* All the bytes of the head are moved, so that a view that stayed behind is noticed. */
static void add_pending(struct reading *reading, const uint8_t *data, size_t size) {
    struct hc_buf moved = {0};
    hc_buf_append(&moved, reading->pending.data, reading->pending.size);
    hc_buf_append(&moved, data, size);
    hc_buf_finish(&reading->pending);
    reading->pending = moved;
}

static size_t read_head(struct reading *reading, const uint8_t *data, size_t size) {
    size_t n_before = reading->pending.size;
    size_t head_size = 0;
    add_pending(reading, data, size);
    switch (hc_http1_head_read(&reading->head, reading->pending.data, reading->pending.size,
                               &head_size)) {
    case HC_HTTP1_MORE:
        return size;
    case HC_HTTP1_BAD:
        note_failure(reading, reading->head.failure);
        return size;
    case HC_HTTP1_DONE:
        break;
    }
    require(head_size > n_before && head_size <= n_before + size);
    note_head(reading);
    hc_http1_body_init(&reading->body, &reading->head);
    reading->in_body = true;
    end_body_if_done(reading);
    return head_size - n_before;
}

static size_t read_body(struct reading *reading, const uint8_t *data, size_t size) {
    size_t used = size;
    if (reading->body.run > 0) {
        used = reading->body.run < size ? reading->body.run : size;
        hc_buf_append(&reading->seen, data, used);
        hc_http1_body_take(&reading->body, used);
    } else if (hc_http1_body_read(&reading->body, (const char *)data, size, &used) ==
               HC_HTTP1_BAD) {
        note_failure(reading, reading->body.failure);
        return size;
    }
    require(used <= size);
    end_body_if_done(reading);
    return used;
}

/* PIECES 0: everything at once; otherwise it seeds the sizes of the pieces. */
static void read_stream(struct reading *reading, const uint8_t *data, size_t size,
                        unsigned pieces) {
    begin_head(reading);
    while (size > 0 && !reading->refused) {
        size_t piece_size = size;
        if (pieces > 0) {
            pieces = pieces * 1103515245u + 12345u;
            piece_size = 1 + (pieces >> 16) % 13;
            piece_size = piece_size < size ? piece_size : size;
        }
        size_t used = reading->in_body ? read_body(reading, data, piece_size)
                                       : read_head(reading, data, piece_size);
        data += used;
        size -= used;
    }
}

static void finish_reading(struct reading *reading) {
    hc_buf_finish(&reading->seen);
    hc_buf_finish(&reading->pending);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    static struct reading whole, pieces;
    whole = (struct reading){0};
    pieces = (struct reading){0};
    read_stream(&whole, data + 1, size - 1, 0);
    read_stream(&pieces, data + 1, size - 1, 1u + data[0]);
    require(hc_text_equal(hc_buf_text(&whole.seen), hc_buf_text(&pieces.seen)));
    finish_reading(&whole);
    finish_reading(&pieces);
    return 0;
}
