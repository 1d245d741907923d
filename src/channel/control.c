/* The control socket: frames and descriptors over a Unix stream socket. */
#include "channel/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/cleanup.h"

enum { READ_SIZE = 16384 };

union fd_space {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(HC_CONTROL_MAX_FDS * sizeof(int))];
};

static void attach_fds(struct msghdr *message, union fd_space *space, const int *fds,
                       size_t n_fds) {
    message->msg_control = space->bytes;
    message->msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
    memcpy(CMSG_DATA(control), fds, n_fds * sizeof(int));
}

static void advance(struct msghdr *message, size_t size) {
    while (size > 0) {
        struct iovec *first = message->msg_iov;
        size_t n = size < first->iov_len ? size : first->iov_len;
        first->iov_base = (char *)first->iov_base + n;
        first->iov_len -= n;
        size -= n;
        if (first->iov_len == 0) {
            message->msg_iov++;
            message->msg_iovlen--;
        }
    }
}

static void wait_writable(int socket) {
    struct pollfd poll_fd = {.fd = socket, .events = POLLOUT};
    poll(&poll_fd, 1, -1);
}

enum hc_code hc_control_send(int socket, uint32_t kind, struct hc_text body, const int *fds,
                             size_t n_fds, struct hc_error *error) {
    if (n_fds > HC_CONTROL_MAX_FDS || body.size > HC_CONTROL_MAX_BODY) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "a control message of %zu bytes is too long", body.size);
    }
    struct hc_control_header header = {.kind = kind, .size = (uint32_t)body.size};
    struct iovec parts[2] = {{&header, sizeof header}, {(void *)body.data, body.size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = body.size > 0 ? 2 : 1};
    union fd_space space = {0};
    if (n_fds > 0) {
        attach_fds(&message, &space, fds, n_fds);
    }
    while (message.msg_iovlen > 0) {
        ssize_t n = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (n > 0) {
            advance(&message, (size_t)n);
            message.msg_control = NULL;
            message.msg_controllen = 0;
        } else if (errno == EAGAIN) {
            wait_writable(socket);
        } else if (errno != EINTR) {
            return hc_error_set(error, HC_UNAVAILABLE, "control socket: %s", strerror(errno));
        }
    }
    return HC_OK;
}

void hc_control_reader_finish(struct hc_control_reader *reader) {
    for (size_t i = 0; i < reader->n_fds; i++) {
        hc_fd_close(reader->fds[i]);
    }
    reader->n_fds = 0;
    hc_buf_finish(&reader->buf);
}

/* Keep the descriptors that came with a read; those beyond the limit are closed. */
static void take_fds(struct hc_control_reader *reader, struct msghdr *message) {
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL;
         control = CMSG_NXTHDR(message, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t n = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(control) + i * sizeof fd, sizeof fd);
            if (reader->n_fds < HC_CONTROL_MAX_FDS) {
                reader->fds[reader->n_fds++] = fd;
            } else {
                hc_fd_close(fd);
            }
        }
    }
}

enum hc_code hc_control_fill(struct hc_control_reader *reader, int socket, bool *any,
                             struct hc_error *error) {
    union fd_space space;
    struct iovec part = {hc_buf_reserve(&reader->buf, READ_SIZE), READ_SIZE};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = space.bytes,
                             .msg_controllen = sizeof space.bytes};
    ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        *any = false;
        return HC_OK;
    }
    if (n == 0 || (n < 0 && errno == ECONNRESET)) {
        return hc_error_set(error, HC_UNAVAILABLE, "the peer closed the control socket");
    }
    if (n < 0) {
        return hc_error_set(error, HC_INTERNAL, "control socket: %s", strerror(errno));
    }
    take_fds(reader, &message);
    hc_buf_commit(&reader->buf, (size_t)n);
    *any = true;
    return HC_OK;
}

int hc_control_next(struct hc_control_reader *reader, size_t body_max,
                    struct hc_control_frame *frame) {
    struct hc_control_header header;
    if (reader->taken > 0) {
        hc_buf_consume(&reader->buf, reader->taken);
        reader->taken = 0;
    }
    if (reader->buf.size < sizeof header) {
        return 0;
    }
    memcpy(&header, reader->buf.data, sizeof header);
    if (header.size > body_max) {
        return -1;
    }
    if (reader->buf.size - sizeof header < header.size) {
        return 0;
    }
    *frame = (struct hc_control_frame){
        .kind = header.kind,
        .body = {reader->buf.data + sizeof header, header.size},
    };
    reader->taken = sizeof header + header.size;
    return 1;
}
