/* Clients that ask for more than their share, or give too little: each comes to an end. */
#include <unistd.h>

#include "base/clock.h"
#include "http2_fixture.h"

enum { WINDOW = 65535, FLOOD = 20000 };

static const unsigned char cancel[] = {0, 0, 0, NGHTTP2_CANCEL};
static const unsigned char nothing[8] = {0};

/* The server has sent the flooder away, and serves others. */
static void expect_sent_away(struct fixture *fixture, int flooder, long code) {
    assert_int_equal(await_close(flooder), code);
    int fd = connect_client(fixture, WINDOW);
    send_request(fd, 1, "/echo", true);
    assert_int_equal(await_answer(fd, 1), 0);
    close(fd);
}

static void streams_that_are_reset_at_once_are_limited(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    for (int32_t i = 0; i < FLOOD; i++) {
        send_request(fd, 2 * i + 1, "/wait", true);
        send_frame(fd, NGHTTP2_RST_STREAM, 0, 2 * i + 1, cancel, sizeof cancel);
    }
    expect_sent_away(fixture, fd, NGHTTP2_ENHANCE_YOUR_CALM);
    assert_true(fixture->n_gone < 3000);
}

static void pings_are_limited(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    for (size_t i = 0; i < 4; i++) {
        send_frame(fd, NGHTTP2_PING, 0, 0, nothing, sizeof nothing);
    }
    expect_sent_away(fixture, fd, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* A client that gets data may ping for each of them, as gRPC's do to measure the line. */
static void pings_between_answers_are_welcome(void **state) {
    struct fixture *fixture = *state;
    struct frame *frame = malloc(sizeof *frame);
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    for (int32_t i = 0; i < 50; i++) {
        send_request(fd, 2 * i + 1, "/echo", false);
        send_data(fd, 2 * i + 1, "x", true);
        assert_int_equal(await_answer(fd, 2 * i + 1), 1);
        send_frame(fd, NGHTTP2_PING, 0, 0, nothing, sizeof nothing);
        await_frame(fd, NGHTTP2_PING, frame);
    }
    free(frame);
    close(fd);
}

struct flood {
    uint8_t type;
    int32_t stream;
    const void *payload;
    size_t size;
};

static void frames_without_use_are_limited(void **state) {
    static const unsigned char one[] = {0, 0, 0, 1};
    static const unsigned char priority[] = {0, 0, 0, 0, 1};
    static const struct flood floods[] = {
        {NGHTTP2_SETTINGS, 0, NULL, 0},
        {NGHTTP2_DATA, 1, NULL, 0},
        {NGHTTP2_WINDOW_UPDATE, 0, one, sizeof one},
        {NGHTTP2_WINDOW_UPDATE, 1, one, sizeof one},
        {NGHTTP2_PRIORITY, 1, priority, sizeof priority},
    };
    struct fixture *fixture = *state;
    start_server(fixture);
    for (size_t i = 0; i < N_ITEMS(floods); i++) {
        int fd = connect_client(fixture, WINDOW);
        send_request(fd, 1, "/wait", false);
        for (size_t j = 0; j < FLOOD; j++) {
            send_frame(fd, floods[i].type, 0, floods[i].stream, floods[i].payload, floods[i].size);
        }
        await_close(fd);
        await_gone(fixture, i + 1);
    }
}

/* As gRPC's clients open windows for each message that they get, in long streams of small ones. */
static void windows_that_are_opened_for_answers_are_welcome(void **state) {
    enum { N_ANSWERS = 2000, N_UPDATES = 16 };
    static const unsigned char one[] = {0, 0, 0, 1};
    struct fixture *fixture = *state;
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    for (int32_t i = 0; i < N_ANSWERS; i++) {
        send_request(fd, 2 * i + 1, "/echo", false);
        send_data(fd, 2 * i + 1, "x", true);
        assert_int_equal(await_answer(fd, 2 * i + 1), 1);
        for (size_t j = 0; j < N_UPDATES; j++) {
            send_frame(fd, NGHTTP2_WINDOW_UPDATE, 0, 0, one, sizeof one);
        }
    }
    close(fd);
}

static void continuations_are_limited(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    send_frame(fd, NGHTTP2_HEADERS, 0, 1, "\x83\x86", 2);
    for (size_t i = 0; i < FLOOD; i++) {
        send_frame(fd, NGHTTP2_CONTINUATION, 0, 1, "\x86", 1);
    }
    int other = connect_client(fixture, WINDOW);
    send_request(other, 1, "/echo", true);
    assert_int_equal(await_answer(other, 1), 0);
    await_close(fd);
    close(other);
}

/* A small block that stands for a large header: an entry of the dynamic table over and over. */
static void headers_that_unpack_to_much_are_refused(void **state) {
    enum { VALUE_SIZE = 3900, N_TIMES = 16000 };
    struct fixture *fixture = *state;
    struct frame *frame = malloc(sizeof *frame);
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    unsigned char *block = calloc(1, VALUE_SIZE + N_TIMES + 16);
    size_t size = 0;
    const unsigned char head[] = {0x83,
                                  0x86,
                                  0x04,
                                  1,
                                  '/',
                                  0x40,
                                  1,
                                  'a',
                                  0x7f,
                                  (VALUE_SIZE - 127) % 128 | 128,
                                  (VALUE_SIZE - 127) / 128};
    memcpy(block, head, sizeof head);
    size = sizeof head;
    memset(block + size, 'x', VALUE_SIZE);
    size += VALUE_SIZE;
    memset(block + size, 0xbe, 12000); /* index 62, the entry that was just made */
    size += 12000;
    send_frame(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1, block,
               size);
    await_frame(fd, NGHTTP2_RST_STREAM, frame);
    assert_int_equal(frame->stream, 1);
    send_request(fd, 3, "/echo", true);
    assert_int_equal(await_answer(fd, 3), 0);
    assert_null(strstr(fixture->journal, "rr"));
    free(block);
    free(frame);
    close(fd);
}

static void more_streams_than_allowed_are_refused(void **state) {
    struct fixture *fixture = *state;
    struct frame *frame = malloc(sizeof *frame);
    fixture->config.max_streams = 10;
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    for (int32_t i = 0; i < 11; i++) {
        send_request(fd, 2 * i + 1, "/wait", true);
    }
    await_frame(fd, NGHTTP2_RST_STREAM, frame);
    assert_int_equal(frame->stream, 21);
    assert_int_equal(frame->payload[3], NGHTTP2_REFUSED_STREAM);
    free(frame);
    close(fd);
}

static void a_stream_whose_window_stays_closed_is_reset(void **state) {
    struct fixture *fixture = *state;
    struct frame *frame = malloc(sizeof *frame);
    fixture->config.send_timeout_ns = 50 * HC_NS_PER_MS;
    start_server(fixture);
    int fd = connect_client(fixture, 0);
    send_request(fd, 1, "/big", true);
    await_frame(fd, NGHTTP2_RST_STREAM, frame);
    assert_int_equal(frame->stream, 1);
    send_request(fd, 3, "/early", true);
    assert_int_equal(await_answer(fd, 3), 0);
    free(frame);
    close(fd);
}

static void a_client_that_does_not_read_is_sent_away(void **state) {
    const unsigned char window[] = {0x7f, 0, 0, 0};
    struct fixture *fixture = *state;
    fixture->config.send_timeout_ns = 50 * HC_NS_PER_MS;
    start_server(fixture);
    int fd = connect_client(fixture, 0x7fffffff);
    send_frame(fd, NGHTTP2_WINDOW_UPDATE, 0, 0, window, sizeof window);
    send_request(fd, 1, "/wait", true);
    send_request(fd, 3, "/big", true);
    await_gone(fixture, 1);
    close(fd);
}

static void a_client_that_does_not_greet_is_sent_away(void **state) {
    struct fixture *fixture = *state;
    fixture->config.greeting_timeout_ns = 20 * HC_NS_PER_MS;
    start_server(fixture);
    int fd = connect_silently(fixture);
    await_close(fd);
    fd = connect_silently(fixture);
    send_bytes(fd, NGHTTP2_CLIENT_MAGIC, 10);
    await_close(fd);
}

static void a_client_that_gives_no_sign_of_life_is_sent_away(void **state) {
    struct fixture *fixture = *state;
    struct frame *frame = malloc(sizeof *frame);
    fixture->config.keepalive_ns = 20 * HC_NS_PER_MS;
    fixture->config.keepalive_timeout_ns = 20 * HC_NS_PER_MS;
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    send_request(fd, 1, "/wait", true);
    await_frame(fd, NGHTTP2_PING, frame);
    await_close(fd);
    await_gone(fixture, 1);
    free(frame);
}

static void a_client_that_answers_pings_stays(void **state) {
    struct fixture *fixture = *state;
    struct frame *frame = malloc(sizeof *frame);
    fixture->config.keepalive_ns = 10 * HC_NS_PER_MS;
    fixture->config.max_pings = 0;
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    send_request(fd, 1, "/wait", true);
    for (size_t i = 0; i < 5; i++) {
        await_frame(fd, NGHTTP2_PING, frame);
        send_frame(fd, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, frame->payload, frame->size);
    }
    assert_int_equal(fixture->n_gone, 0);
    free(frame);
    close(fd);
}

static void a_connection_that_is_old_is_let_go_of(void **state) {
    struct fixture *fixture = *state;
    struct frame *frame = malloc(sizeof *frame);
    fixture->config.max_age_ns = 20 * HC_NS_PER_MS;
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    send_request(fd, 1, "/echo", false);
    await_frame(fd, NGHTTP2_GOAWAY, frame);
    send_data(fd, 1, "x", true);
    assert_int_equal(await_answer(fd, 1), 1);
    assert_true(await_close(fd) <= 0);
    free(frame);
}

static void grace_ends(void **state) {
    struct fixture *fixture = *state;
    fixture->config.max_age_ns = 20 * HC_NS_PER_MS;
    fixture->config.age_grace_ns = 20 * HC_NS_PER_MS;
    start_server(fixture);
    int fd = connect_client(fixture, WINDOW);
    send_request(fd, 1, "/wait", true);
    assert_int_equal(await_close(fd), NGHTTP2_NO_ERROR);
    await_gone(fixture, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(streams_that_are_reset_at_once_are_limited),
        FIXTURE_TEST(pings_are_limited),
        FIXTURE_TEST(pings_between_answers_are_welcome),
        FIXTURE_TEST(frames_without_use_are_limited),
        FIXTURE_TEST(windows_that_are_opened_for_answers_are_welcome),
        FIXTURE_TEST(continuations_are_limited),
        FIXTURE_TEST(headers_that_unpack_to_much_are_refused),
        FIXTURE_TEST(more_streams_than_allowed_are_refused),
        FIXTURE_TEST(a_stream_whose_window_stays_closed_is_reset),
        FIXTURE_TEST(a_client_that_does_not_read_is_sent_away),
        FIXTURE_TEST(a_client_that_does_not_greet_is_sent_away),
        FIXTURE_TEST(a_client_that_gives_no_sign_of_life_is_sent_away),
        FIXTURE_TEST(a_client_that_answers_pings_stays),
        FIXTURE_TEST(a_connection_that_is_old_is_let_go_of),
        FIXTURE_TEST(grace_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
