#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_fixture.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static const struct hc_http_header text_plain = {HC_TEXT("Content-Type"), HC_TEXT("text/plain")};

static void send_some(struct hc_http_exchange *exchange, const char *text) {
    char copy[64]; /* small segments need not outlive the call */
    size_t size = (size_t)snprintf(copy, sizeof copy, "%s", text);
    struct hc_segment segments[] = {{.data = copy, .size = size / 2},
                                    {.data = copy + size / 2, .size = size - size / 2}};
    hc_http_send(exchange, segments, 2);
    memset(copy, 'X', size);
}

static void stream(void *app, struct hc_http_exchange *exchange) {
    (void)app;
    hc_http_start(exchange, 200, &text_plain, 1);
    send_some(exchange, "one");
    send_some(exchange, ""); /* no chunk: an empty one would be the end */
    send_some(exchange, "a text of seventeen");
    hc_http_end(exchange);
}

struct stream_row {
    const char *request;
    const char *answer;
    bool ends;
};

static void streams_are_framed_as_the_client_understands(void **state) {
    static const struct stream_row rows[] = {
        {GET,
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
         "3\r\none\r\n13\r\na text of seventeen\r\n0\r\n\r\n",
         false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
         "onea text of seventeen",
         true},
        {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n",
         false},
    };
    struct fixture *fixture = *state;
    start_server(fixture, 1, stream);
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        int fd = connect_client(fixture);
        send_text(fd, rows[i].request);
        expect_text(fd, rows[i].answer);
        if (rows[i].ends) {
            expect_end(fd);
        } else {
            send_text(fd, rows[i].request);
            expect_text(fd, rows[i].answer);
            close(fd);
        }
    }
}

static void start_and_hold(void *app, struct hc_http_exchange *exchange) {
    hc_http_set_data(exchange, app);
    hc_http_start(exchange, 200, NULL, 0);
    hold(app, exchange);
}

static void send_word(struct hc_http_exchange *exchange) {
    send_some(exchange, "word");
    hold(hc_http_data(exchange), exchange);
}

static void chunks_are_sent_at_once(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, start_and_hold);
    int fd = connect_client(fixture);
    send_text(fd, GET);
    expect_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t i = 0; i < 3; i++) {
        call_on_held(fixture, send_word);
        expect_text(fd, "4\r\nword\r\n");
    }
    call_on_held(fixture, hc_http_end);
    expect_text(fd, "0\r\n\r\n");
    close(fd);
}

/* Sends until a megabyte is unsent, then waits until half of it has gone; ten times. */
enum { HIGH = 1 << 20, LOW = HIGH / 2, PIECE = 50000, N_WAITS = 10 };

static int n_waits;

static void send_much(struct hc_http_exchange *exchange) {
    struct fixture *fixture = hc_http_data(exchange);
    assert_true(hc_http_unsent(exchange) <= LOW);
    if (n_waits++ == N_WAITS) {
        hc_http_end(exchange);
        return;
    }
    while (hc_http_unsent(exchange) < HIGH) {
        struct hc_segment segment = make_segment(fixture, PIECE);
        hc_http_send(exchange, &segment, 1);
    }
    hc_http_on_writable(exchange, LOW, send_much);
    note(fixture, "<waits %d>", n_waits);
}

static void stream_much(void *app, struct hc_http_exchange *exchange) {
    hc_http_set_data(exchange, app);
    n_waits = 0;
    hc_http_start(exchange, 200, NULL, 0);
    send_much(exchange);
}

/* Takes the chunks of send_much() out of TEXT, whose end must be that of the answer. */
static size_t count_pieces(const char *text) {
    size_t n = 0;
    for (; strncmp(text, "c350\r\n", 6) == 0; n++) {
        for (size_t i = 0; i < PIECE; i++) {
            assert_int_equal(text[6 + i], pattern_byte(i));
        }
        text += 6 + PIECE + 2;
    }
    assert_string_equal(text, "0\r\n\r\n");
    return n;
}

static void a_slow_reader_holds_the_stream_up(void **state) {
    static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                               "Connection: close\r\n\r\n";
    struct fixture *fixture = *state;
    start_server(fixture, 1, stream_much);
    int fd = connect_pair(fixture);
    send_text(fd, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await(fixture, "<waits 1>");
    size_t n_released_unread = count_released(fixture);
    expect_text(fd, head);
    size_t size;
    char *answer = receive_all(fd, &size);
    size_t n_pieces = count_pieces(answer);
    assert_true(n_pieces >= N_WAITS * LOW / PIECE);
    assert_true(n_released_unread < n_pieces);
    free(answer);
}

static void respond_large(void *app, struct hc_http_exchange *exchange) {
    struct hc_segment segment = make_segment(app, 4 << 20);
    note(app, "<%.*s>", HC_TEXT_ARGS(hc_http_request(exchange)->path));
    hc_http_respond(exchange, 200, NULL, 0, &segment, 1);
}

static void a_client_that_does_not_read_is_not_read_from(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, respond_large);
    int fd = connect_pair(fixture);
    int other = connect_pair(fixture);
    send_text(fd, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
    await(fixture, "</1>");
    send_text(fd, "GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    /* Another client is served meanwhile, and shows that the loop has gone on. */
    send_text(other, "GET /other HTTP/1.0\r\n\r\n");
    size_t size;
    free(receive_all(other, &size));
    expect_journal(fixture, "</1></other>");
    free(receive_all(fd, &size));
    expect_journal(fixture, "</1></other></2>");
    assert_true(size > 8 << 20);
}

static void start_and_abort(void *app, struct hc_http_exchange *exchange) {
    struct hc_segment segment = make_segment(app, 5000);
    hc_http_start(exchange, 200, NULL, 0);
    hc_http_send(exchange, &segment, 1);
    hc_http_abort(exchange);
}

static void an_aborted_stream_has_no_end(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, start_and_abort);
    int fd = connect_client(fixture);
    send_text(fd, GET);
    size_t size;
    char *answer = receive_all(fd, &size);
    assert_int_equal(size, strlen("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") +
                               strlen("1388\r\n") + 5000 + 2);
    free(answer);
}

static void on_late_body(struct hc_http_exchange *exchange, struct hc_text bytes,
                         const struct hc_error *error) {
    assert_null(error);
    struct hc_segment segment = {.data = bytes.data, .size = bytes.size};
    hc_http_send(exchange, &segment, 1);
    hc_http_end(exchange);
}

static void start_then_read(void *app, struct hc_http_exchange *exchange) {
    (void)app;
    hc_http_start(exchange, 200, NULL, 0);
    hc_http_read_all(exchange, 100, on_late_body);
}

static void an_answer_may_begin_before_the_body_is_read(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, start_then_read);
    int fd = connect_client(fixture);
    for (size_t i = 0; i < 2; i++) {
        send_text(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
        expect_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        send_text(fd, "abc");
        expect_text(fd, "3\r\nabc\r\n0\r\n\r\n");
    }
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(streams_are_framed_as_the_client_understands),
        FIXTURE_TEST(chunks_are_sent_at_once),
        FIXTURE_TEST(a_slow_reader_holds_the_stream_up),
        FIXTURE_TEST(a_client_that_does_not_read_is_not_read_from),
        FIXTURE_TEST(an_aborted_stream_has_no_end),
        FIXTURE_TEST(an_answer_may_begin_before_the_body_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
