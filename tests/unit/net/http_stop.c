#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_fixture.h"

#define GET     "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK_2    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define CLOSING "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

static void act(void *app, struct hc_http_exchange *exchange) {
    if (hc_text_is(hc_http_request(exchange)->path, "/hold")) {
        hc_http_set_data(exchange, app);
        hold(app, exchange);
    } else {
        respond_text(exchange, "ok");
    }
}

static void respond_held(struct hc_http_exchange *exchange) {
    respond_text(exchange, "ok");
}

static void hold_again(struct hc_http_exchange *exchange) {
    hold(hc_http_data(exchange), exchange);
}

static void nothing_open_stops_at_once(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 3, act);
    begin_stop(fixture);
    await_stop(fixture);
}

static void idle_connections_are_closed_and_busy_ones_finish(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 2, act);
    int fresh = connect_client(fixture);
    int idle = connect_client(fixture);
    send_text(idle, GET);
    expect_text(idle, OK_2);
    int busy = connect_client(fixture);
    send_text(busy, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" GET);
    call_on_held(fixture, hold_again); /* so it is held */
    begin_stop(fixture);
    expect_end(fresh);
    expect_end(idle);
    assert_false(fixture->stopped);
    call_on_held(fixture, respond_held);
    expect_text(busy, CLOSING);
    expect_end(busy); /* what was pipelined behind is not served */
    await_stop(fixture);
    assert_int_equal(hc_http_server_count(fixture->server), 0);
}

static void stream_and_hold(void *app, struct hc_http_exchange *exchange) {
    hc_http_set_data(exchange, app);
    hc_http_start(exchange, 200, NULL, 0);
    hold(app, exchange);
}

static void a_stream_that_had_begun_is_the_last_on_its_connection(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, stream_and_hold);
    int fd = connect_client(fixture);
    int idle = connect_client(fixture);
    await_count(fixture, 2);
    send_text(fd, GET);
    expect_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    call_on_held(fixture, hold_again);
    begin_stop(fixture);
    expect_end(idle); /* so the stop has come */
    call_on_held(fixture, hc_http_end);
    expect_text(fd, "0\r\n\r\n");
    expect_end(fd);
    await_stop(fixture);
}

static void nobody_connects_to_a_stopped_server(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, act);
    uint16_t port = hc_http_server_port(fixture->server);
    assert_true(port > 0);
    begin_stop(fixture);
    await_stop(fixture);
    struct hc_http_server *second;
    struct hc_loop *loop;
    struct hc_error error;
    fixture->config.port = port; /* it is free again */
    assert_int_equal(hc_loop_create(0, &loop, &error), HC_OK);
    assert_int_equal(hc_http_server_create(&fixture->config, &loop, 1, &second, &error), HC_OK);
    hc_http_server_destroy(second); /* its loop never ran */
    hc_loop_destroy(loop);
}

static void note_gone(struct hc_http_exchange *exchange, enum hc_http_loss loss) {
    assert_int_equal(loss, HC_HTTP_GONE);
    note(hc_http_data(exchange), "<gone>");
}

static void hold_watched(void *app, struct hc_http_exchange *exchange) {
    hc_http_set_data(exchange, app);
    hc_http_on_close(exchange, note_gone);
    hold(app, exchange);
}

static void aborting_breaks_what_is_left_but_waits_for_the_application(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 2, hold_watched);
    int fd = connect_client(fixture);
    int partial = connect_client(fixture);
    send_text(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    send_text(partial, "GET /hold HTTP/1.1\r\nHo");
    call_on_held(fixture, hold_again);
    begin_stop(fixture);
    hc_http_server_abort(fixture->server);
    await(fixture, "<gone>");
    size_t size;
    free(receive_all(fd, &size));
    assert_int_equal(size, 0);
    assert_false(fixture->stopped);
    call_on_held(fixture, respond_held);
    await_stop(fixture);
    close(partial);
}

static void connections_are_spread_evenly(void **state) {
    enum { N_CLIENTS = 12, N_SERVERS = 4 };
    struct fixture *fixture = *state;
    int fds[N_CLIENTS];
    start_server(fixture, N_SERVERS, act);
    for (size_t i = 0; i < N_CLIENTS; i++) {
        fds[i] = connect_client(fixture);
        send_text(fds[i], GET);
        expect_text(fds[i], OK_2);
    }
    for (size_t i = 0; i < N_SERVERS; i++) {
        assert_int_equal(hc_loop_load(fixture->loops[i]), N_CLIENTS / N_SERVERS);
    }
    for (size_t i = 0; i < N_CLIENTS; i++) {
        close(fds[i]);
    }
}

enum { N_THREADS = 4, N_ROUNDS = 25 };

struct client {
    pthread_t thread;
    struct fixture *fixture;
};

static void on_body(struct hc_http_exchange *exchange, struct hc_text bytes,
                    const struct hc_error *error) {
    struct hc_segment segments[2] = {{.data = bytes.data, .size = bytes.size}};
    segments[1] = make_segment(hc_http_data(exchange), 10000);
    hc_http_respond(exchange, error == NULL ? 200 : 400, NULL, 0, segments, 2);
}

static void echo_and_more(void *app, struct hc_http_exchange *exchange) {
    hc_http_set_data(exchange, app);
    hc_http_read_all(exchange, 100, on_body);
}

/* Some requests, the last perhaps cut, and an end of one kind or the other. */
static void talk(struct fixture *fixture, int round) {
    char bytes[4096];
    int fd = connect_client(fixture);
    for (int i = 0; i < 5; i++) {
        static const char request[] =
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
        size_t size = sizeof request - 1 - (i == 4 ? (size_t)round % 30 : 0);
        if (send(fd, request, size, MSG_NOSIGNAL) <= 0 ||
            (i < 3 && recv(fd, bytes, 1000, 0) <= 0)) {
            break;
        }
    }
    if (round % 2 == 0) {
        reset_client(fd);
    } else {
        close(fd);
    }
}

static void *run_client(void *arg) {
    struct client *client = arg;
    for (int round = 0; round < N_ROUNDS; round++) {
        talk(client->fixture, round);
    }
    return NULL;
}

static void many_clients_on_several_loops(void **state) {
    struct fixture *fixture = *state;
    struct client clients[N_THREADS];
    start_server(fixture, 3, echo_and_more);
    for (size_t i = 0; i < N_THREADS; i++) {
        clients[i].fixture = fixture;
        pthread_create(&clients[i].thread, NULL, run_client, &clients[i]);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        pthread_join(clients[i].thread, NULL);
    }
    begin_stop(fixture);
    hc_http_server_abort(fixture->server);
    await_stop(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(nothing_open_stops_at_once),
        FIXTURE_TEST(idle_connections_are_closed_and_busy_ones_finish),
        FIXTURE_TEST(a_stream_that_had_begun_is_the_last_on_its_connection),
        FIXTURE_TEST(nobody_connects_to_a_stopped_server),
        FIXTURE_TEST(aborting_breaks_what_is_left_but_waits_for_the_application),
        FIXTURE_TEST(connections_are_spread_evenly),
        FIXTURE_TEST(many_clients_on_several_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
