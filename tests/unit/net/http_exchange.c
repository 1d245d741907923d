#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_fixture.h"

#define GET  "GET /path?query HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static void say_ok(void *app, struct hc_http_exchange *exchange) {
    (void)app;
    respond_text(exchange, "ok");
}

static void an_answer_is_what_triton_sends(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, say_ok);
    int fd = connect_client(fixture);
    send_text(fd, GET);
    expect_text(fd, OK_2);
    send_text(fd, GET);
    expect_text(fd, OK_2);
    close(fd);
}

static void describe_request(void *app, struct hc_http_exchange *exchange) {
    struct fixture *fixture = app;
    const struct hc_http_request *request = hc_http_request(exchange);
    char peer[HC_ADDRESS_TEXT_SIZE];
    hc_address_format(hc_http_peer(exchange), peer);
    assert_ptr_equal(hc_http_loop(exchange), hc_loop_current());
    assert_null(hc_http_data(exchange));
    hc_http_set_data(exchange, fixture);
    assert_ptr_equal(hc_http_data(exchange), fixture);
    char *text = hc_pool_alloc(hc_http_pool(exchange), 200);
    snprintf(text, 200, "%.*s %.*s ? %.*s, %zu headers, %.10s", HC_TEXT_ARGS(request->method),
             HC_TEXT_ARGS(request->path), HC_TEXT_ARGS(request->query), request->n_headers, peer);
    respond_text(exchange, text);
}

static void the_application_sees_the_request(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, describe_request);
    int fd = connect_client(fixture);
    send_text(fd, GET);
    expect_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"
                    "GET /path ? query, 1 headers, 127.0.0.1:");
    close(fd);
}

static void answer_with_headers(void *app, struct hc_http_exchange *exchange) {
    (void)app;
    static const struct hc_http_header headers[] = {
        {HC_TEXT("Content-Type"), HC_TEXT("application/json")},
        {HC_TEXT("X-Bad"), HC_TEXT("a\r\nSet-Cookie: b\tc\xc3\xa4")},
    };
    static const struct hc_segment segments[] = {
        {.data = "{", .size = 1}, {.data = NULL, .size = 0}, {.data = "}", .size = 1}};
    hc_http_respond(exchange, 404, headers, 2, segments, 3);
}

static void headers_cannot_be_smuggled_out(void **state) {
    struct fixture *fixture = *state;
    fixture->config.server_name = "test/1\r\n";
    start_server(fixture, 1, answer_with_headers);
    int fd = connect_client(fixture);
    send_text(fd, GET);
    expect_text(fd, "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"
                    "X-Bad: a  Set-Cookie: b\tc\xc3\xa4\r\nContent-Length: 2\r\n"
                    "Server: test/1  \r\n\r\n{}");
    close(fd);
}

struct connection_row {
    const char *request;
    const char *answer;
    bool ends;
};

static void connections_live_as_long_as_both_want(void **state) {
    static const struct connection_row rows[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", true},
        {"GET / HTTP/1.0\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok", false},
        {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
         false},
    };
    struct fixture *fixture = *state;
    start_server(fixture, 1, say_ok);
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        int fd = connect_client(fixture);
        send_text(fd, rows[i].request);
        expect_text(fd, rows[i].answer);
        if (rows[i].ends) {
            expect_end(fd);
        } else {
            send_text(fd, GET);
            expect_text(fd, OK_2);
            close(fd);
        }
    }
}

static void answer_without_body(void *app, struct hc_http_exchange *exchange) {
    int status = hc_text_is(hc_http_request(exchange)->path, "/204") ? 204 : 304;
    struct hc_segment segment = make_segment(app, 5000);
    hc_http_respond(exchange, status, NULL, 0, &segment, 1);
}

static void statuses_without_a_body_have_none(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, answer_without_body);
    int fd = connect_client(fixture);
    send_text(fd, "GET /204 HTTP/1.1\r\nHost: a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_text(fd, "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n");
    close(fd);
}

static void on_echo(struct hc_http_exchange *exchange, struct hc_text bytes,
                    const struct hc_error *error) {
    assert_null(error);
    struct hc_segment segment = {.data = bytes.data, .size = bytes.size};
    hc_http_respond(exchange, 200, NULL, 0, &segment, 1);
}

static void echo(void *app, struct hc_http_exchange *exchange) {
    (void)app;
    hc_http_read_all(exchange, 1 << 20, on_echo);
}

#define MIXED_REQUESTS                                                                             \
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"                                 \
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n"                                                            \
    "\r\nPOST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"                         \
    "3;x=y\r\none\r\n4\r\n two\r\n0\r\nT: v\r\n\r\n"                                               \
    "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"                                   \
    "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nend"

#define MIXED_ANSWERS                                                                              \
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"                                            \
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"                                                 \
    "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\none two"                                          \
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"                                                 \
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nend"

static void pipelined_requests_are_answered_in_order(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, echo);
    int fd = connect_client(fixture);
    send_text(fd, MIXED_REQUESTS);
    expect_text(fd, MIXED_ANSWERS);
    expect_end(fd);
}

static void requests_may_come_in_any_two_parts(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, echo);
    for (size_t i = 1; i < sizeof MIXED_REQUESTS - 1; i++) {
        int fd = connect_pair(fixture);
        send_bytes(fd, MIXED_REQUESTS, i);
        await_taken(fd);
        send_text(fd, &MIXED_REQUESTS[i]);
        expect_text(fd, MIXED_ANSWERS);
        expect_end(fd);
    }
}

static void requests_may_come_byte_by_byte(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, echo);
    int fd = connect_pair(fixture);
    for (size_t i = 0; i < sizeof MIXED_REQUESTS - 1; i++) {
        send_bytes(fd, &MIXED_REQUESTS[i], 1);
        await_taken(fd);
    }
    expect_text(fd, MIXED_ANSWERS);
    expect_end(fd);
}

static void hold_and_note(void *app, struct hc_http_exchange *exchange) {
    note(app, "<%.*s>", HC_TEXT_ARGS(hc_http_request(exchange)->path));
    hold(app, exchange);
}

static void respond_held(struct hc_http_exchange *exchange) {
    respond_text(exchange, "ok");
}

static void the_next_request_waits_for_the_answer(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, hold_and_note);
    int fd = connect_client(fixture);
    send_text(fd, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    await(fixture, "</1>");
    expect_journal(fixture, "</1>");
    call_on_held(fixture, respond_held);
    expect_text(fd, OK_2);
    await(fixture, "</2>");
    call_on_held(fixture, respond_held);
    expect_text(fd, OK_2);
    close(fd);
}

static void an_answer_does_not_wait_for_the_next_request(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, say_ok);
    int fd = connect_client(fixture);
    send_text(fd, GET "GET /pa");
    expect_text(fd, OK_2);
    send_text(fd, "th HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_text(fd, OK_2);
    close(fd);
}

static void many_pipelined_requests_are_all_answered(void **state) {
    enum { N_REQUESTS = 20000 };
    struct fixture *fixture = *state;
    start_server(fixture, 1, say_ok);
    int fd = connect_client(fixture);
    char *requests = malloc(N_REQUESTS * (sizeof GET - 1));
    for (size_t i = 0; i < N_REQUESTS; i++) {
        memcpy(requests + i * (sizeof GET - 1), GET, sizeof GET - 1);
    }
    send_bytes(fd, requests, N_REQUESTS * (sizeof GET - 1));
    free(requests);
    shutdown(fd, SHUT_WR);
    size_t size;
    char *answers = receive_all(fd, &size);
    assert_int_equal(size, N_REQUESTS * (sizeof OK_2 - 1));
    for (size_t i = 0; i < N_REQUESTS; i++) {
        assert_memory_equal(answers + i * (sizeof OK_2 - 1), OK_2, sizeof OK_2 - 1);
    }
    free(answers);
}

static void answer_from_pool(void *app, struct hc_http_exchange *exchange) {
    (void)app;
    enum { SIZE = 5000 };
    char *memory = hc_pool_alloc(hc_http_pool(exchange), SIZE);
    memset(memory, hc_http_request(exchange)->path.data[1], SIZE);
    struct hc_segment segment = {.data = memory, .size = SIZE};
    hc_http_respond(exchange, 200, NULL, 0, &segment, 1);
}

static void an_answer_keeps_its_memory_until_it_is_sent(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, answer_from_pool);
    int fd = connect_client(fixture);
    send_text(fd, "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n"
                  "GET /c HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int letter = 'a'; letter <= 'c'; letter++) {
        char body[5001] = {0};
        memset(body, letter, 5000);
        expect_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
        expect_text(fd, body);
    }
    close(fd);
}

static void echo_header(void *app, struct hc_http_exchange *exchange) {
    (void)app;
    const struct hc_http_request *request = hc_http_request(exchange);
    const struct hc_http_header *end = hc_http_find(request->headers, request->n_headers, "end");
    const struct hc_http_header *pad = hc_http_find(request->headers, request->n_headers, "pad");
    assert_true(hc_text_is(request->path, "/path"));
    for (size_t i = 0; i < pad->value.size; i++) {
        assert_int_equal(pad->value.data[i], 'x');
    }
    struct hc_segment segment = {.data = end->value.data, .size = end->value.size};
    hc_http_respond(exchange, 200, NULL, 0, &segment, 1);
}

/* Whatever its size is in comparison with the buffer's, which has to grow or to move. */
static void a_head_may_be_of_any_size(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, echo_header);
    char *padding = malloc(40000);
    memset(padding, 'x', 40000);
    for (size_t size = 0; size < 40000; size += 379) {
        int fd = connect_pair(fixture);
        send_text(fd, "POST /path HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nPad: ");
        send_bytes(fd, padding, size);
        send_text(fd, "\r\nEnd: ok\r\n\r\nabc");
        send_text(fd, "GET /path HTTP/1.1\r\nHost: a\r\nPad:\r\nEnd: ok\r\n\r\n");
        expect_text(fd, OK_2 OK_2);
        close(fd);
    }
    free(padding);
}

static void answer_large(void *app, struct hc_http_exchange *exchange) {
    struct hc_segment segments[100];
    for (size_t i = 0; i < N_ITEMS(segments); i++) {
        segments[i] = make_segment(app, i % 3 == 0 ? 100 : 100000);
    }
    hc_http_respond(exchange, 200, NULL, 0, segments, N_ITEMS(segments));
}

static void large_answers_arrive_whole(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, answer_large);
    int fd = connect_client(fixture);
    send_text(fd, GET "GET / HTTP/1.0\r\n\r\n");
    size_t size;
    char *answers = receive_all(fd, &size);
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 6603400\r\n\r\n";
    const char *body = answers + sizeof head - 1;
    assert_memory_equal(answers, head, sizeof head - 1);
    for (size_t i = 0; i < 100; i++) {
        size_t part = i % 3 == 0 ? 100 : 100000;
        for (size_t j = 0; j < part; j++) {
            assert_int_equal(body[j], pattern_byte(j));
        }
        body += part;
    }
    assert_memory_equal(body, head, sizeof head - 5);
    free(answers);
}

static void note_loss(struct hc_http_exchange *exchange, enum hc_http_loss loss) {
    note(hc_http_data(exchange), loss == HC_HTTP_GONE ? "<gone>" : "<half-closed>");
}

static void hold_and_watch(void *app, struct hc_http_exchange *exchange) {
    hc_http_set_data(exchange, app);
    hc_http_on_close(exchange, note_loss);
    hold(app, exchange);
}

static void a_half_closed_client_gets_its_answer(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, hold_and_watch);
    int fd = connect_client(fixture);
    send_text(fd, GET);
    shutdown(fd, SHUT_WR);
    await(fixture, "<half-closed>");
    call_on_held(fixture, respond_held);
    expect_text(fd, OK_2);
    expect_end(fd);
    expect_journal(fixture, "<half-closed>");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(an_answer_is_what_triton_sends),
        FIXTURE_TEST(the_application_sees_the_request),
        FIXTURE_TEST(headers_cannot_be_smuggled_out),
        FIXTURE_TEST(connections_live_as_long_as_both_want),
        FIXTURE_TEST(statuses_without_a_body_have_none),
        FIXTURE_TEST(pipelined_requests_are_answered_in_order),
        FIXTURE_TEST(requests_may_come_in_any_two_parts),
        FIXTURE_TEST(requests_may_come_byte_by_byte),
        FIXTURE_TEST(the_next_request_waits_for_the_answer),
        FIXTURE_TEST(an_answer_does_not_wait_for_the_next_request),
        FIXTURE_TEST(many_pipelined_requests_are_all_answered),
        FIXTURE_TEST(an_answer_keeps_its_memory_until_it_is_sent),
        FIXTURE_TEST(a_head_may_be_of_any_size),
        FIXTURE_TEST(large_answers_arrive_whole),
        FIXTURE_TEST(a_half_closed_client_gets_its_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
