/*
 * The HTTP server over a socket pair: the input is a script of what a client sends, in which
 * pieces, whether it reads, hangs up or breaks off, and of what the application does with each
 * exchange. Server and client take turns on one loop. Whatever happens, every exchange is ended
 * once, every segment released once, and the server stops.
 */
#include "net/http_server.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_HELD = 8, MAX_STEPS = 2000, SMALL_BUFFER = 4096 };

static const char *const fragments[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "3\r\nabc\r\n",
    "1000\r\n",
    "0\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n",
    "\r\n",
};
enum { N_FRAGMENTS = sizeof fragments / sizeof fragments[0] };

struct run {
    struct hc_loop *loop;
    struct hc_http_server *server;
    struct hc_task step;
    const uint8_t *data;
    size_t size;
    size_t n_steps;
    int client; /* -1: none */
    bool stopping;
    struct hc_http_exchange *held[MAX_HELD];
    size_t n_held;
    size_t n_open;       /* exchanges that were not ended */
    size_t n_unreleased; /* segments */
    char memory[SMALL_BUFFER];
};

static void require(bool condition) {
    if (!condition) {
        abort();
    }
}

static uint8_t next_byte(struct run *run) {
    if (run->size == 0) {
        return 0;
    }
    run->size--;
    return *run->data++;
}

/* ---- the application ---- */

static void act(struct run *run, struct hc_http_exchange *exchange);

struct piece {
    struct run *run;
    char data[];
};

static void release_piece(void *context) {
    struct piece *piece = context;
    piece->run->n_unreleased--;
    free(piece);
}

static struct hc_segment make_segment(struct run *run, uint8_t choice) {
    size_t size = choice < 128 ? choice : (size_t)choice * 500;
    struct piece *piece = hc_alloc(sizeof *piece + size);
    piece->run = run;
    run->n_unreleased++;
    return (struct hc_segment){piece->data, size, release_piece, piece};
}

static void on_body(struct hc_http_exchange *exchange, struct hc_text bytes,
                    const struct hc_error *error) {
    struct run *run = hc_http_data(exchange);
    size_t sum = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        sum += (unsigned char)bytes.data[i]; /* the bytes are there */
    }
    require(error == NULL || bytes.size == 0);
    require(sum < SIZE_MAX);
    act(run, exchange);
}

static void hold(struct run *run, struct hc_http_exchange *exchange) {
    run->held[run->n_held++] = exchange;
}

/* It is acted upon unless that was done before. */
static void on_writable(struct hc_http_exchange *exchange) {
    struct run *run = hc_http_data(exchange);
    for (size_t i = 0; i < run->n_held; i++) {
        if (run->held[i] == exchange) {
            run->held[i] = run->held[--run->n_held];
            act(run, exchange);
            return;
        }
    }
}

static void on_close(struct hc_http_exchange *exchange, enum hc_http_loss loss) {
    struct run *run = hc_http_data(exchange);
    require(loss == HC_HTTP_GONE || loss == HC_HTTP_HALF_CLOSED);
    require(run->n_open > 0);
}

static void respond(struct run *run, struct hc_http_exchange *exchange) {
    struct hc_segment segments[] = {make_segment(run, next_byte(run)),
                                    make_segment(run, next_byte(run))};
    run->n_open--;
    hc_http_respond(exchange, 200, NULL, 0, segments, 2);
}

/* Some of the body is asked for, or the exchange is kept for later. */
static bool read_some(struct run *run, struct hc_http_exchange *exchange, uint8_t choice) {
    struct iovec iov[2] = {{run->memory, next_byte(run)}, {run->memory + 300, 2000}};
    switch (choice % 5) {
    case 0:
        hc_http_read_all(exchange, 100000, on_body);
        return true;
    case 1:
        hc_http_read(exchange, next_byte(run), on_body);
        return true;
    case 2:
        hc_http_read_into(exchange, iov, 2, on_body);
        return true;
    case 3:
        hc_http_drain(exchange, 1000, on_body);
        return true;
    default:
        return false;
    }
}

static void stream(struct run *run, struct hc_http_exchange *exchange) {
    hc_http_start(exchange, 200, NULL, 0);
    for (uint8_t n = next_byte(run) % 8; n > 0; n--) {
        struct hc_segment segment = make_segment(run, next_byte(run));
        hc_http_send(exchange, &segment, 1);
    }
    run->n_open--;
    hc_http_end(exchange);
}

static void act(struct run *run, struct hc_http_exchange *exchange) {
    uint8_t choice = next_byte(run);
    bool may_wait = run->n_held < MAX_HELD && !run->stopping;
    if (may_wait && choice % 8 == 0) {
        hold(run, exchange);
    } else if (may_wait && choice % 8 < 4 && read_some(run, exchange, choice / 8)) {
        return;
    } else if (may_wait && choice % 8 == 4) {
        hold(run, exchange);
        hc_http_on_writable(exchange, choice, on_writable);
    } else if (choice % 8 == 5) {
        stream(run, exchange);
    } else if (choice % 8 == 6) {
        run->n_open--;
        hc_http_abort(exchange);
    } else {
        respond(run, exchange);
    }
}

static void on_request(void *app, struct hc_http_exchange *exchange) {
    struct run *run = app;
    run->n_open++;
    hc_http_set_data(exchange, run);
    if (next_byte(run) % 2 == 0) {
        hc_http_on_close(exchange, on_close);
    }
    act(run, exchange);
}

static void act_on_held(struct run *run) {
    if (run->n_held > 0) {
        act(run, run->held[--run->n_held]);
    }
}

/* ---- the client ---- */

static void connect_client(struct run *run) {
    int pair[2];
    int small = SMALL_BUFFER;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0) {
        setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        run->client = pair[0];
        hc_http_server_adopt(run->server, pair[1]);
    }
}

static void disconnect_client(struct run *run) {
    if (run->client >= 0) {
        close(run->client);
        run->client = -1;
    }
}

static void send_to_server(struct run *run, const void *bytes, size_t size) {
    if (send(run->client, bytes, size, MSG_NOSIGNAL) < 0) {
        return; /* the server is full, or has hung up */
    }
}

static void send_raw(struct run *run) {
    size_t size = next_byte(run);
    size = size < run->size ? size : run->size;
    send_to_server(run, run->data, size);
    run->data += size;
    run->size -= size;
}

static void send_fragment(struct run *run, bool cut) {
    const char *fragment = fragments[next_byte(run) % N_FRAGMENTS];
    size_t size = strlen(fragment);
    send_to_server(run, fragment, cut ? next_byte(run) % size : size);
}

static void receive(struct run *run) {
    char bytes[3000];
    if (recv(run->client, bytes, sizeof bytes, 0) < 0) {
        return; /* nothing there */
    }
}

static void take_step(struct run *run) {
    char filler[3000] = {0};
    if (run->client < 0) {
        connect_client(run);
        return;
    }
    switch (next_byte(run) % 10) {
    case 0:
    case 1:
        send_fragment(run, false);
        break;
    case 2:
        send_fragment(run, true);
        break;
    case 3:
        send_raw(run);
        break;
    case 4:
        send_to_server(run, filler, sizeof filler);
        break;
    case 5:
    case 6:
        receive(run);
        break;
    case 7:
        act_on_held(run);
        break;
    case 8:
        shutdown(run->client, SHUT_WR);
        break;
    default:
        disconnect_client(run);
    }
}

static void on_stopped(void *data) {
    struct run *run = data;
    hc_loop_stop(run->loop);
}

/* One step a turn; when the script is over, everything is brought to its end. */
static void run_step(struct hc_task *task) {
    struct run *run = hc_list_item(task, struct run, step);
    if (run->size > 0 && run->n_steps++ < MAX_STEPS) {
        take_step(run);
    } else if (!run->stopping) {
        run->stopping = true;
        disconnect_client(run);
        hc_http_server_stop(run->server, on_stopped, run);
        hc_http_server_abort(run->server);
    } else {
        act_on_held(run);
    }
    hc_loop_post(run->loop, task);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct run run;
    run = (struct run){.step.run = run_step, .data = data, .size = size, .client = -1};
    struct hc_http_config config = hc_http_default_config;
    config.address = "127.0.0.1";
    config.on_request = on_request;
    config.app = &run;
    config.drain_limit = 1000;
    require(hc_loop_create(0, &run.loop, NULL) == HC_OK);
    require(hc_http_server_create(&config, &run.loop, 1, &run.server, NULL) == HC_OK);
    hc_loop_post(run.loop, &run.step);
    hc_loop_run(run.loop);
    require(run.n_open == 0 && run.n_unreleased == 0);
    require(hc_loop_load(run.loop) == 0);
    hc_http_server_destroy(run.server);
    hc_loop_destroy(run.loop);
    return 0;
}
