/* A connection: a socket on a loop. */
#include "conn.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "conn_tls.h"
#include "loop_internal.h"
#include "tls_session.h"

static void on_socket(struct hc_watch *watch, unsigned events) {
    struct hc_conn *conn = hc_list_item(watch, struct hc_conn, _watch);
    if (events & (HC_WATCH_READ | HC_WATCH_HANGUP)) {
        conn->readable = true;
        conn->drained = false;
    }
    conn->writable |= (events & HC_WATCH_WRITE) != 0;
    conn->hung_up |= (events & HC_WATCH_HANGUP) != 0;
    conn->handler->on_ready(conn);
}

static void run_task(struct hc_task *task) {
    struct hc_conn *conn = hc_list_item(task, struct hc_conn, _task);
    conn->_posted = false;
    if (conn->_closed) {
        conn->handler->on_closed(conn);
    } else {
        conn->handler->on_ready(conn);
    }
}

enum hc_code hc_conn_init(struct hc_conn *conn, struct hc_loop *loop, int fd,
                          const struct hc_address *peer, const struct hc_conn_handler *handler,
                          struct hc_error *error) {
    *conn = (struct hc_conn){.loop = loop,
                             .handler = handler,
                             .peer = *peer,
                             .writable = true,
                             ._watch = {.fd = fd, .on_ready = on_socket},
                             ._task.run = run_task};
    enum hc_code code =
        hc_watch_start(loop, &conn->_watch,
                       HC_WATCH_READ | HC_WATCH_WRITE | HC_WATCH_HANGUP | HC_WATCH_EDGE, error);
    if (code != HC_OK) {
        close(fd);
    }
    return code;
}

bool hc_conn_secure(struct hc_conn *conn, struct hc_tls *tls) {
    conn->_tls = hc_tls_session_create(tls, conn->_watch.fd);
    conn->handshaking = true;
    return conn->_tls != NULL;
}

static size_t total_size(const struct iovec *iov, size_t n) {
    size_t size = 0;
    for (size_t i = 0; i < n; i++) {
        size += iov[i].iov_len;
    }
    return size;
}

/* What a failed system call means. */
static enum hc_conn_status failure_status(bool *ready) {
    if (errno == EAGAIN) {
        *ready = false;
        return HC_CONN_WAIT;
    }
    return HC_CONN_BROKEN;
}

enum hc_conn_status hc_conn_read(struct hc_conn *conn, const struct iovec *iov, size_t n,
                                 size_t *size) {
    if (!conn->readable) {
        return HC_CONN_WAIT;
    }
    hc_loop_see_input(conn->loop, conn->_watch.fd);
    if (conn->_tls != NULL) {
        return hc_conn_tls_read(conn, iov, n, size);
    }
    ssize_t result;
    do {
        result = readv(conn->_watch.fd, iov, (int)n);
    } while (result < 0 && errno == EINTR);
    if (result < 0) {
        return failure_status(&conn->readable);
    }
    if (result == 0) {
        conn->hung_up = true;
        conn->ended = true;
        return HC_CONN_ENDED;
    }
    /* Only probably: a hang-up or an error that came with these bytes is not reported again. */
    conn->drained = (size_t)result < total_size(iov, n) && !conn->hung_up;
    *size = (size_t)result;
    return HC_CONN_OK;
}

enum hc_conn_status hc_conn_flush(struct hc_conn *conn, struct hc_outq *queue) {
    if (conn->_tls != NULL) {
        return hc_conn_tls_flush(conn, queue);
    }
    while (queue->size > 0) {
        if (!conn->writable) {
            return HC_CONN_WAIT;
        }
        struct iovec iov[HC_CONN_IOV];
        struct msghdr message = {.msg_iov = iov};
        message.msg_iovlen = hc_outq_gather(queue, iov, HC_CONN_IOV);
        size_t offered = total_size(iov, message.msg_iovlen);
        ssize_t result = sendmsg(conn->_watch.fd, &message, MSG_NOSIGNAL);
        if (result >= 0) {
            conn->writable = (size_t)result == offered;
            hc_outq_take(queue, (size_t)result);
        } else if (errno != EINTR) {
            return failure_status(&conn->writable);
        }
    }
    return HC_CONN_OK;
}

/* Behind the end of what the peer sent, reading does not tell that it has reset the connection. */
static bool was_reset(const struct hc_conn *conn) {
    int code = 0;
    socklen_t size = sizeof code;
    return getsockopt(conn->_watch.fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0 || code != 0;
}

enum hc_conn_status hc_conn_probe(struct hc_conn *conn) {
    char byte;
    if (conn->_tls != NULL) {
        enum hc_conn_status status = hc_conn_tls_probe(conn);
        return status == HC_CONN_ENDED && was_reset(conn) ? HC_CONN_BROKEN : status;
    }
    ssize_t result = recv(conn->_watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (result < 0) {
        return failure_status(&conn->readable);
    }
    if (result == 0) {
        conn->hung_up = true;
        return was_reset(conn) ? HC_CONN_BROKEN : HC_CONN_ENDED;
    }
    return HC_CONN_OK;
}

void hc_conn_again(struct hc_conn *conn) {
    if (!conn->_posted) {
        conn->_posted = true;
        hc_loop_post(conn->loop, &conn->_task);
    }
}

void hc_conn_shut_down(struct hc_conn *conn) {
    if (conn->_tls != NULL) {
        hc_tls_session_end(conn->_tls);
    }
    shutdown(conn->_watch.fd, SHUT_WR);
}

void hc_conn_disconnect(struct hc_conn *conn) {
    if (!conn->_disconnected) {
        conn->_disconnected = true;
        conn->readable = false;
        conn->writable = false;
        if (conn->_tls != NULL) {
            hc_tls_session_end(conn->_tls);
            hc_tls_session_destroy(hc_take(conn->_tls));
        }
        hc_watch_stop(&conn->_watch);
        close(conn->_watch.fd);
    }
}

void hc_conn_close(struct hc_conn *conn) {
    hc_conn_disconnect(conn);
    conn->_closed = true;
    hc_conn_again(conn);
}
