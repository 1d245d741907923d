/*
 * A server on loops of their own threads, an application that tests make up, and clients that block
 * (and fail, rather than hang, after some seconds). What the application sees it notes in a journal
 * that tests wait for.
 */
#ifndef HC_TESTS_NET_HTTP_FIXTURE_H
#define HC_TESTS_NET_HTTP_FIXTURE_H

#include <pthread.h>

#include "net/http_server.h"
#include "test.h"

enum { MAX_LOOPS = 4 };

struct fixture {
    struct hc_http_config config; /* a test may change it before it starts the server */
    struct hc_loop *loops[MAX_LOOPS];
    size_t n_loops;
    struct hc_http_server *server;
    bool stop_begun;
    bool stopped;

    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t changed;
    char journal[4096];
    size_t n_made, n_released; /* segments */
    struct hc_http_exchange *held;
};

/* For cmocka; the teardown ends the server, if it runs, and wants every segment released. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

/* What the server calls for each request. */
typedef void (*on_request_fn)(void *app, struct hc_http_exchange *exchange);
void start_server(struct fixture *fixture, size_t n_loops, on_request_fn on_request);

void begin_stop(struct fixture *fixture);
void await_stop(struct fixture *fixture);

void note(struct fixture *fixture, const char *format, ...) __attribute__((format(printf, 2, 3)));
void await(struct fixture *fixture, const char *text); /* until the journal contains it */
void expect_journal(struct fixture *fixture, const char *text);
void clear_journal(struct fixture *fixture);
void await_count(struct fixture *fixture, size_t n); /* of the server's connections */

/* SIZE bytes 'a' … 'z' over and over, whose release is counted and must come once. */
struct hc_segment make_segment(struct fixture *fixture, size_t size);
char pattern_byte(size_t i);
size_t count_released(struct fixture *fixture);

/* Answer 200 with text. */
void respond_text(struct hc_http_exchange *exchange, const char *text);

/* The application leaves the exchange unanswered, for call_on_held(). */
void hold(struct fixture *fixture, struct hc_http_exchange *exchange);

/* Call FUNCTION in the loop's thread of the exchange that is held, and wait until it has returned.
 */
void call_on_held(struct fixture *fixture, void (*function)(struct hc_http_exchange *exchange));

/* Clients. connect_pair() is a socket pair, of which it is known when the server has read. */
int connect_client(struct fixture *fixture);
int connect_pair(struct fixture *fixture);
void await_taken(int fd); /* the server has read everything that was sent over the pair */
void send_text(int fd, const char *text);
void send_bytes(int fd, const void *bytes, size_t size);
void expect_text(int fd, const char *text); /* these bytes come next */
void expect_end(int fd);                    /* nothing more comes */
void expect_reset(int fd);                  /* nor an orderly end */
char *receive_all(int fd, size_t *size);    /* to the end, with a NUL */
void reset_client(int fd);                  /* break the connection, and close the descriptor */

#endif
