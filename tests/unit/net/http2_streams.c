/* Requests over HTTP/2 and their answers. */
#include <unistd.h>

#include "base/clock.h"
#include "http2_fixture.h"

enum { WINDOW = 65535 };

static void open_conn_window(int fd, uint32_t size) {
    const unsigned char increment[] = {(unsigned char)(size >> 24), (unsigned char)(size >> 16),
                                       (unsigned char)(size >> 8), (unsigned char)size};
    send_frame(fd, NGHTTP2_WINDOW_UPDATE, 0, 0, increment, sizeof increment);
}

static void a_request_is_answered(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    send_request(fd, 1, "/echo", false);
    send_data(fd, 1, "hello ", false);
    send_data(fd, 1, "world", true);
    assert_int_equal(await_answer(fd, 1), 11);
    send_request(fd, 3, "/echo", true);
    assert_int_equal(await_answer(fd, 3), 0);
    close(fd);
}

static void many_streams_are_answered_side_by_side(void **state) {
    enum { N = 1000 };
    struct fixture *fixture = *state;
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    for (int32_t i = 0; i < N; i++) {
        send_request(fd, 2 * i + 1, "/echo", false);
    }
    for (int32_t i = N; i-- > 0;) {
        send_data(fd, 2 * i + 1, "x", true);
    }
    struct frame *frame = malloc(sizeof *frame);
    for (int32_t n_ended = 0; n_ended < N;) {
        await_frame(fd, NGHTTP2_HEADERS, frame);
        n_ended += (frame->flags & NGHTTP2_FLAG_END_STREAM) != 0;
    }
    free(frame);
    close(fd);
}

static void an_answer_may_end_before_the_request(void **state) {
    struct fixture *fixture = *state;
    struct frame *frame = malloc(sizeof *frame);
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    send_request(fd, 1, "/early", false);
    await_frame(fd, NGHTTP2_HEADERS, frame);
    assert_true(frame->flags & NGHTTP2_FLAG_END_STREAM);
    await_frame(fd, NGHTTP2_RST_STREAM, frame);
    assert_int_equal(frame->payload[3], NGHTTP2_NO_ERROR);
    send_data(fd, 1, "nobody listens", true);
    send_request(fd, 3, "/echo", true);
    assert_int_equal(await_answer(fd, 3), 0);
    free(frame);
    close(fd);
}

static void the_application_is_told_of_a_reset(void **state) {
    const unsigned char cancel[] = {0, 0, 0, NGHTTP2_CANCEL};
    struct fixture *fixture = *state;
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    send_request(fd, 1, "/wait", false);
    send_frame(fd, NGHTTP2_RST_STREAM, 0, 1, cancel, sizeof cancel);
    await_gone(fixture, 1);
    send_request(fd, 3, "/echo", true);
    assert_int_equal(await_answer(fd, 3), 0);
    close(fd);
}

static void the_application_is_told_when_the_connection_is_lost(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    for (int32_t i = 0; i < 5; i++) {
        send_request(fd, 2 * i + 1, "/wait", i % 2 == 0);
    }
    await(fixture, "rerrerre");
    close(fd);
    await_gone(fixture, 5);
}

static void a_large_answer_is_sent_as_the_client_takes_it(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture);
    int fd = connect_client(fixture, 128 << 20);
    open_conn_window(fd, 128 << 20);
    send_request(fd, 1, "/big", true);
    assert_int_equal(await_answer(fd, 1), BIG_SIZE);
    close(fd);
}

/* The teardown sees to it that each segment is released once. */
static void a_large_answer_is_let_go_of_when_the_client_resets_it(void **state) {
    const unsigned char cancel[] = {0, 0, 0, NGHTTP2_CANCEL};
    struct fixture *fixture = *state;
    struct frame *frame = malloc(sizeof *frame);
    start_server(fixture);
    int fd = connect_client(fixture, 128 << 20);
    open_conn_window(fd, 128 << 20);
    send_request(fd, 1, "/big", true);
    await_frame(fd, NGHTTP2_DATA, frame);
    send_frame(fd, NGHTTP2_RST_STREAM, 0, 1, cancel, sizeof cancel);
    send_request(fd, 3, "/echo", true);
    assert_int_equal(await_answer(fd, 3), 0);
    free(frame);
    close(fd);
}

static void a_large_answer_is_let_go_of_when_the_client_leaves(void **state) {
    struct fixture *fixture = *state;
    struct frame *frame = malloc(sizeof *frame);
    start_server(fixture);
    int fd = connect_client(fixture, 128 << 20);
    open_conn_window(fd, 128 << 20);
    send_request(fd, 1, "/big", true);
    await_frame(fd, NGHTTP2_DATA, frame);
    free(frame);
    close(fd);
}

static void a_held_stream_gets_no_more_than_its_window(void **state) {
    struct fixture *fixture = *state;
    struct frame *frame = malloc(sizeof *frame);
    fixture->config.stream_window = WINDOW;
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    char *body = calloc(1, WINDOW);
    send_request(fd, 1, "/hold", false);
    for (size_t i = 0; i < 4; i++) {
        send_frame(fd, NGHTTP2_DATA, 0, 1, body, 16383);
    }
    send_request(fd, 3, "/echo", false);
    for (size_t i = 0; i < 4; i++) {
        send_frame(fd, NGHTTP2_DATA, 0, 3, body, 16383);
    }
    do {
        await_frame(fd, NGHTTP2_WINDOW_UPDATE, frame);
        assert_int_not_equal(frame->stream, 1);
    } while (frame->stream != 3);
    free(body);
    free(frame);
    close(fd);
}

static void stopping_waits_for_streams(void **state) {
    struct fixture *fixture = *state;
    struct frame *frame = malloc(sizeof *frame);
    start_server(fixture);
    int idle = connect_client(fixture, WINDOW);
    int fd = connect_client(fixture, WINDOW);
    send_request(fd, 1, "/echo", false);
    await(fixture, "r");
    begin_stop(fixture);
    assert_int_equal(await_close(idle), NGHTTP2_NO_ERROR);
    await_frame(fd, NGHTTP2_GOAWAY, frame);
    send_data(fd, 1, "still here", true);
    assert_int_equal(await_answer(fd, 1), 10);
    await_close(fd);
    await_stop(fixture);
    free(frame);
}

static void what_is_not_http2_is_sent_away(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture);
    int fd = connect_silently(fixture);
    send_bytes(fd, "GET / HTTP/1.1\r\n\r\n", 18);
    await_close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_request_is_answered),
        FIXTURE_TEST(many_streams_are_answered_side_by_side),
        FIXTURE_TEST(an_answer_may_end_before_the_request),
        FIXTURE_TEST(the_application_is_told_of_a_reset),
        FIXTURE_TEST(the_application_is_told_when_the_connection_is_lost),
        FIXTURE_TEST(a_large_answer_is_sent_as_the_client_takes_it),
        FIXTURE_TEST(a_large_answer_is_let_go_of_when_the_client_resets_it),
        FIXTURE_TEST(a_large_answer_is_let_go_of_when_the_client_leaves),
        FIXTURE_TEST(a_held_stream_gets_no_more_than_its_window),
        FIXTURE_TEST(stopping_waits_for_streams),
        FIXTURE_TEST(what_is_not_http2_is_sent_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
