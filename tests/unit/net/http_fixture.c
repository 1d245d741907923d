#include "http_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

enum { PATIENCE_S = 30 };

int fixture_set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->config = hc_http_default_config;
    fixture->config.address = "127.0.0.1";
    fixture->config.app = fixture;
    pthread_mutex_init(&fixture->mutex, NULL);
    pthread_cond_init(&fixture->changed, NULL);
    *state = fixture;
    return 0;
}

static void on_stopped(void *data) {
    struct fixture *fixture = data;
    pthread_mutex_lock(&fixture->mutex);
    fixture->stopped = true;
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->mutex);
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

void start_server(struct fixture *fixture, size_t n_loops, on_request_fn on_request) {
    struct hc_error error;
    fixture->n_loops = n_loops;
    fixture->config.on_request = on_request;
    for (size_t i = 0; i < n_loops; i++) {
        assert_int_equal(hc_loop_create((unsigned)i, &fixture->loops[i], &error), HC_OK);
    }
    assert_int_equal(
        hc_http_server_create(&fixture->config, fixture->loops, n_loops, &fixture->server, &error),
        HC_OK);
    for (size_t i = 0; i < n_loops; i++) {
        assert_int_equal(hc_loop_start(fixture->loops[i], "loop", &error), HC_OK);
    }
}

void begin_stop(struct fixture *fixture) {
    fixture->stop_begun = true;
    hc_http_server_stop(fixture->server, on_stopped, fixture);
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
    if (fixture->server != NULL && !fixture->stop_begun) {
        begin_stop(fixture);
        hc_http_server_abort(fixture->server);
    }
    if (fixture->server != NULL) {
        await_stop(fixture);
    }
    for (size_t i = 0; i < fixture->n_loops; i++) {
        hc_loop_stop(fixture->loops[i]);
        hc_loop_join(fixture->loops[i]);
    }
    hc_http_server_destroy(fixture->server);
    for (size_t i = 0; i < fixture->n_loops; i++) {
        assert_int_equal(hc_loop_load(fixture->loops[i]), 0);
        hc_loop_destroy(fixture->loops[i]);
    }
    assert_int_equal(fixture->n_made, fixture->n_released);
    free(fixture);
    return 0;
}

void note(struct fixture *fixture, const char *format, ...) {
    pthread_mutex_lock(&fixture->mutex);
    size_t size = strlen(fixture->journal);
    va_list args;
    va_start(args, format);
    vsnprintf(fixture->journal + size, sizeof fixture->journal - size, format, args);
    va_end(args);
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

void expect_journal(struct fixture *fixture, const char *text) {
    pthread_mutex_lock(&fixture->mutex);
    assert_string_equal(fixture->journal, text);
    pthread_mutex_unlock(&fixture->mutex);
}

void clear_journal(struct fixture *fixture) {
    pthread_mutex_lock(&fixture->mutex);
    fixture->journal[0] = '\0';
    pthread_mutex_unlock(&fixture->mutex);
}

void await_count(struct fixture *fixture, size_t n) {
    uint64_t deadline_ns = hc_clock_ns() + PATIENCE_S * HC_NS_PER_S;
    while (hc_http_server_count(fixture->server) != n) {
        if (hc_clock_ns() > deadline_ns) {
            fail_msg("%zu connections, not %zu; the journal says '%s'",
                     hc_http_server_count(fixture->server), n, fixture->journal);
        }
        sched_yield();
    }
}

char pattern_byte(size_t i) {
    return (char)('a' + i % 26);
}

struct made_segment {
    struct fixture *fixture;
    char data[];
};

static void release_segment(void *context) {
    struct made_segment *made = context;
    struct fixture *fixture = made->fixture;
    free(made); /* a second release is caught by the sanitizer or the heap */
    pthread_mutex_lock(&fixture->mutex);
    fixture->n_released++;
    pthread_mutex_unlock(&fixture->mutex);
}

size_t count_released(struct fixture *fixture) {
    pthread_mutex_lock(&fixture->mutex);
    size_t n = fixture->n_released;
    pthread_mutex_unlock(&fixture->mutex);
    return n;
}

struct hc_segment make_segment(struct fixture *fixture, size_t size) {
    struct made_segment *made = malloc(sizeof *made + size);
    made->fixture = fixture;
    for (size_t i = 0; i < size; i++) {
        made->data[i] = pattern_byte(i);
    }
    pthread_mutex_lock(&fixture->mutex);
    fixture->n_made++;
    pthread_mutex_unlock(&fixture->mutex);
    return (struct hc_segment){made->data, size, release_segment, made};
}

void respond_text(struct hc_http_exchange *exchange, const char *text) {
    struct hc_segment segment = {.data = text, .size = strlen(text)};
    hc_http_respond(exchange, 200, NULL, 0, &segment, 1);
}

void hold(struct fixture *fixture, struct hc_http_exchange *exchange) {
    pthread_mutex_lock(&fixture->mutex);
    assert_null(fixture->held);
    fixture->held = exchange;
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->mutex);
}

struct held_call {
    struct hc_task task;
    struct fixture *fixture;
    struct hc_http_exchange *exchange;
    void (*function)(struct hc_http_exchange *exchange);
    bool done;
};

static void run_held_call(struct hc_task *task) {
    struct held_call *call = hc_list_item(task, struct held_call, task);
    struct fixture *fixture = call->fixture;
    call->function(call->exchange);
    pthread_mutex_lock(&fixture->mutex);
    call->done = true;
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->mutex);
}

void call_on_held(struct fixture *fixture, void (*function)(struct hc_http_exchange *exchange)) {
    struct held_call call = {.task.run = run_held_call, .fixture = fixture, .function = function};
    pthread_mutex_lock(&fixture->mutex);
    while (fixture->held == NULL) {
        wait_changed(fixture, "an exchange to be held");
    }
    call.exchange = fixture->held;
    fixture->held = NULL;
    hc_loop_post(hc_http_loop(call.exchange), &call.task);
    while (!call.done) {
        wait_changed(fixture, "the call on the held exchange");
    }
    pthread_mutex_unlock(&fixture->mutex);
}

static void set_patience(int fd) {
    struct timeval patience = {.tv_sec = PATIENCE_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

int connect_client(struct fixture *fixture) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(hc_http_server_port(fixture->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    set_patience(fd);
    return fd;
}

int connect_pair(struct fixture *fixture) {
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    hc_http_server_adopt(fixture->server, pair[1]);
    set_patience(pair[0]);
    return pair[0];
}

void await_taken(int fd) {
    uint64_t deadline_ns = hc_clock_ns() + PATIENCE_S * HC_NS_PER_S;
    int unread;
    while (ioctl(fd, SIOCOUTQ, &unread) == 0 && unread > 0) {
        assert_true(hc_clock_ns() < deadline_ns);
        sched_yield();
    }
}

void send_bytes(int fd, const void *bytes, size_t size) {
    const char *place = bytes;
    while (size > 0) {
        ssize_t n = send(fd, place, size, MSG_NOSIGNAL);
        assert_true(n > 0);
        place += n;
        size -= (size_t)n;
    }
}

void send_text(int fd, const char *text) {
    send_bytes(fd, text, strlen(text));
}

void expect_text(int fd, const char *text) {
    size_t size = strlen(text);
    char *got = calloc(1, size + 1);
    size_t n_got = 0;
    while (n_got < size) {
        ssize_t n = recv(fd, got + n_got, size - n_got, 0);
        if (n <= 0) {
            break;
        }
        n_got += (size_t)n;
    }
    assert_string_equal(got, text);
    free(got);
}

void expect_end(int fd) {
    char byte;
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

void expect_reset(int fd) {
    char byte;
    assert_int_equal(recv(fd, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(fd);
}

char *receive_all(int fd, size_t *size) {
    size_t capacity = 1 << 16;
    char *data = hc_alloc(capacity);
    ssize_t n;
    *size = 0;
    while ((n = recv(fd, data + *size, capacity - 1 - *size, 0)) > 0) {
        *size += (size_t)n;
        if (*size == capacity - 1) {
            capacity *= 2;
            data = hc_realloc(data, capacity);
        }
    }
    assert_int_equal(n, 0);
    data[*size] = '\0';
    close(fd);
    return data;
}

void reset_client(int fd) {
    struct linger at_once = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}
