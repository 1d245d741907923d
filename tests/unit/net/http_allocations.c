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

static void exchange_once(int fd) {
    send_text(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    char answer[256];
    assert_true(read(fd, answer, sizeof answer) > 0);
}

static void a_small_request_costs_no_allocation(void **state) {
    struct fixture *fixture = *state;
    start_server(fixture, 1, echo);
    int fds[] = {connect_client(fixture), connect_client(fixture)};
    for (size_t i = 0; i < N_ITEMS(fds); i++) {
        exchange_once(fds[i]);
    }
    size_t n_before = n_calls;
    for (size_t i = 0; i < 100; i++) {
        exchange_once(fds[i % N_ITEMS(fds)]);
    }
    assert_int_equal(n_calls, n_before);
    close(fds[0]);
    close(fds[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {FIXTURE_TEST(a_small_request_costs_no_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
