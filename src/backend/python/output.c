/* What processes print, passed on. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

enum {
    READ_SIZE = 16 * 1024,
    MAX_KEPT = 8 * 1024,
    MAX_LINES = 12,
    MAX_LINES_SIZE = 1500,
};

void output_init(struct output *output, const char *prefix) {
    *output = (struct output){.prefix = prefix};
    for (int i = 0; i < OUTPUT_N_STREAMS; i++) {
        output->streams[i].watch.fd = -1;
        output->streams[i].output = output;
        output->streams[i].target = i == 0 ? STDOUT_FILENO : STDERR_FILENO;
    }
}

void output_finish(struct output *output) {
    hc_buf_finish(&output->last);
}

static void keep(struct output *output, struct hc_text text) {
    hc_buf_append_text(&output->last, text);
    if (output->last.size > MAX_KEPT) {
        hc_buf_consume(&output->last, output->last.size - MAX_KEPT / 2);
    }
}

/* Whoever reads the server's output may be slow; gone, it does not matter. */
static void write_all(int fd, struct hc_text text) {
    while (text.size > 0) {
        ssize_t n = write(fd, text.data, text.size);
        if (n > 0) {
            text.data += n;
            text.size -= (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
            poll(&poll_fd, 1, -1);
        } else if (errno != EINTR) {
            return;
        }
    }
}

/* TEXT with the prefix before each line that begins in it. */
static void add_prefixes(struct output_stream *stream, struct hc_text text, struct hc_buf *out) {
    const char *end = text.data + text.size;
    while (text.data < end) {
        const char *newline = memchr(text.data, '\n', (size_t)(end - text.data));
        const char *next = newline != NULL ? newline + 1 : end;
        if (!stream->in_line) {
            hc_buf_appendf(out, "[%s] ", stream->output->prefix);
        }
        hc_buf_append(out, text.data, (size_t)(next - text.data));
        stream->in_line = newline == NULL;
        text.data = next;
    }
}

static void pass_on(struct output_stream *stream, struct hc_text text) {
    keep(stream->output, text);
    if (stream->output->prefix == NULL) {
        write_all(stream->target, text);
        return;
    }
    hc_auto_buf prefixed = {0};
    add_prefixes(stream, text, &prefixed);
    write_all(stream->target, hc_buf_text(&prefixed));
}

static void close_stream(struct output_stream *stream) {
    hc_watch_stop(&stream->watch);
    hc_fd_close(hc_fd_take(&stream->watch.fd));
}

/* One read; false when there is nothing more for now. */
static bool read_some(struct output_stream *stream) {
    char data[READ_SIZE];
    ssize_t n = read(stream->watch.fd, data, sizeof data);
    if (n > 0) {
        pass_on(stream, (struct hc_text){data, (size_t)n});
        return true;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        close_stream(stream);
    }
    return false;
}

static void on_ready(struct hc_watch *watch, unsigned events) {
    (void)events;
    read_some(hc_list_item(watch, struct output_stream, watch));
}

static enum hc_code open_stream(struct output_stream *stream, struct hc_loop *loop, int *write_end,
                                struct hc_error *error) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return hc_error_set(error, HC_RESOURCE_EXHAUSTED, "pipe: %s", strerror(errno));
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *write_end = ends[1];
    stream->watch = (struct hc_watch){.fd = ends[0], .on_ready = on_ready};
    return hc_watch_start(loop, &stream->watch, HC_WATCH_READ, error);
}

enum hc_code output_open(struct output *output, struct hc_loop *loop, int *write_ends,
                         struct hc_error *error) {
    for (int i = 0; i < OUTPUT_N_STREAMS; i++) {
        HC_TRY(open_stream(&output->streams[i], loop, &write_ends[i], error));
    }
    return HC_OK;
}

void output_close(struct output *output) {
    for (int i = 0; i < OUTPUT_N_STREAMS; i++) {
        struct output_stream *stream = &output->streams[i];
        while (stream->watch.fd >= 0 && read_some(stream)) {
        }
        close_stream(stream);
    }
}

char *output_last_lines(const struct output *output) {
    struct hc_text text = hc_buf_text(&output->last);
    while (text.size > 0 && text.data[text.size - 1] == '\n') {
        text.size--;
    }
    size_t start = text.size;
    for (int n_lines = 0; start > 0 && text.size - start < MAX_LINES_SIZE; start--) {
        if (text.data[start - 1] == '\n' && ++n_lines == MAX_LINES) {
            break;
        }
    }
    return text.size == 0 ? NULL : hc_strndup(text.data + start, text.size - start);
}
