/* Connections over TLS: the socket's readiness and the session's wishes, brought together. */
#include "conn_tls.h"

#include "tls_session.h"

/* What RESULT means when nothing was moved, and for the socket's readiness. */
static enum hc_conn_status status_of(struct hc_conn *conn, enum hc_tls_result result) {
    switch (result) {
    case HC_TLS_OK:
        return HC_CONN_OK;
    case HC_TLS_WANT_READ:
        conn->readable = false;
        return HC_CONN_WAIT;
    case HC_TLS_WANT_WRITE:
        conn->writable = false;
        return HC_CONN_WAIT;
    case HC_TLS_ENDED:
        conn->hung_up = true;
        conn->ended = true;
        return HC_CONN_ENDED;
    case HC_TLS_BROKEN:
        break;
    }
    return HC_CONN_BROKEN;
}

enum hc_conn_status hc_conn_tls_read(struct hc_conn *conn, const struct iovec *iov, size_t n,
                                     size_t *size) {
    enum hc_tls_result result = HC_TLS_OK;
    size_t total = 0;
    for (size_t i = 0; i < n && result == HC_TLS_OK; i++) {
        size_t filled = 0;
        while (filled < iov[i].iov_len && result == HC_TLS_OK) {
            size_t part;
            result = hc_tls_session_read(conn->_tls, (char *)iov[i].iov_base + filled,
                                         iov[i].iov_len - filled, &part);
            if (result == HC_TLS_OK) {
                filled += part;
                total += part;
            }
        }
    }
    conn->handshaking = !hc_tls_session_established(conn->_tls);
    if (total == 0) {
        return status_of(conn, result);
    }
    /* The end, or what is broken, is met again by the next read. */
    if (result == HC_TLS_WANT_READ) {
        conn->readable = false;
    }
    conn->drained = result == HC_TLS_WANT_READ && !conn->hung_up;
    *size = total;
    return HC_CONN_OK;
}

enum hc_conn_status hc_conn_tls_flush(struct hc_conn *conn, struct hc_outq *queue) {
    while (queue->size > 0) {
        if (!conn->writable) {
            return HC_CONN_WAIT;
        }
        struct iovec piece;
        size_t size;
        hc_outq_gather(queue, &piece, 1);
        enum hc_tls_result result =
            hc_tls_session_write(conn->_tls, piece.iov_base, piece.iov_len, &size);
        if (result != HC_TLS_OK) {
            return status_of(conn, result == HC_TLS_ENDED ? HC_TLS_BROKEN : result);
        }
        hc_outq_take(queue, size);
    }
    return HC_CONN_OK;
}

enum hc_conn_status hc_conn_tls_probe(struct hc_conn *conn) {
    enum hc_tls_result result = hc_tls_session_peek(conn->_tls);
    if (result == HC_TLS_ENDED) {
        conn->hung_up = true;
        return HC_CONN_ENDED;
    }
    return status_of(conn, result);
}
