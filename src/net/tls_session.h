/*
 * One encrypted connection over a non-blocking socket. The handshake happens by itself, within the
 * first reads.
 */
#ifndef HC_NET_TLS_SESSION_H
#define HC_NET_TLS_SESSION_H

#include <stddef.h>

#include "net/tls.h"

struct hc_tls_session;

enum hc_tls_result {
    HC_TLS_OK,
    HC_TLS_WANT_READ,  /* when the socket has received more */
    HC_TLS_WANT_WRITE, /* when it has room again */
    HC_TLS_ENDED,      /* the peer will send no more */
    HC_TLS_BROKEN,
};

/* FD stays the caller's and must stay open. NULL without memory. */
struct hc_tls_session *hc_tls_session_create(struct hc_tls *tls, int fd);
void hc_tls_session_destroy(struct hc_tls_session *session); /* NULL: nothing */

bool hc_tls_session_established(const struct hc_tls_session *session);

/* At most one record; *SIZE is set with HC_TLS_OK. */
enum hc_tls_result hc_tls_session_read(struct hc_tls_session *session, void *place, size_t room,
                                       size_t *size);

/* Whether there is something to read, or the end, without taking it. */
enum hc_tls_result hc_tls_session_peek(struct hc_tls_session *session);

/*
 * Part of DATA, *SIZE bytes with HC_TLS_OK. What could not be written must be what is written next,
 * from wherever it lies then.
 */
enum hc_tls_result hc_tls_session_write(struct hc_tls_session *session, const void *data,
                                        size_t data_size, size_t *size);

/* Tell the peer that nothing more follows, as far as the socket has room. */
void hc_tls_session_end(struct hc_tls_session *session);

#endif
