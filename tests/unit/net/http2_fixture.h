/*
 * An HTTP/2 server on a loop of its own thread, an application that does what paths say, and
 * clients that write frames by hand and block (and fail, rather than hang, after some seconds).
 */
#ifndef HC_TESTS_NET_HTTP2_FIXTURE_H
#define HC_TESTS_NET_HTTP2_FIXTURE_H

#include <nghttp2/nghttp2.h>
#include <pthread.h>

#include "net/http2_server.h"
#include "test.h"

/*
 * What the application does:
 *   /echo    answers with the request's body
 *   /early   ends the answer before the body has ended
 *   /big     answers with BIG_SIZE bytes in one segment
 *   /hold    holds the stream
 *   /wait    does nothing until the client has gone
 */
enum { BIG_SIZE = 64 << 20 };

struct fixture {
    struct hc_http2_config config; /* a test may change it before it starts the server */
    struct hc_loop *loop;
    struct hc_http2_server *server;
    bool stop_begun;

    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t changed;
    bool stopped;
    char journal[4096];
    size_t n_made, n_released; /* segments */
    size_t n_gone;             /* streams whose clients have */
};

/* For cmocka; the teardown ends the server and wants every segment released. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

void start_server(struct fixture *fixture);
void begin_stop(struct fixture *fixture);
void await_stop(struct fixture *fixture);
void await(struct fixture *fixture, const char *text); /* until the journal contains it */
void await_gone(struct fixture *fixture, size_t n);

/* ---- Clients ---- */

struct frame {
    uint8_t type;
    uint8_t flags;
    int32_t stream;
    size_t size;
    unsigned char payload[1 << 18];
};

/* A connection whose preface and settings, with that window for each stream, are sent. */
int connect_client(struct fixture *fixture, uint32_t window);
int connect_silently(struct fixture *fixture);

void send_bytes(int fd, const void *bytes, size_t size); /* or as many as the server takes */
void send_frame(int fd, uint8_t type, uint8_t flags, int32_t stream, const void *payload,
                size_t size);
void send_request(int fd, int32_t stream, const char *path, bool ends);
void send_data(int fd, int32_t stream, const char *text, bool ends);

/* The next frame; false when the server has closed the connection. */
bool read_frame(int fd, struct frame *frame);

/* The next frame of that type; others are skipped, pings and settings acknowledged. Fails when the
 * connection is closed first. */
void await_frame(int fd, uint8_t type, struct frame *frame);

/* Read until the server closes; the code of its GOAWAY, or -1 without one. */
long await_close(int fd);

/* Read the answer on a stream to its end; how many bytes its body has. */
size_t await_answer(int fd, int32_t stream);

#endif
