#include "net/http1.h"

#include <stdio.h>

#include "test.h"

enum { N_HEADERS = 8 };

static const struct hc_http1_limits limits = {
    .line_size = 64, .fields_size = 160, .n_headers = N_HEADERS};

struct read {
    struct hc_http1_head head;
    struct hc_http_header headers[N_HEADERS];
    char *data; /* the views' bytes, of exactly their size */
    size_t size;
    enum hc_http1_result result;
    size_t head_size;
};

static void begin_read(struct read *read) {
    *read = (struct read){.data = malloc(1)};
    hc_http1_head_init(&read->head, &limits, read->headers);
}

/* More bytes arrive, and all of them move to another place. */
static void read_on(struct read *read, const char *bytes, size_t size) {
    char *moved = malloc(read->size + size);
    memcpy(moved, read->data, read->size);
    memcpy(moved + read->size, bytes, size);
    memset(read->data, 'X', read->size);
    free(read->data);
    read->data = moved;
    read->size += size;
    read->result = hc_http1_head_read(&read->head, read->data, read->size, &read->head_size);
}

static struct read *read_whole(const char *text) {
    struct read *read = malloc(sizeof *read);
    begin_read(read);
    read_on(read, text, strlen(text));
    return read;
}

static struct read *read_by_bytes(const char *text) {
    struct read *read = malloc(sizeof *read);
    begin_read(read);
    for (size_t i = 0; text[i] != '\0' && read->result == HC_HTTP1_MORE; i++) {
        read_on(read, text + i, 1);
    }
    return read;
}

static void finish_read(struct read *read) {
    free(read->data);
    free(read);
}

static void assert_text(struct hc_text text, const char *expected) {
    if (!hc_text_is(text, expected)) {
        fail_msg("'%.*s' is not '%s'", HC_TEXT_ARGS(text), expected);
    }
}

#define GET  "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"

struct refused_row {
    const char *text;
    int status;
};

static const struct refused_row refused_rows[] = {
    /* request line */
    {"GET /\r\n\r\n", 400},
    {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\nHost: a\n\n", 400},
    {"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\rHost: a\r\n\r\n", 400},
    {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/1\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/1,1\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/x.1\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/1.x\r\nHost: a\r\n\r\n", 400},
    {"GET / ICAP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"G\x80T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
    {"GET / HTTP/0.9\r\n\r\n", 505},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"\n", 400},
    {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"\x16\x03\x01\x02\x0a", 400},
    /* targets */
    {"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET ** HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /a\"b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /a{b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /%4g HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /?%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET http://:80/x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET http://a:b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET http://[::1/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
    /* field lines */
    {GET "A\r\n\r\n", 400},
    {GET ": b\r\n\r\n", 400},
    {GET "A : b\r\n\r\n", 400},
    {GET "A\t: b\r\n\r\n", 400},
    {GET " A: b\r\n\r\n", 400},
    {GET "A: b\r\n c\r\n\r\n", 400},
    {GET "A: b\r\n\tc\r\n\r\n", 400},
    {GET "A: b\nC: d\r\n\r\n", 400},
    {GET "A: b\rC: d\r\n\r\n", 400},
    {GET "A: b\r\r\n\r\n", 400},
    {GET "A: b\r\n\n", 400},
    {GET "A: b\x01\r\n\r\n", 400},
    {GET "A: b\x7f\r\n\r\n", 400},
    {GET "A(: b\r\n\r\n", 400},
    {GET "A\xe4: b\r\n\r\n", 400},
    {GET "\"A\": b\r\n\r\n", 400},
    {GET " \r\n\r\n", 400},
    /* Host */
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nA: b\r\n\r\n", 400},
    {GET "Host: a\r\n\r\n", 400},
    {GET "host: b\r\n\r\n", 400},
    {"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: []\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a%2\r\n\r\n", 400},
    /* Content-Length */
    {POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
    {POST "Content-Length: 5\r\ncontent-length: 6\r\n\r\n", 400},
    {POST "Content-Length: 5, 5\r\n\r\n", 400},
    {POST "Content-Length: +5\r\n\r\n", 400},
    {POST "Content-Length: -5\r\n\r\n", 400},
    {POST "Content-Length: 0x5\r\n\r\n", 400},
    {POST "Content-Length: 5 5\r\n\r\n", 400},
    {POST "Content-Length: 5;\r\n\r\n", 400},
    {POST "Content-Length: \r\n\r\n", 400},
    {POST "Content-Length: five\r\n\r\n", 400},
    {POST "Content-Length: 9223372036854775808\r\n\r\n", 400},
    {POST "Content-Length: 18446744073709551621\r\n\r\n", 400},
    {POST "Content-Length : 5\r\n\r\n", 400},
    /* Transfer-Encoding */
    {POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
    {POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {POST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 400},
    {POST "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
    {POST "Transfer-Encoding: chunked, chunked\r\n\r\n", 501},
    {POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {POST "Transfer-Encoding: chunked, gzip\r\n\r\n", 501},
    {POST "Transfer-Encoding: identity\r\n\r\n", 501},
    {POST "Transfer-Encoding: xchunked\r\n\r\n", 501},
    {POST "Transfer-Encoding: chunkedx\r\n\r\n", 501},
    {POST "Transfer-Encoding: chunked;q=1\r\n\r\n", 501},
    {POST "Transfer-Encoding: \"chunked\"\r\n\r\n", 501},
    {POST "Transfer-Encoding: \x0b"
          "chunked\r\n\r\n",
     400},
    {POST "Transfer-Encoding: \r\n\r\n", 400},
    {POST "Transfer-Encoding:\r\n chunked\r\n\r\n", 400},
    {POST "Transfer-Encoding : chunked\r\n\r\n", 400},
    {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400},
    /* the rest */
    {POST "Expect: 200-ok\r\n\r\n", 417},
    {POST "Expect: \r\n\r\n", 417},
    {GET "A: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\nA: 5\r\nA: 6\r\nA: 7\r\nA: 8\r\n\r\n", 431},
};

static void what_is_not_http_is_refused_in_whole_and_in_pieces(void **state) {
    (void)state;
    for (size_t i = 0; i < N_ITEMS(refused_rows); i++) {
        const struct refused_row *row = &refused_rows[i];
        struct read *reads[] = {read_whole(row->text), read_by_bytes(row->text)};
        for (size_t j = 0; j < N_ITEMS(reads); j++) {
            struct hc_http1_failure failure = reads[j]->head.failure;
            if (reads[j]->result != HC_HTTP1_BAD || failure.status != row->status) {
                fail_msg("%s\nwas answered %d, not %d", row->text, failure.status, row->status);
            }
            assert_non_null(failure.message);
            finish_read(reads[j]);
        }
    }
}

static void a_zero_byte_is_refused_wherever_it_is(void **state) {
    (void)state;
    static const char text[] = GET "Name: value\r\n\r\n";
    for (size_t i = 0; i < sizeof text - 1; i++) {
        char spoilt[sizeof text];
        struct read *read = malloc(sizeof *read);
        memcpy(spoilt, text, sizeof text);
        spoilt[i] = '\0';
        begin_read(read);
        read_on(read, spoilt, sizeof text - 1);
        /* Without its last newline the head is merely incomplete. */
        assert_int_equal(read->result, i == sizeof text - 2 ? HC_HTTP1_MORE : HC_HTTP1_BAD);
        finish_read(read);
    }
}

struct accepted_row {
    const char *text;
    const char *method, *path, *query;
    size_t n_headers;
    enum { NO_BODY, LENGTH, CHUNKED } framing;
    uint64_t content_length;
    bool keep_alive;
};

static const struct accepted_row accepted_rows[] = {
    {GET "\r\n", "GET", "/", "", 1, NO_BODY, 0, true},
    {"\r\n" GET "\r\n", "GET", "/", "", 1, NO_BODY, 0, true},
    {"G!#$%&'*+-.^_`|~9 /a/b;c=d/%41?x=%20&?y HTTP/1.1\r\nhost:\r\n\r\n", "G!#$%&'*+-.^_`|~9",
     "/a/b;c=d/%41", "x=%20&?y", 1, NO_BODY, 0, true},
    {"GET /? HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/", "", 1, NO_BODY, 0, true},
    {"GET //a HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "//a", "", 1, NO_BODY, 0, true},
    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS", "*", "", 1, NO_BODY, 0, true},
    {"GET http://h:80/p?q HTTP/1.1\r\nHost: b\r\n\r\n", "GET", "/p", "q", 1, NO_BODY, 0, true},
    {"GET HTTPS://[::1]:80 HTTP/1.1\r\nHost: b\r\n\r\n", "GET", "/", "", 1, NO_BODY, 0, true},
    {"GET http://h?q=/ HTTP/1.1\r\nHost: b\r\n\r\n", "GET", "/", "q=/", 1, NO_BODY, 0, true},
    {"GET / HTTP/1.7\r\nHost: a.b-c:8000\r\n\r\n", "GET", "/", "", 1, NO_BODY, 0, true},
    {"GET / HTTP/1.1\r\nHost: [fe80::1]:8000\r\n\r\n", "GET", "/", "", 1, NO_BODY, 0, true},
    {"GET / HTTP/1.0\r\n\r\n", "GET", "/", "", 0, NO_BODY, 0, false},
    {"GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n", "GET", "/", "", 1, NO_BODY, 0, true},
    {GET "Connection: keep-alive\r\nConnection:,x ,CLOSE\r\n\r\n", "GET", "/", "", 3, NO_BODY, 0,
     false},
    {GET "Connection: closed\r\n\r\n", "GET", "/", "", 2, NO_BODY, 0, true},
    {POST "Content-Length: 9223372036854775807\r\n\r\n", "POST", "/", "", 2, LENGTH, INT64_MAX,
     true},
    {POST "CONTENT-LENGTH:\t007 \r\n\r\n", "POST", "/", "", 2, LENGTH, 7, true},
    {POST "Content-Length: 0\r\n\r\n", "POST", "/", "", 2, NO_BODY, 0, true},
    {"GET / HTTP/1.0\r\nContent-Length: 3\r\nExpect: x\r\n\r\n", "GET", "/", "", 2, LENGTH, 3,
     false},
    {POST "transfer-encoding: \t Chunked \r\n\r\n", "POST", "/", "", 2, CHUNKED, 0, true},
    {POST "Upgrade: h2c\r\nTE: trailers\r\nTrailer: x\r\nX-Content-Length: 9\r\n\r\n", "POST", "/",
     "", 5, NO_BODY, 0, true},
};

static void assert_accepted(const struct read *read, const struct accepted_row *row) {
    if (read->result != HC_HTTP1_DONE) {
        fail_msg("%s\nwas refused: %s", row->text, read->head.failure.message);
    }
    assert_int_equal(read->head_size, strlen(row->text));
    assert_text(read->head.request.method, row->method);
    assert_text(read->head.request.path, row->path);
    assert_text(read->head.request.query, row->query);
    assert_int_equal(read->head.request.n_headers, row->n_headers);
    assert_int_equal(read->head.request.chunked, row->framing == CHUNKED);
    assert_int_equal(read->head.request.content_length, row->content_length);
    assert_int_equal(read->head.keep_alive, row->keep_alive);
}

static void what_is_http_is_read_in_whole_and_in_pieces(void **state) {
    (void)state;
    for (size_t i = 0; i < N_ITEMS(accepted_rows); i++) {
        struct read *whole = read_whole(accepted_rows[i].text);
        struct read *pieces = read_by_bytes(accepted_rows[i].text);
        assert_accepted(whole, &accepted_rows[i]);
        assert_accepted(pieces, &accepted_rows[i]);
        finish_read(whole);
        finish_read(pieces);
    }
}

static void headers_are_found_whatever_their_case(void **state) {
    (void)state;
    struct read *read =
        read_by_bytes(GET "One:1\r\none:\t second \r\nEmpty: \r\nObs: \xe4 \"\t\r\n\r\nrest");
    const struct hc_http_header *headers = read->head.request.headers;
    size_t n = read->head.request.n_headers;
    assert_int_equal(n, 5);
    assert_text(hc_http_find(headers, n, "ONE")->value, "1");
    assert_text(headers[2].name, "one");
    assert_text(headers[2].value, "second");
    assert_text(hc_http_find(headers, n, "empty")->value, "");
    assert_text(hc_http_find(headers, n, "obs")->value, "\xe4 \"");
    assert_null(hc_http_find(headers, n, "on"));
    assert_null(hc_http_find(headers, n, "ones"));
    finish_read(read);
}

static void the_head_ends_where_the_body_begins(void **state) {
    (void)state;
    static const char text[] = POST "Content-Length: 4\r\n\r\nbodyGET / HTTP/1.1\r\n";
    struct read *read = read_whole(text);
    assert_int_equal(read->result, HC_HTTP1_DONE);
    assert_string_equal(text + read->head_size, "bodyGET / HTTP/1.1\r\n");
    finish_read(read);
}

static void expecting_to_continue_is_noted(void **state) {
    (void)state;
    struct read *read = read_whole(POST "Expect: 100-Continue\r\nContent-Length: 4\r\n\r\n");
    assert_int_equal(read->result, HC_HTTP1_DONE);
    assert_true(read->head.expects_continue);
    finish_read(read);
}

/* A request line of SIZE bytes and header lines of FIELDS_SIZE, without the last byte if CUT. */
static struct read *read_sized(size_t size, size_t fields_size, bool cut) {
    char text[512];
    int line = snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\n", (int)size - 16, 0);
    int end = line + snprintf(text + line, sizeof text - (size_t)line, "Host: %0*d\r\n\r\n",
                              (int)fields_size - 10, 0);
    assert_int_equal(line, size);
    assert_int_equal(end - line, fields_size);
    text[end - (cut ? 1 : 0)] = '\0';
    return read_by_bytes(text);
}

static void sizes_are_limited_before_lines_end(void **state) {
    (void)state;
    static const struct {
        size_t size, fields_size;
        bool cut;
        int status;
    } rows[] = {{64, 160, false, 0},
                {65, 160, false, 414},
                {66, 160, true, 414},
                {64, 161, false, 431},
                {64, 163, true, 431}};
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct read *read = read_sized(rows[i].size, rows[i].fields_size, rows[i].cut);
        assert_int_equal(read->head.failure.status, rows[i].status);
        assert_int_equal(read->result, rows[i].status == 0 ? HC_HTTP1_DONE : HC_HTTP1_BAD);
        finish_read(read);
    }
}

static void statuses_have_names(void **state) {
    (void)state;
    assert_string_equal(hc_http_reason(200), "OK");
    assert_string_equal(hc_http_reason(417), "Expectation Failed");
    assert_string_equal(hc_http_reason(299), "Unknown");
    assert_string_equal(hc_http_reason(-1), "Unknown");
    assert_string_equal(hc_http_reason(999), "Unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_http_is_refused_in_whole_and_in_pieces),
        cmocka_unit_test(a_zero_byte_is_refused_wherever_it_is),
        cmocka_unit_test(what_is_http_is_read_in_whole_and_in_pieces),
        cmocka_unit_test(headers_are_found_whatever_their_case),
        cmocka_unit_test(the_head_ends_where_the_body_begins),
        cmocka_unit_test(expecting_to_continue_is_noted),
        cmocka_unit_test(sizes_are_limited_before_lines_end),
        cmocka_unit_test(statuses_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
