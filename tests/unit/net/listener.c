#include "net/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "test.h"

enum { N_LOOPS = 3, MAX_FDS = 64 };

struct fixture {
    struct hc_loop *loops[N_LOOPS];
    struct hc_listener *listener;
    struct hc_task stop;
    bool running;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int n_accepted;
    int n_on_loop[N_LOOPS];
    int fds[MAX_FDS];
};

static void on_accept(void *data, struct hc_loop *loop, int fd, const struct hc_address *peer) {
    struct fixture *fixture = data;
    assert_ptr_equal(hc_loop_current(), loop);
    assert_true(hc_address_port(peer) > 0);
    pthread_mutex_lock(&fixture->mutex);
    fixture->n_on_loop[hc_loop_index(loop)]++;
    fixture->fds[fixture->n_accepted++] = fd;
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->mutex);
}

static void await_accepted(struct fixture *fixture, int n) {
    pthread_mutex_lock(&fixture->mutex);
    while (fixture->n_accepted < n) {
        pthread_cond_wait(&fixture->changed, &fixture->mutex);
    }
    pthread_mutex_unlock(&fixture->mutex);
}

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    pthread_mutex_init(&fixture->mutex, NULL);
    pthread_cond_init(&fixture->changed, NULL);
    for (unsigned i = 0; i < N_LOOPS; i++) {
        assert_int_equal(hc_loop_create(i, &fixture->loops[i], NULL), HC_OK);
    }
    *state = fixture;
    return 0;
}

static struct hc_listener_config config_for(struct fixture *fixture, const char *address) {
    return (struct hc_listener_config){.address = address,
                                       .loops = fixture->loops,
                                       .n_loops = N_LOOPS,
                                       .on_accept = on_accept,
                                       .data = fixture};
}

static void run_loops(struct fixture *fixture) {
    fixture->running = true;
    for (size_t i = 0; i < N_LOOPS; i++) {
        assert_int_equal(hc_loop_start(fixture->loops[i], "listening", NULL), HC_OK);
    }
}

static void run_stop(struct hc_task *task) {
    struct fixture *fixture = hc_list_item(task, struct fixture, stop);
    hc_listener_destroy(fixture->listener);
    pthread_mutex_lock(&fixture->mutex);
    fixture->listener = NULL;
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->mutex);
}

/* End the listener where it may be ended: in its loop's thread. */
static void end_listener(struct fixture *fixture) {
    fixture->stop.run = run_stop;
    hc_loop_post(fixture->loops[0], &fixture->stop);
    pthread_mutex_lock(&fixture->mutex);
    while (fixture->listener != NULL) {
        pthread_cond_wait(&fixture->changed, &fixture->mutex);
    }
    pthread_mutex_unlock(&fixture->mutex);
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    if (fixture->running && fixture->listener != NULL) {
        end_listener(fixture);
    }
    hc_listener_destroy(fixture->listener);
    for (size_t i = 0; i < N_LOOPS; i++) {
        hc_loop_stop(fixture->loops[i]);
        hc_loop_join(fixture->loops[i]); /* if they run */
    }
    for (size_t i = 0; i < N_LOOPS; i++) {
        hc_loop_destroy(fixture->loops[i]);
    }
    for (int i = 0; i < fixture->n_accepted; i++) {
        close(fixture->fds[i]);
    }
    free(fixture);
    return 0;
}

static int try_connect(int family, uint16_t port) {
    struct hc_address address = {.any.sa_family = (sa_family_t)family};
    if (family == AF_INET) {
        address.ipv4.sin_port = htons(port);
        address.ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
        address.ipv6.sin6_port = htons(port);
        address.ipv6.sin6_addr = in6addr_loopback;
    }
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = family == AF_INET ? sizeof address.ipv4 : sizeof address.ipv6;
    if (connect(fd, &address.any, size) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void connections_go_to_the_least_loaded_loop(void **state) {
    struct fixture *fixture = *state;
    struct hc_listener_config config = config_for(fixture, "127.0.0.1");
    int fds[9];
    assert_int_equal(hc_listener_create(&config, &fixture->listener, NULL), HC_OK);
    hc_loop_add_load(fixture->loops[1], 100);
    run_loops(fixture);
    for (int i = 0; i < 8; i++) {
        fds[i] = try_connect(AF_INET, hc_listener_port(fixture->listener));
        await_accepted(fixture, i + 1);
    }
    assert_int_equal(fixture->n_on_loop[0], 4);
    assert_int_equal(fixture->n_on_loop[1], 0);
    assert_int_equal(fixture->n_on_loop[2], 4);
    hc_loop_add_load(fixture->loops[1], -100);
    fds[8] = try_connect(AF_INET, hc_listener_port(fixture->listener));
    await_accepted(fixture, 9);
    assert_int_equal(fixture->n_on_loop[1], 1);
    for (int i = 0; i < 9; i++) {
        close(fds[i]);
    }
}

static void accepted_sockets_are_ready_for_loops(void **state) {
    struct fixture *fixture = *state;
    struct hc_listener_config config = config_for(fixture, "127.0.0.1");
    assert_int_equal(hc_listener_create(&config, &fixture->listener, NULL), HC_OK);
    run_loops(fixture);
    int fd = try_connect(AF_INET, hc_listener_port(fixture->listener));
    await_accepted(fixture, 1);
    int no_delay = 0;
    socklen_t size = sizeof no_delay;
    getsockopt(fixture->fds[0], IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
    assert_int_equal(no_delay, 1);
    assert_true(fcntl(fixture->fds[0], F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fixture->fds[0], F_GETFD) & FD_CLOEXEC);
    close(fd);
}

static void both_families_and_names_are_understood(void **state) {
    static const struct {
        const char *address;
        int families[2];
    } rows[] = {{"0.0.0.0", {AF_INET}},
                {"::1", {AF_INET6}},
                {"::", {AF_INET, AF_INET6}},
                {"localhost", {0}}};
    struct fixture *fixture = *state;
    int n_connected = 0;
    run_loops(fixture);
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        struct hc_listener_config config = config_for(fixture, rows[i].address);
        struct hc_error error;
        if (hc_listener_create(&config, &fixture->listener, &error) != HC_OK) {
            assert_int_equal(rows[i].families[0], AF_INET6); /* a machine without IPv6 */
            continue;
        }
        for (size_t j = 0; j < 2 && rows[i].families[j] != 0; j++) {
            close(try_connect(rows[i].families[j], hc_listener_port(fixture->listener)));
            await_accepted(fixture, ++n_connected);
        }
        end_listener(fixture);
    }
}

static void what_cannot_be_had_is_an_error(void **state) {
    struct fixture *fixture = *state;
    struct hc_listener_config config = config_for(fixture, "127.0.0.1");
    struct hc_error error;
    char expected[64];
    assert_int_equal(hc_listener_create(&config, &fixture->listener, NULL), HC_OK);
    struct hc_listener *second = NULL;
    config.port = hc_listener_port(fixture->listener);
    assert_int_equal(hc_listener_create(&config, &second, &error), HC_UNAVAILABLE);
    snprintf(expected, sizeof expected, "Socket '127.0.0.1:%u' already in use ", config.port);
    assert_string_equal(error.message, expected);
    config.address = "192.0.2.1"; /* never ours: RFC 5737 */
    assert_int_equal(hc_listener_create(&config, &second, &error), HC_UNAVAILABLE);
    assert_non_null(strstr(error.message, "Cannot assign requested address"));
    config.address = "300.1.1.1";
    assert_int_equal(hc_listener_create(&config, &second, &error), HC_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "invalid address '300.1.1.1'"));
    assert_null(second);
    run_loops(fixture);
}

static void a_port_is_shared_when_both_want_it(void **state) {
    struct fixture *fixture = *state;
    struct hc_listener_config config = config_for(fixture, "127.0.0.1");
    struct hc_listener *second;
    config.reuse_port = true;
    assert_int_equal(hc_listener_create(&config, &fixture->listener, NULL), HC_OK);
    config.port = hc_listener_port(fixture->listener);
    assert_int_equal(hc_listener_create(&config, &second, NULL), HC_OK);
    hc_listener_destroy(second);
}

/* The number of lines in the log, which may still grow. */
static int count_lines(int log) {
    char text[4096];
    ssize_t size = pread(log, text, sizeof text, 0);
    int n = 0;
    for (ssize_t i = 0; i < size; i++) {
        n += text[i] == '\n';
    }
    return n;
}

static void running_out_of_descriptors_is_survived(void **state) {
    struct fixture *fixture = *state;
    struct hc_listener_config config = config_for(fixture, "127.0.0.1");
    struct rlimit before;
    char path[] = "/tmp/listener-XXXXXX";
    int log = mkstemp(path);
    assert_int_equal(hc_log_open(path, NULL), HC_OK);
    unlink(path);
    assert_int_equal(hc_listener_create(&config, &fixture->listener, NULL), HC_OK);
    int first = try_connect(AF_INET, hc_listener_port(fixture->listener));
    int second = try_connect(AF_INET, hc_listener_port(fixture->listener));
    getrlimit(RLIMIT_NOFILE, &before);
    int next = dup(first); /* the number that the next descriptor would have */
    close(next);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)next, before.rlim_max});
    run_loops(fixture); /* there is a descriptor for nobody */
    while (count_lines(log) == 0) {
        sched_yield();
    }
    assert_int_equal(fixture->n_accepted, 0);
    setrlimit(RLIMIT_NOFILE, &before);
    await_accepted(fixture, 2);
    assert_int_equal(count_lines(log), 1);
    close(first);
    close(second);
    close(log);
}

static void addresses_are_written_as_usual(void **state) {
    (void)state;
    char text[HC_ADDRESS_TEXT_SIZE];
    struct hc_address address = {.any.sa_family = AF_UNIX};
    hc_address_format(&address, text);
    assert_string_equal(text, "unknown");
    assert_int_equal(hc_address_port(&address), 0);
    address = (struct hc_address){.ipv4 = {.sin_family = AF_INET, .sin_port = htons(80)}};
    hc_address_format(&address, text);
    assert_string_equal(text, "0.0.0.0:80");
    address = (struct hc_address){.ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(8000)}};
    address.ipv6.sin6_addr = in6addr_loopback;
    hc_address_format(&address, text);
    assert_string_equal(text, "[::1]:8000");
}

#define LISTENER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        LISTENER_TEST(connections_go_to_the_least_loaded_loop),
        LISTENER_TEST(accepted_sockets_are_ready_for_loops),
        LISTENER_TEST(both_families_and_names_are_understood),
        LISTENER_TEST(what_cannot_be_had_is_an_error),
        LISTENER_TEST(a_port_is_shared_when_both_want_it),
        LISTENER_TEST(running_out_of_descriptors_is_survived),
        cmocka_unit_test(addresses_are_written_as_usual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
