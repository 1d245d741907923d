/*
 * A small request costs no allocation once the server is warm. The linker has this program's calls
 * of the allocator pass through the counters below (--wrap).
 */
#include <stdatomic.h>
#include <unistd.h>

#include "http_fixture.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);

#define REQUEST "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello"

static atomic_size_t n_calls;

void *__wrap_malloc(size_t size) {
    n_calls++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
    n_calls++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size) {
    n_calls++;
    return __real_realloc(memory, size);
}

static void on_body(struct hc_http_exchange *exchange, struct hc_text bytes,
                    const struct hc_error *error) {
    static const struct hc_http_header header = {HC_TEXT("Content-Type"),
                                                 HC_TEXT("application/json")};
    char *copy = hc_pool_copy(hc_http_pool(exchange), bytes);
    struct hc_segment segment = {.data = copy, .size = bytes.size};
    hc_http_respond(exchange, error == NULL ? 200 : 400, &header, 1, &segment, 1);
}

static void echo(void *app, struct hc_http_exchange *exchange) {
    (void)app;
    hc_http_read_all(exchange, 1000, on_body);
}

enum { N_PIPELINED = 2000 };

/* Without allocating anything here either. */
static void receive_answers(int fd, size_t n) {
    static char answers[N_PIPELINED * (sizeof ANSWER - 1)];
    for (size_t n_left = n * (sizeof ANSWER - 1); n_left > 0;) {
        ssize_t n_got = read(fd, answers, n_left);
        assert_true(n_got > 0);
        n_left -= (size_t)n_got;
    }
}

static void exchange_once(int fd) {
    send_text(fd, REQUEST);
    receive_answers(fd, 1);
}

static void a_small_request_costs_no_allocation(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, echo);
    int fds[] = {connect_client(fixture), connect_client(fixture)};
    for (size_t i = 0; i < N_ITEMS(fds); i++) {
        exchange_once(fds[i]);
    }
    size_t n_before = n_calls;
    for (size_t i = 0; i < 1000; i++) {
        exchange_once(fds[i % N_ITEMS(fds)]);
    }
    assert_int_equal(n_calls, n_before);
    close(fds[0]);
    close(fds[1]);
}

/* Many requests at once, so that the buffer's end cuts some of them in two. */
static void exchange_many(int fd) {
    static char requests[N_PIPELINED * (sizeof REQUEST - 1)];
    for (size_t i = 0; i < N_PIPELINED; i++) {
        memcpy(requests + i * (sizeof REQUEST - 1), REQUEST, sizeof REQUEST - 1);
    }
    send_bytes(fd, requests, sizeof requests);
    receive_answers(fd, N_PIPELINED);
}

static void pipelining_costs_no_allocation_either(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, echo);
    int fd = connect_client(fixture);
    exchange_many(fd);
    size_t n_before = n_calls;
    exchange_many(fd);
    assert_int_equal(n_calls, n_before);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_small_request_costs_no_allocation),
        FIXTURE_TEST(pipelining_costs_no_allocation_either),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
