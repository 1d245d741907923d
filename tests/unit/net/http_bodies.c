#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "http_fixture.h"

#define OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define BAD(size, text)                                                                            \
    "HTTP/1.1 400 Bad Request\r\nContent-Length: " #size "\r\nConnection: close\r\n\r\n" text

static struct fixture *fixture_of(struct hc_http_exchange *exchange) {
    return hc_http_data(exchange);
}

static void respond_error(struct hc_http_exchange *exchange, const struct hc_error *error) {
    char *text = hc_pool_copy(hc_http_pool(exchange), hc_text_of(error->message));
    struct hc_segment segment = {.data = text, .size = strlen(text)};
    hc_http_respond(exchange, hc_code_http(error->code), NULL, 0, &segment, 1);
}

static void respond_bytes(struct hc_http_exchange *exchange, struct hc_text bytes) {
    struct hc_segment segment = {.data = bytes.data, .size = bytes.size};
    hc_http_respond(exchange, 200, NULL, 0, &segment, 1);
}

static void on_all(struct hc_http_exchange *exchange, struct hc_text bytes,
                   const struct hc_error *error) {
    if (error != NULL) {
        respond_error(exchange, error);
    } else {
        respond_bytes(exchange, bytes);
    }
}

enum { LIMIT = 20 };

static void read_all(void *app, struct hc_http_exchange *exchange) {
    (void)app;
    hc_http_read_all(exchange, LIMIT, on_all);
}

struct read_all_row {
    const char *framing_and_body;
    const char *answer;
};

#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"

static void whole_bodies_are_read_or_refused(void **state) {
    static const struct read_all_row rows[] = {
        {"\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
        {"Content-Length: 20\r\n\r\n12345678901234567890",
         "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n12345678901234567890"},
        {"Content-Length: 21\r\n\r\n", BAD(25, "request body is too large")},
        {"Content-Length: 9223372036854775807\r\n\r\n", BAD(25, "request body is too large")},
        {CHUNKED "a\r\n1234567890\r\na\r\n1234567890\r\n0\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n12345678901234567890"},
        {CHUNKED "a\r\n1234567890\r\nb\r\n", BAD(25, "request body is too large")},
        {CHUNKED "7fffffffffffffff\r\n", BAD(25, "request body is too large")},
        {CHUNKED "5\r\nhello!", BAD(26, "chunk longer than its size")},
        {CHUNKED "x\r\n", BAD(18, "invalid chunk size")},
        {CHUNKED "0\r\nbad trailer\r\n", BAD(17, "malformed trailer")},
    };
    struct fixture *fixture = *state;
    start_server(fixture, 1, read_all);
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        int fd = connect_client(fixture);
        send_text(fd, "POST / HTTP/1.1\r\nHost: a\r\n");
        send_text(fd, rows[i].framing_and_body);
        expect_text(fd, rows[i].answer);
        close(fd);
    }
}

static void on_some(struct hc_http_exchange *exchange, struct hc_text bytes,
                    const struct hc_error *error) {
    struct fixture *fixture = fixture_of(exchange);
    if (error != NULL) {
        respond_error(exchange, error);
    } else if (bytes.size > 0) {
        note(fixture, "<%.*s>", HC_TEXT_ARGS(bytes));
        hc_http_read_some(exchange, 4, on_some);
    } else {
        respond_text(exchange, "ok");
    }
}

static void read_some(void *app, struct hc_http_exchange *exchange) {
    hc_http_set_data(exchange, app);
    hc_http_read_some(exchange, 4, on_some);
}

struct read_some_row {
    const char *framing_and_body;
    const char *answer;
    const char *journal;
};

static void bodies_are_read_as_they_come(void **state) {
    static const struct read_some_row rows[] = {
        {"\r\n", OK_2, ""},
        {"Content-Length: 3\r\n\r\n123", OK_2, "<123>"},
        {"Content-Length: 9\r\n\r\n123456789", OK_2, "<1234><5678><9>"},
        {CHUNKED "6\r\n123456\r\n1\r\n7\r\n0\r\n\r\n", OK_2, "<1234><56><7>"},
        {CHUNKED "2\r\n12\r\nx\r\n", BAD(18, "invalid chunk size"), "<12>"},
    };
    struct fixture *fixture = *state;
    start_server(fixture, 1, read_some);
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        clear_journal(fixture);
        int fd = connect_client(fixture);
        send_text(fd, "POST / HTTP/1.1\r\nHost: a\r\n");
        send_text(fd, rows[i].framing_and_body);
        expect_text(fd, rows[i].answer);
        expect_journal(fixture, rows[i].journal);
        close(fd);
    }
}

static void bytes_that_come_later_are_read_when_they_come(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, read_some);
    int fd = connect_client(fixture);
    send_text(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n");
    send_text(fd, "12");
    await(fixture, "<12>");
    send_text(fd, "34");
    expect_text(fd, OK_2);
    expect_journal(fixture, "<12><34>");
    close(fd);
}

static void a_body_that_ends_early_is_an_error_and_answered(void **state) {
    static const char *const starts[] = {"Content-Length: 10\r\n\r\n12345",
                                         CHUNKED "5\r\n12345\r\n", CHUNKED "5\r\n123", CHUNKED "5",
                                         CHUNKED "0\r\n"};
    struct fixture *fixture = *state;
    start_server(fixture, 1, read_all);
    for (size_t i = 0; i < N_ITEMS(starts); i++) {
        int fd = connect_client(fixture);
        send_text(fd, "POST / HTTP/1.1\r\nHost: a\r\n");
        send_text(fd, starts[i]);
        shutdown(fd, SHUT_WR);
        expect_text(fd, BAD(24, "request body ended early"));
        expect_end(fd);
    }
}

/* Reads "3", "0", "4" and then the rest, noting each. */
static void on_rest(struct hc_http_exchange *exchange, struct hc_text bytes,
                    const struct hc_error *error) {
    uint64_t left = 99;
    assert_null(error);
    assert_true(hc_http_body_left(exchange, &left));
    assert_int_equal(left, 0);
    note(fixture_of(exchange), "%.*s.", HC_TEXT_ARGS(bytes));
    respond_text(exchange, "ok");
}

static void on_four(struct hc_http_exchange *exchange, struct hc_text bytes,
                    const struct hc_error *error) {
    assert_null(error);
    note(fixture_of(exchange), "%.*s,", HC_TEXT_ARGS(bytes));
    hc_http_read_all(exchange, 100, on_rest);
}

static void on_none(struct hc_http_exchange *exchange, struct hc_text bytes,
                    const struct hc_error *error) {
    assert_null(error);
    assert_int_equal(bytes.size, 0);
    hc_http_read(exchange, 4, on_four);
}

static void on_three(struct hc_http_exchange *exchange, struct hc_text bytes,
                     const struct hc_error *error) {
    assert_null(error);
    note(fixture_of(exchange), "%.*s,", HC_TEXT_ARGS(bytes));
    hc_http_read(exchange, 0, on_none);
}

static void read_in_parts(void *app, struct hc_http_exchange *exchange) {
    const struct hc_http_request *request = hc_http_request(exchange);
    uint64_t left;
    assert_int_equal(hc_http_body_left(exchange, &left), !request->chunked);
    assert_true(request->chunked || left == 10);
    hc_http_set_data(exchange, app);
    hc_http_read(exchange, 3, on_three);
}

static void bodies_may_be_read_in_parts(void **state) {
    static const char *const requests[] = {
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789",
        "POST / HTTP/1.1\r\nHost: a\r\n" CHUNKED "2\r\n01\r\n3\r\n234\r\n5\r\n56789\r\n0\r\n\r\n"};
    struct fixture *fixture = *state;
    start_server(fixture, 1, read_in_parts);
    int fd = connect_pair(fixture);
    for (size_t i = 0; i < N_ITEMS(requests); i++) {
        for (size_t step = 1; step < 100; step += 7) {
            for (size_t done = 0; done < strlen(requests[i]); done += step) {
                size_t rest = strlen(requests[i]) - done;
                send_bytes(fd, requests[i] + done, step < rest ? step : rest);
                await_taken(fd);
            }
            expect_text(fd, OK_2);
            expect_journal(fixture, "012,3456,789.");
            clear_journal(fixture);
        }
    }
    close(fd);
}

static void too_much(struct hc_http_exchange *exchange, struct hc_text bytes,
                     const struct hc_error *error) {
    (void)bytes;
    assert_non_null(error);
    respond_error(exchange, error);
}

static void read_too_much(void *app, struct hc_http_exchange *exchange) {
    (void)app;
    hc_http_read(exchange, 7, too_much);
}

static void more_than_there_is_cannot_be_read(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, read_too_much);
    static const char *const ends[] = {"Content-Length: 5\r\n\r\n",
                                       CHUNKED "5\r\nhello\r\n0\r\n\r\n"};
    for (size_t i = 0; i < N_ITEMS(ends); i++) {
        int fd = connect_client(fixture);
        send_text(fd, "POST / HTTP/1.1\r\nHost: a\r\n");
        send_text(fd, ends[i]);
        expect_text(fd, BAD(51, "request body ends 2 bytes before what was announced"));
        close(fd);
    }
}

/* Places of odd sizes, some of them empty, in memory that is checked byte by byte. */
enum { N_PLACES = 200, BODY_SIZE = 3000000 };

struct into {
    struct iovec iov[N_PLACES];
    char data[BODY_SIZE];
};

static void on_into(struct hc_http_exchange *exchange, struct hc_text bytes,
                    const struct hc_error *error) {
    struct into *into = hc_http_data(exchange);
    assert_int_equal(bytes.size, 0);
    for (size_t i = 0; error == NULL && i < BODY_SIZE; i++) {
        assert_int_equal(into->data[i], pattern_byte(i));
    }
    free(into);
    respond_text(exchange, error == NULL ? "ok" : "no");
}

static void read_into(void *app, struct hc_http_exchange *exchange) {
    (void)app;
    struct into *into = malloc(sizeof *into);
    size_t place = 0;
    for (size_t i = 0; i < N_PLACES; i++) {
        size_t size = i == N_PLACES - 1 ? BODY_SIZE - place : i % 5 * 1003;
        into->iov[i] = (struct iovec){into->data + place, size};
        place += size;
    }
    hc_http_set_data(exchange, into);
    hc_http_read_into(exchange, into->iov, N_PLACES, on_into);
}

static void send_large(int fd, bool chunked, size_t chunk_size) {
    char *body = malloc(BODY_SIZE);
    hc_auto_buf out = {0};
    for (size_t i = 0; i < BODY_SIZE; i++) {
        body[i] = pattern_byte(i);
    }
    hc_buf_append_string(&out, "POST / HTTP/1.1\r\nHost: a\r\n");
    if (!chunked) {
        hc_buf_appendf(&out, "Content-Length: %d\r\n\r\n", BODY_SIZE);
        hc_buf_append(&out, body, BODY_SIZE);
    } else {
        hc_buf_append_string(&out, CHUNKED);
        for (size_t done = 0; done < BODY_SIZE; done += chunk_size) {
            size_t size = done + chunk_size < BODY_SIZE ? chunk_size : BODY_SIZE - done;
            hc_buf_appendf(&out, "%zX\r\n", size);
            hc_buf_append(&out, body + done, size);
            hc_buf_append_string(&out, "\r\n");
        }
        hc_buf_append_string(&out, "0\r\n\r\n");
    }
    send_bytes(fd, out.data, out.size);
    free(body);
}

static void bodies_are_read_into_the_callers_memory(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, read_into);
    int fds[] = {connect_client(fixture), connect_pair(fixture)};
    for (size_t i = 0; i < N_ITEMS(fds); i++) {
        send_large(fds[i], false, 0);
        expect_text(fds[i], OK_2);
        send_large(fds[i], true, BODY_SIZE);
        expect_text(fds[i], OK_2);
        send_large(fds[i], true, 1021);
        expect_text(fds[i], OK_2);
        close(fds[i]);
    }
}

static void on_large(struct hc_http_exchange *exchange, struct hc_text bytes,
                     const struct hc_error *error) {
    assert_null(error);
    assert_int_equal(bytes.size, BODY_SIZE);
    for (size_t i = 0; i < BODY_SIZE; i++) {
        assert_int_equal(bytes.data[i], pattern_byte(i));
    }
    respond_text(exchange, "ok");
}

static void read_large(void *app, struct hc_http_exchange *exchange) {
    (void)app;
    hc_http_read_all(exchange, BODY_SIZE, on_large);
}

static void large_bodies_are_read_whole(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, read_large);
    int fd = connect_client(fixture);
    send_large(fd, false, 0);
    expect_text(fd, OK_2);
    send_large(fd, true, 100000);
    expect_text(fd, OK_2);
    close(fd);
}

/* Answers at once, reads first, or drains, by the path. */
static void on_drained(struct hc_http_exchange *exchange, struct hc_text bytes,
                       const struct hc_error *error) {
    (void)bytes;
    respond_text(exchange, error == NULL ? "ok" : "no");
}

static void do_as_path_says(void *app, struct hc_http_exchange *exchange) {
    struct hc_text path = hc_http_request(exchange)->path;
    if (hc_text_is(path, "/read")) {
        hc_http_read_all(exchange, BODY_SIZE, on_drained);
    } else if (hc_text_is(path, "/drain")) {
        hc_http_drain(exchange, 10, on_drained);
    } else if (hc_text_is(path, "/hold")) {
        hold(app, exchange);
    } else {
        respond_text(exchange, "ok");
    }
}

#define EXPECT(path)                                                                               \
    "POST " path " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"

static void continue_is_said_when_the_body_is_asked_for(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, do_as_path_says);
    int fd = connect_client(fixture);
    for (size_t i = 0; i < 2; i++) {
        send_text(fd, EXPECT("/read"));
        expect_text(fd, "HTTP/1.1 100 Continue\r\n\r\n");
        send_text(fd, "hello");
        expect_text(fd, OK_2);
    }
    close(fd);
}

static void continue_is_not_said_when_the_body_has_begun(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, do_as_path_says);
    int fd = connect_client(fixture);
    send_text(fd, EXPECT("/read") "hello");
    expect_text(fd, OK_2);
    close(fd);
}

static void respond_held(struct hc_http_exchange *exchange) {
    respond_text(exchange, "ok");
}

static void read_held(struct hc_http_exchange *exchange) {
    hc_http_read_all(exchange, 100, on_drained);
}

static void continue_may_be_said_late_or_never(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, do_as_path_says);
    int fd = connect_client(fixture);
    send_text(fd, EXPECT("/hold"));
    call_on_held(fixture, read_held);
    expect_text(fd, "HTTP/1.1 100 Continue\r\n\r\n");
    send_text(fd, "hello");
    expect_text(fd, OK_2);
    send_text(fd, EXPECT("/hold"));
    call_on_held(fixture, respond_held);
    expect_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    expect_end(fd);
}

#define SEND(path, size) "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: " #size "\r\n\r\n"

static void a_small_unread_body_does_not_end_the_connection(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, do_as_path_says);
    int fd = connect_client(fixture);
    send_text(fd, SEND("/", 10));
    expect_text(fd, OK_2); /* before the body has come */
    send_text(fd, "0123456789" SEND("/drain", 10) "0123456789");
    expect_text(fd, OK_2);
    send_text(fd, "POST / HTTP/1.1\r\nHost: a\r\n" CHUNKED "3\r\nabc\r\n");
    expect_text(fd, OK_2);
    send_text(fd, "2\r\nde\r\n0\r\n\r\n" SEND("/", 0));
    expect_text(fd, OK_2);
    close(fd);
}

static void a_large_unread_body_ends_the_connection_but_not_the_answer(void **state) {
    static const char closing[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    struct fixture *fixture = *state;
    char *body = calloc(1, BODY_SIZE);
    start_server(fixture, 1, do_as_path_says);
    for (size_t i = 0; i < 2; i++) {
        int fd = connect_client(fixture);
        send_text(fd, SEND("/", 3000000));
        if (i == 1) {
            send_bytes(fd, body, BODY_SIZE); /* although nobody reads it */
        }
        expect_text(fd, closing);
        expect_end(fd);
    }
    free(body);
}

static void a_chunked_body_that_turns_out_large_ends_the_connection_too(void **state) {
    struct fixture *fixture = *state;
    fixture->config.drain_limit = 100;
    start_server(fixture, 1, do_as_path_says);
    int fd = connect_client(fixture);
    send_text(fd, "POST / HTTP/1.1\r\nHost: a\r\n" CHUNKED);
    expect_text(fd, OK_2);
    send_text(fd, "32\r\n01234567890123456789012345678901234567890123456789\r\n33\r\n");
    expect_end(fd);
}

static void draining_has_its_limit(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, do_as_path_says);
    int fd = connect_client(fixture);
    send_text(fd, SEND("/drain", 11));
    expect_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    expect_end(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(whole_bodies_are_read_or_refused),
        FIXTURE_TEST(bodies_are_read_as_they_come),
        FIXTURE_TEST(bytes_that_come_later_are_read_when_they_come),
        FIXTURE_TEST(a_body_that_ends_early_is_an_error_and_answered),
        FIXTURE_TEST(bodies_may_be_read_in_parts),
        FIXTURE_TEST(more_than_there_is_cannot_be_read),
        FIXTURE_TEST(bodies_are_read_into_the_callers_memory),
        FIXTURE_TEST(large_bodies_are_read_whole),
        FIXTURE_TEST(continue_is_said_when_the_body_is_asked_for),
        FIXTURE_TEST(continue_is_not_said_when_the_body_has_begun),
        FIXTURE_TEST(continue_may_be_said_late_or_never),
        FIXTURE_TEST(a_small_unread_body_does_not_end_the_connection),
        FIXTURE_TEST(a_large_unread_body_ends_the_connection_but_not_the_answer),
        FIXTURE_TEST(a_chunked_body_that_turns_out_large_ends_the_connection_too),
        FIXTURE_TEST(draining_has_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
