/* Encrypted connections. */
#include "tls_session.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "tls_internal.h"

struct hc_tls_session {
    SSL *ssl;
    bool failed; /* nothing may be asked of it any more */
};

struct hc_tls_session *hc_tls_session_create(struct hc_tls *tls, int fd) {
    SSL *ssl = SSL_new(tls->context);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_accept_state(ssl);
    struct hc_tls_session *session = hc_new(struct hc_tls_session);
    session->ssl = ssl;
    return session;
}

void hc_tls_session_destroy(struct hc_tls_session *session) {
    if (session != NULL) {
        SSL_free(session->ssl);
        free(session);
    }
}

bool hc_tls_session_established(const struct hc_tls_session *session) {
    return SSL_is_init_finished(session->ssl) == 1;
}

/* What a call that returned STATUS, 1 for success, has come to. */
static enum hc_tls_result result_of(struct hc_tls_session *session, int status) {
    if (status == 1) {
        return HC_TLS_OK;
    }
    switch (SSL_get_error(session->ssl, status)) {
    case SSL_ERROR_WANT_READ:
        return HC_TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return HC_TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return HC_TLS_ENDED;
    default:
        session->failed = true;
        ERR_clear_error();
        return HC_TLS_BROKEN;
    }
}

enum hc_tls_result hc_tls_session_read(struct hc_tls_session *session, void *place, size_t room,
                                       size_t *size) {
    if (session->failed) {
        return HC_TLS_BROKEN;
    }
    return result_of(session, SSL_read_ex(session->ssl, place, room, size));
}

enum hc_tls_result hc_tls_session_peek(struct hc_tls_session *session) {
    char byte;
    size_t size;
    if (session->failed) {
        return HC_TLS_BROKEN;
    }
    return result_of(session, SSL_peek_ex(session->ssl, &byte, 1, &size));
}

enum hc_tls_result hc_tls_session_write(struct hc_tls_session *session, const void *data,
                                        size_t data_size, size_t *size) {
    if (session->failed) {
        return HC_TLS_BROKEN;
    }
    return result_of(session, SSL_write_ex(session->ssl, data, data_size, size));
}

void hc_tls_session_end(struct hc_tls_session *session) {
    if (!session->failed && hc_tls_session_established(session) && SSL_shutdown(session->ssl) < 0) {
        ERR_clear_error();
    }
}
