/*
 * A connection: a socket on a loop, and nothing of what is spoken over it.
 *
 * The socket is watched once, edge-triggered, for everything. `readable` and `writable` say what
 * may be tried; reading and flushing keep them up to date, so that they seldom cost a system call
 * in vain. Whoever leaves a readable connection unread, because it has taken enough for this turn,
 * calls hc_conn_again(). All bytes pass through hc_conn_read() and hc_conn_flush(), which encrypt
 * and decrypt them once hc_conn_secure() was called.
 */
#ifndef HC_NET_CONN_H
#define HC_NET_CONN_H

#include "net/address.h"
#include "net/loop.h"
#include "net/tls.h"
#include "outq.h"

struct hc_conn;
struct hc_tls_session;

struct hc_conn_handler {
    /* There may be something to read, or room to write, or hc_conn_again() was called. */
    void (*on_ready)(struct hc_conn *conn);
    /* After hc_conn_close(), when nobody on the stack uses the connection any more: free it. */
    void (*on_closed)(struct hc_conn *conn);
};

/* Embedded in the protocol's own struct. */
struct hc_conn {
    struct hc_loop *loop;
    const struct hc_conn_handler *handler;
    struct hc_address peer;
    bool readable;
    bool drained; /* probably not, though: the last read got less than there was room for */
    bool writable;
    bool hung_up;     /* the peer sends no more; what it has sent may still be unread */
    bool ended;       /* and was read to its end */
    bool handshaking; /* TLS is not yet established */

    struct hc_watch _watch;
    struct hc_task _task;
    bool _posted;
    bool _disconnected;
    bool _closed;
    struct hc_tls_session *_tls; /* NULL: what passes is not encrypted */
};

enum hc_conn_status {
    HC_CONN_OK,
    HC_CONN_WAIT,   /* nothing more now: on_ready will be called */
    HC_CONN_ENDED,  /* the peer has sent everything */
    HC_CONN_BROKEN, /* nothing will ever pass again */
};

/* Take over FD, which is closed on failure too. In the loop's thread, like everything here. */
enum hc_code hc_conn_init(struct hc_conn *conn, struct hc_loop *loop, int fd,
                          const struct hc_address *peer, const struct hc_conn_handler *handler,
                          struct hc_error *error);

/* Speak TLS from the first byte on. Before anything else; false without memory. */
bool hc_conn_secure(struct hc_conn *conn, struct hc_tls *tls);

/* Receive into the N vectors, N at most HC_CONN_IOV. *SIZE is set, and not 0, with HC_CONN_OK. */
enum { HC_CONN_IOV = 64 };
enum hc_conn_status hc_conn_read(struct hc_conn *conn, const struct iovec *iov, size_t n,
                                 size_t *size);

/* Send what is in QUEUE: HC_CONN_OK when all of it went, HC_CONN_WAIT when the rest has to wait. */
enum hc_conn_status hc_conn_flush(struct hc_conn *conn, struct hc_outq *queue);

/*
 * Whether the peer is still there, without taking anything: HC_CONN_OK when it has sent something,
 * HC_CONN_WAIT when it is silent.
 */
enum hc_conn_status hc_conn_probe(struct hc_conn *conn);

/* Have on_ready called at the end of this turn, or of the next when called from there. */
void hc_conn_again(struct hc_conn *conn);

/* Send no more, but go on receiving. */
void hc_conn_shut_down(struct hc_conn *conn);

/* Give back the descriptor; on_ready is no longer called but for hc_conn_again(). */
void hc_conn_disconnect(struct hc_conn *conn);

/* Disconnect and have on_closed called at the end of the turn. */
void hc_conn_close(struct hc_conn *conn);

#endif
