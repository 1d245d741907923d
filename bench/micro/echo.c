/*
 * An HTTP echo, to be loaded with wrk: `echo bare PORT` is an epoll loop that knows nothing but
 * Content-Length, the ceiling that servers are compared with; `echo net PORT` does it with hc_net.
 * Both answer a POST with its body, on one thread, until they are killed.
 *
 *     wrk -t1 -c64 -d10 -s post.lua http://127.0.0.1:PORT/
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/http_server.h"

enum { MAX_BODY = 64 << 20, MAX_EVENTS = 64, FIRST_SIZE = 16 << 10 };

/* ---- bare: what the sockets alone cost ---- */

struct echo {
    int fd;
    char *data;
    size_t capacity;
    size_t size;
    size_t head_size; /* 0: not yet known */
    size_t whole_size;
    char answer[64];
    size_t answer_size;
    size_t n_sent;
};

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int listen_on(uint16_t port) {
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1024) != 0) {
        die("listen");
    }
    return fd;
}

static void find_head(struct echo *echo) {
    echo->data[echo->size] = '\0';
    char *end = strstr(echo->data, "\r\n\r\n");
    if (end == NULL) {
        return;
    }
    char *length = strcasestr(echo->data, "content-length:");
    size_t body_size = length != NULL && length < end ? strtoul(length + 15, NULL, 10) : 0;
    if (body_size > MAX_BODY) {
        exit(1);
    }
    echo->head_size = (size_t)(end - echo->data) + 4;
    echo->whole_size = echo->head_size + body_size;
    echo->answer_size =
        (size_t)sprintf(echo->answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", body_size);
    if (echo->capacity < echo->whole_size + 1) {
        echo->capacity = echo->whole_size + 1;
        echo->data = hc_realloc(echo->data, echo->capacity);
    }
}

static bool send_answer(struct echo *echo) {
    size_t total = echo->answer_size + echo->whole_size - echo->head_size;
    while (echo->n_sent < total) {
        struct iovec iov[2];
        size_t in_head = echo->n_sent < echo->answer_size ? echo->answer_size - echo->n_sent : 0;
        size_t in_body = echo->n_sent + in_head - echo->answer_size;
        iov[0] = (struct iovec){echo->answer + echo->n_sent, in_head};
        iov[1] = (struct iovec){echo->data + echo->head_size + in_body,
                                total - echo->answer_size - in_body};
        ssize_t n = writev(echo->fd, in_head > 0 ? iov : iov + 1, in_head > 0 ? 2 : 1);
        if (n < 0) {
            return errno == EAGAIN;
        }
        echo->n_sent += (size_t)n;
    }
    echo->size = 0;
    echo->head_size = 0;
    echo->n_sent = 0;
    return true;
}

static bool serve(struct echo *echo, bool readable) {
    if (echo->head_size > 0 && echo->size == echo->whole_size) {
        return send_answer(echo);
    }
    while (readable) {
        size_t room = echo->capacity - 1 - echo->size;
        if (echo->head_size > 0) {
            room = echo->whole_size - echo->size;
        }
        ssize_t n = read(echo->fd, echo->data + echo->size, room);
        if (n <= 0) {
            return n < 0 && errno == EAGAIN;
        }
        echo->size += (size_t)n;
        if (echo->head_size == 0) {
            find_head(echo);
        }
        if (echo->head_size > 0 && echo->size == echo->whole_size) {
            return send_answer(echo);
        }
        readable = (size_t)n == room;
    }
    return true;
}

static void add_echo(int epoll, int listener) {
    int on = 1;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) {
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct echo *echo = hc_new(struct echo);
    echo->fd = fd;
    echo->capacity = FIRST_SIZE;
    echo->data = hc_alloc(echo->capacity);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = echo};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void run_bare(uint16_t port) {
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_on(port);
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct epoll_event events[MAX_EVENTS];
        int n = epoll_wait(epoll, events, MAX_EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct echo *echo = events[i].data.ptr;
            if (echo == NULL) {
                add_echo(epoll, listener);
            } else if (!serve(echo, (events[i].events & EPOLLIN) != 0)) {
                close(echo->fd);
                free(echo->data);
                free(echo);
            }
        }
    }
}

/* ---- net: the same through the server; large bodies go to memory that is used again ---- */

static struct memory {
    struct memory *next;
    size_t size;
    char data[];
} *spare_memory;

static struct memory *take_memory(size_t size) {
    struct memory *memory = spare_memory;
    if (memory == NULL) {
        memory = hc_alloc(sizeof *memory);
    } else {
        spare_memory = memory->next;
    }
    if (memory->size < size) {
        memory = hc_realloc(memory, sizeof *memory + size);
        memory->size = size;
    }
    return memory;
}

static void give_memory(void *context) {
    struct memory *memory = context;
    memory->next = spare_memory;
    spare_memory = memory;
}

static void answer(struct hc_http_exchange *exchange, struct hc_segment body,
                   const struct hc_error *error) {
    hc_http_respond(exchange, error == NULL ? 200 : 400, NULL, 0, &body, 1);
}

static void on_small_body(struct hc_http_exchange *exchange, struct hc_text bytes,
                          const struct hc_error *error) {
    answer(exchange, (struct hc_segment){.data = bytes.data, .size = bytes.size}, error);
}

static void on_large_body(struct hc_http_exchange *exchange, struct hc_text bytes,
                          const struct hc_error *error) {
    (void)bytes;
    struct memory *memory = hc_http_data(exchange);
    size_t size = hc_http_request(exchange)->content_length;
    answer(exchange, (struct hc_segment){memory->data, size, give_memory, memory}, error);
}

static void on_request(void *app, struct hc_http_exchange *exchange) {
    (void)app;
    const struct hc_http_request *request = hc_http_request(exchange);
    if (request->content_length <= FIRST_SIZE || request->content_length > MAX_BODY) {
        hc_http_read_all(exchange, MAX_BODY, on_small_body);
        return;
    }
    struct memory *memory = take_memory(request->content_length);
    struct iovec iov = {memory->data, request->content_length};
    hc_http_set_data(exchange, memory);
    hc_http_read_into(exchange, &iov, 1, on_large_body);
}

static void run_net(uint16_t port) {
    struct hc_error error;
    struct hc_loop *loop;
    struct hc_http_server *server;
    struct hc_http_config config = hc_http_default_config;
    config.address = "127.0.0.1";
    config.port = port;
    config.on_request = on_request;
    if (hc_loop_create(0, &loop, &error) != HC_OK ||
        hc_http_server_create(&config, &loop, 1, &server, &error) != HC_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    hc_loop_run(loop);
}

int main(int argc, char **argv) {
    uint16_t port = argc == 3 ? (uint16_t)atoi(argv[2]) : 0;
    if (argc == 3 && strcmp(argv[1], "bare") == 0) {
        run_bare(port);
    } else if (argc == 3 && strcmp(argv[1], "net") == 0) {
        run_net(port);
    }
    fprintf(stderr, "usage: %s bare|net PORT\n", argv[0]);
    return 2;
}
