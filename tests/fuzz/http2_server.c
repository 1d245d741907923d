/*
 * The HTTP/2 server over a socket pair: the input is a script of the frames that a client sends,
 * right and wrong, whether it reads or hangs up, and of what the application does with each stream.
 * Server and client take turns on one loop. Whatever happens, every stream is ended once, every
 * segment released once, and the server stops.
 */
#include "net/http2_server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_OPEN = 16, MAX_STEPS = 2000, SMALL_BUFFER = 4096, HEAD_SIZE = 9 };
enum { FRAME_DATA, FRAME_HEADERS, FRAME_RST_STREAM = 3, FRAME_SETTINGS, FRAME_WINDOW_UPDATE = 8 };
enum { END_STREAM = 1, END_HEADERS = 4 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
static const unsigned char request[] = {0x83, 0x86, 0x84, 0x01, 1, 'a'}; /* POST http://a/ */

struct open_stream {
    struct hc_http2_stream *stream;
    bool started;
};

struct run {
    struct hc_loop *loop;
    struct hc_http2_server *server;
    struct hc_task step;
    const uint8_t *data;
    size_t size;
    size_t n_steps;
    int client; /* -1: none */
    uint8_t next_stream;
    bool stopping;
    struct open_stream open[MAX_OPEN];
    size_t n_open;
    size_t n_unreleased; /* segments */
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

struct piece {
    struct run *run;
    char data[];
};

static void release_piece(void *context) {
    struct piece *piece = context;
    piece->run->n_unreleased--;
    free(piece);
}

static struct hc_segment make_segment(struct run *run) {
    uint8_t choice = next_byte(run);
    size_t size = choice < 128 ? choice : (size_t)choice * 500;
    struct piece *piece = hc_alloc(sizeof *piece + size);
    piece->run = run;
    memset(piece->data, 'x', size);
    run->n_unreleased++;
    return (struct hc_segment){piece->data, size, release_piece, piece};
}

static struct open_stream *find(struct run *run, const struct hc_http2_stream *stream) {
    for (size_t i = 0; i < run->n_open; i++) {
        if (run->open[i].stream == stream) {
            return &run->open[i];
        }
    }
    abort();
}

/* It is ended after this. */
static struct hc_http2_stream *take(struct run *run, struct open_stream *open) {
    struct hc_http2_stream *stream = open->stream;
    *open = run->open[--run->n_open];
    return stream;
}

static void end(struct run *run, struct open_stream *open) {
    static const struct hc_http_header trailer = {{"grpc-status", 11}, {"0", 1}};
    hc_http2_end(take(run, open), &trailer, 1);
}

static void send_some(struct run *run, struct open_stream *open) {
    static const struct hc_http_header header = {{"a", 1}, {"b", 1}};
    if (!open->started) {
        open->started = true;
        hc_http2_start(open->stream, &header, 1);
    }
    struct hc_segment segments[] = {make_segment(run), make_segment(run)};
    hc_http2_send(open->stream, segments, 2);
}

static void on_writable(struct hc_http2_stream *stream) {
    struct run *run = hc_http2_data(stream);
    send_some(run, find(run, stream));
}

static void act(struct run *run, struct open_stream *open) {
    uint8_t choice = next_byte(run);
    switch (choice % 8) {
    case 0:
    case 1:
        send_some(run, open);
        break;
    case 2:
        hc_http2_hold(open->stream, choice < 128);
        break;
    case 3:
        hc_http2_on_writable(open->stream, choice, on_writable);
        break;
    case 4:
        hc_http2_reset(take(run, open), HC_HTTP2_CANCEL);
        break;
    case 5:
        send_some(run, open);
        end(run, open);
        break;
    case 6:
        end(run, open);
        break;
    default:
        break; /* wait for more */
    }
}

static void on_body(struct hc_http2_stream *stream, struct hc_text bytes) {
    struct run *run = hc_http2_data(stream);
    size_t sum = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        sum += (unsigned char)bytes.data[i]; /* the bytes are there */
    }
    require(sum < SIZE_MAX);
    act(run, find(run, stream));
}

static void on_body_end(struct hc_http2_stream *stream) {
    struct run *run = hc_http2_data(stream);
    act(run, find(run, stream));
}

static void on_gone(struct hc_http2_stream *stream) {
    struct run *run = hc_http2_data(stream);
    hc_http2_reset(take(run, find(run, stream)), HC_HTTP2_CANCEL);
}

static void on_request(void *app, struct hc_http2_stream *stream) {
    static const struct hc_http2_events events = {on_body, on_body_end, on_gone};
    struct run *run = app;
    if (run->n_open == MAX_OPEN) {
        hc_http2_reset(stream, HC_HTTP2_REFUSED_STREAM);
        return;
    }
    hc_http2_accept(stream, &events, run);
    run->open[run->n_open++] = (struct open_stream){.stream = stream};
    act(run, &run->open[run->n_open - 1]);
}

static void act_on_one(struct run *run) {
    if (run->n_open > 0) {
        act(run, &run->open[next_byte(run) % run->n_open]);
    }
}

/* ---- the client ---- */

static void send_to_server(struct run *run, const void *bytes, size_t size) {
    if (send(run->client, bytes, size, MSG_NOSIGNAL) < 0) {
        return; /* the server is full, or has hung up */
    }
}

static void send_frame(struct run *run, uint8_t type, uint8_t flags, uint8_t stream,
                       const void *payload, size_t size) {
    unsigned char frame[SMALL_BUFFER] = {
        0, (unsigned char)(size >> 8), (unsigned char)size, type, flags, 0, 0, 0, stream};
    memcpy(frame + HEAD_SIZE, payload, size);
    send_to_server(run, frame, HEAD_SIZE + size);
}

static void connect_client(struct run *run) {
    int pair[2];
    int small = SMALL_BUFFER;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        return;
    }
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    run->client = pair[0];
    run->next_stream = 1;
    hc_http2_server_adopt(run->server, pair[1]);
    uint8_t window = next_byte(run);
    const unsigned char settings[] = {0, 4, 0, 0, window, window};
    send_to_server(run, preface, sizeof preface - 1);
    send_frame(run, FRAME_SETTINGS, 0, 0, settings, sizeof settings);
}

static void disconnect_client(struct run *run) {
    if (run->client >= 0) {
        close(run->client);
        run->client = -1;
    }
}

static void send_raw(struct run *run) {
    size_t size = next_byte(run);
    size = size < run->size ? size : run->size;
    send_to_server(run, run->data, size);
    run->data += size;
    run->size -= size;
}

/* Any frame, with what follows in the script as its payload. */
static void send_any_frame(struct run *run) {
    uint8_t type = next_byte(run) % 12;
    uint8_t flags = next_byte(run);
    uint8_t stream = next_byte(run);
    size_t size = next_byte(run) % 64;
    size = size < run->size ? size : run->size;
    send_frame(run, type, flags, stream, run->data, size);
    run->data += size;
    run->size -= size;
}

static void open_stream(struct run *run, uint8_t flags) {
    send_frame(run, FRAME_HEADERS, END_HEADERS | flags, run->next_stream, request, sizeof request);
    run->next_stream += 2;
}

static void receive(struct run *run) {
    char bytes[3000];
    if (recv(run->client, bytes, sizeof bytes, 0) < 0) {
        return; /* nothing there */
    }
}

static void take_step(struct run *run) {
    static const char filler[3000];
    static const unsigned char number[] = {0, 0, 8, 0};
    if (run->client < 0) {
        connect_client(run);
        return;
    }
    switch (next_byte(run) % 14) {
    case 0:
    case 1:
        open_stream(run, 0);
        break;
    case 2:
        open_stream(run, END_STREAM);
        break;
    case 3:
        send_frame(run, FRAME_DATA, 0, next_byte(run), filler, next_byte(run) * 10);
        break;
    case 4:
        send_frame(run, FRAME_DATA, END_STREAM, next_byte(run), filler, next_byte(run));
        break;
    case 5:
        send_frame(run, FRAME_RST_STREAM, 0, next_byte(run), number, sizeof number);
        break;
    case 6:
        send_frame(run, FRAME_WINDOW_UPDATE, 0, next_byte(run), number, sizeof number);
        break;
    case 7:
        send_any_frame(run);
        break;
    case 8:
        send_raw(run);
        break;
    case 9:
    case 10:
        receive(run);
        break;
    case 11:
        act_on_one(run);
        break;
    case 12:
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
        hc_http2_server_stop(run->server, on_stopped, run);
        hc_http2_server_abort(run->server);
    }
    hc_loop_post(run->loop, task);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct run run;
    run = (struct run){.step.run = run_step, .data = data, .size = size, .client = -1};
    struct hc_http2_config config = hc_http2_default_config;
    config.address = "127.0.0.1";
    config.on_request = on_request;
    config.app = &run;
    require(hc_loop_create(0, &run.loop, NULL) == HC_OK);
    require(hc_http2_server_create(&config, &run.loop, 1, &run.server, NULL) == HC_OK);
    hc_loop_post(run.loop, &run.step);
    hc_loop_run(run.loop);
    require(run.n_open == 0 && run.n_unreleased == 0);
    require(hc_loop_load(run.loop) == 0);
    hc_http2_server_destroy(run.server);
    hc_loop_destroy(run.loop);
    return 0;
}
