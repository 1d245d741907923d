#include "http2_fixture.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

enum { PATIENCE_S = 30, FRAME_HEADER_SIZE = 9 };

/* ---- The server ---- */

int fixture_set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->config = hc_http2_default_config;
    fixture->config.address = "127.0.0.1";
    fixture->config.app = fixture;
    pthread_mutex_init(&fixture->mutex, NULL);
    pthread_cond_init(&fixture->changed, NULL);
    *state = fixture;
    return 0;
}

static void wait_changed(struct fixture *fixture, const char *for_what) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE_S;
    if (pthread_cond_timedwait(&fixture->changed, &fixture->mutex, &deadline) == ETIMEDOUT) {
        fprintf(stderr, "waited in vain for '%s'; the journal says '%s'\n", for_what,
                fixture->journal);
        abort();
    }
}

static void note(struct fixture *fixture, const char *text) {
    pthread_mutex_lock(&fixture->mutex);
    strncat(fixture->journal, text, sizeof fixture->journal - strlen(fixture->journal) - 1);
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->mutex);
}

void await(struct fixture *fixture, const char *text) {
    pthread_mutex_lock(&fixture->mutex);
    while (strstr(fixture->journal, text) == NULL) {
        wait_changed(fixture, text);
    }
    pthread_mutex_unlock(&fixture->mutex);
}

void await_gone(struct fixture *fixture, size_t n) {
    pthread_mutex_lock(&fixture->mutex);
    while (fixture->n_gone < n) {
        wait_changed(fixture, "streams to go");
    }
    pthread_mutex_unlock(&fixture->mutex);
}

static void on_stopped(void *data) {
    struct fixture *fixture = data;
    pthread_mutex_lock(&fixture->mutex);
    fixture->stopped = true;
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->mutex);
}

void begin_stop(struct fixture *fixture) {
    fixture->stop_begun = true;
    hc_http2_server_stop(fixture->server, on_stopped, fixture);
}

void await_stop(struct fixture *fixture) {
    pthread_mutex_lock(&fixture->mutex);
    while (!fixture->stopped) {
        wait_changed(fixture, "the server to stop");
    }
    pthread_mutex_unlock(&fixture->mutex);
}

int fixture_tear_down(void **state) {
    struct fixture *fixture = *state;
    if (!fixture->stop_begun) {
        begin_stop(fixture);
        hc_http2_server_abort(fixture->server);
    }
    await_stop(fixture);
    hc_loop_stop(fixture->loop);
    hc_loop_join(fixture->loop);
    assert_int_equal(hc_http2_server_count(fixture->server), 0);
    hc_http2_server_destroy(fixture->server);
    hc_loop_destroy(fixture->loop);
    assert_int_equal(fixture->n_made, fixture->n_released);
    free(fixture);
    return 0;
}

/* ---- The application ---- */

/* In the stream's pool. */
struct exchange {
    struct fixture *fixture;
    bool echoes;
};

static void release(void *context) {
    struct fixture *fixture = context;
    pthread_mutex_lock(&fixture->mutex);
    fixture->n_released++;
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->mutex);
}

static void send_segment(struct hc_http2_stream *stream, struct fixture *fixture, const void *data,
                         size_t size) {
    pthread_mutex_lock(&fixture->mutex);
    fixture->n_made++;
    pthread_mutex_unlock(&fixture->mutex);
    hc_http2_send(stream, &(struct hc_segment){data, size, release, fixture}, 1);
}

static void end(struct hc_http2_stream *stream) {
    const struct hc_http_header trailer = {HC_TEXT("done"), HC_TEXT("yes")};
    hc_http2_end(stream, &trailer, 1);
}

static void on_body(struct hc_http2_stream *stream, struct hc_text bytes) {
    struct exchange *exchange = hc_http2_data(stream);
    if (exchange->echoes) {
        hc_http2_send(stream, &(struct hc_segment){.data = bytes.data, .size = bytes.size}, 1);
    }
    note(exchange->fixture, "b");
}

static void on_body_end(struct hc_http2_stream *stream) {
    struct exchange *exchange = hc_http2_data(stream);
    note(exchange->fixture, "e");
    if (exchange->echoes) {
        end(stream);
    }
}

static void on_gone(struct hc_http2_stream *stream) {
    struct exchange *exchange = hc_http2_data(stream);
    struct fixture *fixture = exchange->fixture;
    hc_http2_reset(stream, HC_HTTP2_CANCEL);
    pthread_mutex_lock(&fixture->mutex);
    fixture->n_gone++;
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->mutex);
}

static void on_request(void *app, struct hc_http2_stream *stream) {
    static const struct hc_http2_events events = {on_body, on_body_end, on_gone};
    static char big[BIG_SIZE];
    const struct hc_http_request *request = hc_http2_request(stream);
    const struct hc_http_header header = {HC_TEXT("answered"), HC_TEXT("so")};
    struct fixture *fixture = app;
    struct exchange *exchange = hc_pool_alloc(hc_http2_pool(stream), sizeof *exchange);
    *exchange = (struct exchange){fixture, hc_text_is(request->path, "/echo")};
    hc_http2_accept(stream, &events, exchange);
    note(fixture, "r");
    if (hc_text_is(request->path, "/early")) {
        end(stream);
    } else if (exchange->echoes) {
        hc_http2_start(stream, &header, 1);
    } else if (hc_text_is(request->path, "/big")) {
        hc_http2_start(stream, &header, 1);
        send_segment(stream, fixture, big, sizeof big);
        end(stream);
    } else if (hc_text_is(request->path, "/hold")) {
        hc_http2_hold(stream, true);
    }
}

void start_server(struct fixture *fixture) {
    struct hc_error error;
    fixture->config.on_request = on_request;
    assert_int_equal(hc_loop_create(0, &fixture->loop, &error), HC_OK);
    assert_int_equal(
        hc_http2_server_create(&fixture->config, &fixture->loop, 1, &fixture->server, &error),
        HC_OK);
    assert_int_equal(hc_loop_start(fixture->loop, "loop", &error), HC_OK);
}

/* ---- Clients ---- */

int connect_silently(struct fixture *fixture) {
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    hc_http2_server_adopt(fixture->server, pair[1]);
    return pair[0];
}

int connect_client(struct fixture *fixture, uint32_t window) {
    int fd = connect_silently(fixture);
    const unsigned char setting[] = {0,
                                     NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                                     (unsigned char)(window >> 24),
                                     (unsigned char)(window >> 16),
                                     (unsigned char)(window >> 8),
                                     (unsigned char)window};
    send_bytes(fd, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN);
    send_frame(fd, NGHTTP2_SETTINGS, 0, 0, setting, sizeof setting);
    return fd;
}

void send_bytes(int fd, const void *bytes, size_t size) {
    const char *place = bytes;
    while (size > 0) {
        ssize_t sent = send(fd, place, size, MSG_NOSIGNAL);
        if (sent < 0) {
            assert_true(errno == EPIPE || errno == ECONNRESET);
            return;
        }
        place += sent;
        size -= (size_t)sent;
    }
}

void send_frame(int fd, uint8_t type, uint8_t flags, int32_t stream, const void *payload,
                size_t size) {
    const unsigned char header[FRAME_HEADER_SIZE] = {
        (unsigned char)(size >> 16),
        (unsigned char)(size >> 8),
        (unsigned char)size,
        type,
        flags,
        (unsigned char)(stream >> 24),
        (unsigned char)(stream >> 16),
        (unsigned char)(stream >> 8),
        (unsigned char)stream,
    };
    send_bytes(fd, header, sizeof header);
    if (size > 0) {
        send_bytes(fd, payload, size);
    }
}

/* HPACK: :method POST and :scheme http from the static table, :authority and :path literally. */
void send_request(int fd, int32_t stream, const char *path, bool ends) {
    char block[256] = {(char)0x83, (char)0x86, 0x01, 1, 'h', 0x04};
    size_t size = strlen(path);
    block[6] = (char)size;
    memcpy(block + 7, path, size);
    send_frame(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | (ends ? NGHTTP2_FLAG_END_STREAM : 0),
               stream, block, size + 7);
}

void send_data(int fd, int32_t stream, const char *text, bool ends) {
    send_frame(fd, NGHTTP2_DATA, ends ? NGHTTP2_FLAG_END_STREAM : 0, stream, text, strlen(text));
}

/* False at the end of the connection. */
static bool read_exactly(int fd, unsigned char *place, size_t size) {
    while (size > 0) {
        struct pollfd waiting = {fd, POLLIN, 0};
        assert_int_equal(poll(&waiting, 1, PATIENCE_S * 1000), 1);
        ssize_t got = recv(fd, place, size, 0);
        if (got <= 0) {
            return false;
        }
        place += got;
        size -= (size_t)got;
    }
    return true;
}

bool read_frame(int fd, struct frame *frame) {
    unsigned char header[FRAME_HEADER_SIZE];
    if (!read_exactly(fd, header, sizeof header)) {
        return false;
    }
    frame->size = (size_t)header[0] << 16 | (size_t)header[1] << 8 | header[2];
    frame->type = header[3];
    frame->flags = header[4];
    frame->stream = header[5] << 24 | header[6] << 16 | header[7] << 8 | header[8];
    assert_true(frame->size <= sizeof frame->payload);
    return read_exactly(fd, frame->payload, frame->size);
}

static void acknowledge(int fd, const struct frame *frame) {
    if (frame->type == NGHTTP2_SETTINGS && (frame->flags & NGHTTP2_FLAG_ACK) == 0) {
        send_frame(fd, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, NULL, 0);
    }
}

void await_frame(int fd, uint8_t type, struct frame *frame) {
    do {
        assert_true(read_frame(fd, frame));
        acknowledge(fd, frame);
    } while (frame->type != type ||
             (type == NGHTTP2_SETTINGS && (frame->flags & NGHTTP2_FLAG_ACK) != 0));
}

long await_close(int fd) {
    struct frame *frame = malloc(sizeof *frame);
    long code = -1;
    while (read_frame(fd, frame)) {
        if (frame->type == NGHTTP2_GOAWAY) {
            code = frame->payload[7];
        }
    }
    free(frame);
    close(fd);
    return code;
}

size_t await_answer(int fd, int32_t stream) {
    struct frame *frame = malloc(sizeof *frame);
    size_t size = 0;
    do {
        assert_true(read_frame(fd, frame));
        acknowledge(fd, frame);
        if (frame->stream == stream && frame->type == NGHTTP2_DATA) {
            size += frame->size;
        }
    } while (frame->stream != stream || (frame->flags & NGHTTP2_FLAG_END_STREAM) == 0 ||
             (frame->type != NGHTTP2_DATA && frame->type != NGHTTP2_HEADERS));
    free(frame);
    return size;
}
