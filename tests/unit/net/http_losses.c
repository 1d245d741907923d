#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "http_fixture.h"

#define OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static void note_loss(struct hc_http_exchange *exchange, enum hc_http_loss loss) {
    note(hc_http_data(exchange), loss == HC_HTTP_GONE ? "<gone>" : "<half-closed>");
}

static void note_body(struct hc_http_exchange *exchange, struct hc_text bytes,
                      const struct hc_error *error) {
    (void)bytes;
    note(hc_http_data(exchange), "<%s>", error == NULL ? "body" : hc_code_name(error->code));
    respond_text(exchange, error == NULL ? "ok" : "no");
}

static void probe(struct hc_http_exchange *exchange, enum hc_http_loss loss) {
    note_loss(exchange, loss);
    if (loss == HC_HTTP_HALF_CLOSED) {
        hc_http_probe(exchange);
    }
}

static char memory[4 << 20]; /* for bodies, of one exchange at a time */

/* What the paths of the requests mean. */
static void act(void *app, struct hc_http_exchange *exchange) {
    struct hc_text path = hc_http_request(exchange)->path;
    struct iovec iov = {memory, sizeof memory};
    hc_http_set_data(exchange, app);
    note(app, "<%.*s>", HC_TEXT_ARGS(path));
    if (hc_text_is(path, "/all")) {
        hc_http_read_all(exchange, SIZE_MAX, note_body);
    } else if (hc_text_is(path, "/into")) {
        hc_http_read_into(exchange, &iov, 1, note_body);
    } else if (hc_text_is(path, "/hold")) {
        hc_http_on_close(exchange, note_loss);
        hold(app, exchange);
    } else if (hc_text_is(path, "/probe")) {
        hc_http_on_close(exchange, probe);
        hold(app, exchange);
    } else if (hc_text_is(path, "/stream")) {
        hc_http_on_close(exchange, note_loss);
        hc_http_start(exchange, 200, NULL, 0);
        for (size_t i = 0; i < 300; i++) {
            struct hc_segment segment = make_segment(app, 100000);
            hc_http_send(exchange, &segment, 1);
        }
        hold(app, exchange);
    } else if (hc_text_is(path, "/large")) {
        struct hc_segment segment = make_segment(app, 8 << 20);
        hc_http_respond(exchange, 200, NULL, 0, &segment, 1);
    } else {
        respond_text(exchange, "ok");
    }
}

struct reset_row {
    const char *sent;
    const char *awaited; /* in the journal, before the reset */
    const char *journal; /* after it */
};

static void a_reset_is_survived_in_every_state(void **state) {
    static const struct reset_row rows[] = {
        {"", "", ""},
        {"GET", "", ""},
        {"GET / HTTP/1.1\r\nHost: a\r\nA: ", "", ""},
        {"GET /done HTTP/1.1\r\nHost: a\r\n\r\n", "</done>", "</done>"},
        {"POST /all HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\nabc", "</all>",
         "</all><Cancelled>"},
        {"POST /all HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "</all>",
         "</all><Cancelled>"},
        {"POST /into HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\nabc", "</into>",
         "</into><Cancelled>"},
        {"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\nabc", "</unread>",
         "</unread>"},
        {"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\nabc", "</unread>",
         "</unread>"},
        {"GET /large HTTP/1.1\r\nHost: a\r\n\r\n", "</large>", "</large>"},
        {"GET HTTP/1.1\r\n\r\nabc", "", ""},
    };
    struct fixture *fixture = *state;
    start_server(fixture, 1, act);
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        clear_journal(fixture);
        int fd = connect_client(fixture);
        send_text(fd, rows[i].sent);
        await(fixture, rows[i].awaited);
        await_count(fixture, 1);
        reset_client(fd);
        await_count(fixture, 0);
        expect_journal(fixture, rows[i].journal);
    }
}

static void respond_held(struct hc_http_exchange *exchange) {
    struct hc_segment segment = make_segment(hc_http_data(exchange), 100000);
    hc_http_respond(exchange, 200, NULL, 0, &segment, 1);
}

static void send_and_end_held(struct hc_http_exchange *exchange) {
    struct hc_segment segment = make_segment(hc_http_data(exchange), 100000);
    hc_http_send(exchange, &segment, 1);
    assert_int_equal(hc_http_unsent(exchange), 0);
    hc_http_end(exchange);
}

static void hold_again(struct hc_http_exchange *exchange) {
    hold(hc_http_data(exchange), exchange);
}

/* The application learns of it, and still has to end the exchange. */
static void check_reset_while_held(struct fixture *fixture, const char *request,
                                   void (*end)(struct hc_http_exchange *exchange)) {
    int fd = connect_client(fixture);
    send_text(fd, request);
    call_on_held(fixture, hold_again); /* so everything was sent that could be */
    reset_client(fd);
    await(fixture, "<gone>");
    assert_int_equal(hc_http_server_count(fixture->server), 1);
    assert_int_equal(count_released(fixture), fixture->n_made); /* without waiting for the end */
    call_on_held(fixture, end);
    await_count(fixture, 0);
}

static void an_exchange_outlives_its_connection(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, act);
    check_reset_while_held(fixture, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n", respond_held);
    clear_journal(fixture);
    check_reset_while_held(fixture, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n", hc_http_abort);
    clear_journal(fixture);
    check_reset_while_held(fixture, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n", send_and_end_held);
}

static void a_probe_tells_a_closed_socket_from_one_that_still_listens(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, act);
    int fd = connect_client(fixture);
    send_text(fd, "GET /probe HTTP/1.1\r\nHost: a\r\n\r\n");
    await(fixture, "</probe>");
    shutdown(fd, SHUT_WR);
    await(fixture, "<half-closed>");
    call_on_held(fixture, hold_again);
    expect_text(fd, "HTTP/1.1 100 Continue\r\n\r\n");
    call_on_held(fixture, respond_held);
    await_count(fixture, 0);
    expect_journal(fixture, "</probe><half-closed>");
    close(fd);
    clear_journal(fixture);
    fd = connect_client(fixture);
    send_text(fd, "GET /probe HTTP/1.1\r\nHost: a\r\n\r\n");
    await(fixture, "</probe>");
    close(fd);
    await(fixture, "<half-closed><gone>");
    call_on_held(fixture, respond_held);
    await_count(fixture, 0);
}

static void nobody_on_http_1_0_is_probed(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, act);
    int fd = connect_client(fixture);
    send_text(fd, "GET /probe HTTP/1.0\r\n\r\n");
    await(fixture, "</probe>");
    shutdown(fd, SHUT_WR);
    await(fixture, "<half-closed>");
    call_on_held(fixture, hold_again);
    call_on_held(fixture, respond_held);
    expect_text(fd, "HTTP/1.1 200 OK\r\n");
    await_count(fixture, 0);
    close(fd);
}

static void read_held(struct hc_http_exchange *exchange) {
    hc_http_read_all(exchange, 100, note_body);
}

static void reading_from_the_dead_is_an_error(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, act);
    int fd = connect_client(fixture);
    send_text(fd, "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
    await(fixture, "</hold>");
    reset_client(fd);
    await(fixture, "<gone>");
    call_on_held(fixture, read_held);
    await(fixture, "<Cancelled>");
    await_count(fixture, 0);
}

static void what_was_pipelined_before_a_reset_is_not_served(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, act);
    int fd = connect_client(fixture);
    send_text(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    await(fixture, "</hold>");
    reset_client(fd);
    await(fixture, "<gone>");
    call_on_held(fixture, respond_held);
    await_count(fixture, 0);
    expect_journal(fixture, "</hold><gone>");
}

struct refused_row {
    const char *request;
    const char *answer;
};

static void what_is_not_http_is_answered_and_the_connection_closed(void **state) {
    static const struct refused_row rows[] = {
        {"GET HTTP/1.1\r\n\r\nabc",
         "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 34\r\n"
         "Connection: close\r\n\r\n{\"error\":\"malformed request line\"}"},
        {"GET / HTTP/2.0\r\n\r\n",
         "HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Type: application/json\r\n"
         "Content-Length: 38\r\nConnection: close\r\n\r\n{\"error\":\"HTTP version not "
         "supported\"}"},
        {"POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n",
         "HTTP/1.1 417 Expectation Failed\r\nContent-Type: application/json\r\n"
         "Content-Length: 31\r\nConnection: close\r\n\r\n{\"error\":\"unknown expectation\"}"},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n",
         OK_2 "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
              "Content-Length: 24\r\nConnection: close\r\n\r\n{\"error\":\"missing Host\"}"},
    };
    struct fixture *fixture = *state;
    start_server(fixture, 1, act);
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        int fd = connect_client(fixture);
        send_text(fd, rows[i].request);
        expect_text(fd, rows[i].answer);
        expect_end(fd);
    }
}

static void send_padded(int fd, const char *start, size_t size) {
    char *padding = malloc(size);
    memset(padding, 'x', size);
    send_text(fd, start);
    send_bytes(fd, padding, size);
    free(padding);
}

static void heads_are_limited(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, act);
    int fd = connect_client(fixture);
    send_padded(fd, "GET /", 16 << 10);
    expect_text(fd, "HTTP/1.1 414 URI Too Long\r\n");
    close(fd);
    fd = connect_client(fixture);
    send_padded(fd, "GET / HTTP/1.1\r\nHost: a\r\nA: ", 64 << 10);
    expect_text(fd, "HTTP/1.1 431 Request Header Fields Too Large\r\n");
    close(fd);
    fd = connect_client(fixture);
    send_padded(fd, "GET / HTTP/1.1\r\nHost: a\r\nA: ", (64 << 10) - 20);
    send_text(fd, "\r\n\r\n");
    expect_text(fd, OK_2);
    send_padded(fd, "POST /all HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nA: ", 16 << 10);
    send_text(fd, "\r\n\r\nabcd");
    expect_text(fd, OK_2);
    close(fd);
}

static void silence_before_a_request_ends_the_connection(void **state) {
    struct fixture *fixture = *state;
    fixture->config.idle_timeout_ns = 30 * HC_NS_PER_MS;
    start_server(fixture, 1, act);
    expect_end(connect_client(fixture));
    int fd = connect_client(fixture);
    send_text(fd, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_text(fd, OK_2);
    expect_end(fd);
}

static void silence_within_a_head_is_answered(void **state) {
    struct fixture *fixture = *state;
    fixture->config.head_timeout_ns = 30 * HC_NS_PER_MS;
    start_server(fixture, 1, act);
    int fd = connect_client(fixture);
    send_text(fd, "GET /1 HTTP/1.1\r\nHost: a\r\n");
    expect_text(fd, "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json\r\n");
    close(fd);
}

/* A byte every few milliseconds for as long as the server does not answer. */
static void trickle(int fd) {
    struct pollfd answer = {.fd = fd, .events = POLLIN};
    while (poll(&answer, 1, 3) == 0) {
        send_text(fd, "x");
    }
}

static void silence_within_a_body_and_trickling_are_errors(void **state) {
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
    struct fixture *fixture = *state;
    fixture->config.body_timeout_ns = 50 * HC_NS_PER_MS;
    fixture->config.body_rate = 100000;
    start_server(fixture, 1, act);
    for (size_t i = 0; i < 4; i++) {
        int fd = connect_client(fixture);
        clear_journal(fixture);
        send_text(fd, i % 2 == 0 ? "POST /all" : "POST /into");
        send_text(fd, " HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n");
        if (i < 2) {
            trickle(fd);
        }
        expect_text(fd, answer);
        await(fixture, "<Deadline exceeded>");
        close(fd);
    }
}

static void a_body_that_is_not_asked_for_may_wait(void **state) {
    struct fixture *fixture = *state;
    fixture->config.body_timeout_ns = 20 * HC_NS_PER_MS;
    fixture->config.head_timeout_ns = 20 * HC_NS_PER_MS;
    fixture->config.idle_timeout_ns = 20 * HC_NS_PER_MS;
    start_server(fixture, 1, act);
    int fd = connect_client(fixture);
    int other = connect_client(fixture);
    send_text(fd, "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n");
    await(fixture, "</hold>");
    expect_end(other); /* so at least one timeout has passed */
    send_text(fd, "ab");
    call_on_held(fixture, read_held);
    expect_text(fd, OK_2);
    close(fd);
}

static void hold_on_error(struct hc_http_exchange *exchange, struct hc_text bytes,
                          const struct hc_error *error) {
    (void)bytes;
    assert_non_null(error);
    note(hc_http_data(exchange), "<%s>", hc_code_name(error->code));
    hold(hc_http_data(exchange), exchange);
}

static void read_then_hold(void *app, struct hc_http_exchange *exchange) {
    hc_http_set_data(exchange, app);
    hc_http_read_all(exchange, 100, hold_on_error);
}

static void a_body_that_has_failed_is_not_timed_any_more(void **state) {
    struct fixture *fixture = *state;
    fixture->config.body_timeout_ns = 60 * HC_NS_PER_MS;
    fixture->config.idle_timeout_ns = 100 * HC_NS_PER_MS;
    start_server(fixture, 1, read_then_hold);
    int fd = connect_pair(fixture);
    send_text(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    await_taken(fd); /* so it waits for more */
    shutdown(fd, SHUT_WR);
    await(fixture, "<Invalid argument>");
    expect_end(connect_client(fixture)); /* some timeouts later */
    call_on_held(fixture, hc_http_abort);
    expect_journal(fixture, "<Invalid argument>");
    expect_end(fd);
}

static void an_unread_body_that_does_not_come_ends_the_connection(void **state) {
    struct fixture *fixture = *state;
    fixture->config.body_timeout_ns = 20 * HC_NS_PER_MS;
    start_server(fixture, 1, act);
    int fd = connect_client(fixture);
    send_text(fd, "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
    expect_text(fd, OK_2);
    expect_end(fd);
}

static void a_client_that_never_reads_is_given_up(void **state) {
    struct fixture *fixture = *state;
    fixture->config.send_timeout_ns = 50 * HC_NS_PER_MS;
    start_server(fixture, 1, act);
    int fd = connect_client(fixture);
    send_text(fd, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    await(fixture, "</large>");
    await_count(fixture, 0);
    close(fd);
    clear_journal(fixture);
    fd = connect_client(fixture);
    send_text(fd, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    await(fixture, "<gone>");
    call_on_held(fixture, send_and_end_held);
    await_count(fixture, 0);
    close(fd);
}

static void start_and_hold(void *app, struct hc_http_exchange *exchange) {
    hc_http_set_data(exchange, app);
    hc_http_on_close(exchange, note_loss);
    hc_http_start(exchange, 200, NULL, 0);
    hold(app, exchange);
}

static void send_much(struct hc_http_exchange *exchange) {
    struct fixture *fixture = hc_http_data(exchange);
    struct hc_segment segment = make_segment(fixture, 16 << 20);
    hc_http_send(exchange, &segment, 1);
    hold(fixture, exchange);
}

static void a_stream_is_given_up_whenever_it_blocks(void **state) {
    struct fixture *fixture = *state;
    fixture->config.send_timeout_ns = 50 * HC_NS_PER_MS;
    start_server(fixture, 1, start_and_hold);
    int fd = connect_client(fixture);
    send_text(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    call_on_held(fixture, send_much);
    await(fixture, "<gone>");
    call_on_held(fixture, hc_http_end);
    await_count(fixture, 0);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_reset_is_survived_in_every_state),
        FIXTURE_TEST(an_exchange_outlives_its_connection),
        FIXTURE_TEST(a_probe_tells_a_closed_socket_from_one_that_still_listens),
        FIXTURE_TEST(nobody_on_http_1_0_is_probed),
        FIXTURE_TEST(reading_from_the_dead_is_an_error),
        FIXTURE_TEST(what_was_pipelined_before_a_reset_is_not_served),
        FIXTURE_TEST(what_is_not_http_is_answered_and_the_connection_closed),
        FIXTURE_TEST(heads_are_limited),
        FIXTURE_TEST(silence_before_a_request_ends_the_connection),
        FIXTURE_TEST(silence_within_a_head_is_answered),
        FIXTURE_TEST(silence_within_a_body_and_trickling_are_errors),
        FIXTURE_TEST(a_body_that_is_not_asked_for_may_wait),
        FIXTURE_TEST(a_body_that_has_failed_is_not_timed_any_more),
        FIXTURE_TEST(an_unread_body_that_does_not_come_ends_the_connection),
        FIXTURE_TEST(a_client_that_never_reads_is_given_up),
        FIXTURE_TEST(a_stream_is_given_up_whenever_it_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
